//! What the forge is told of a preview that was swept up: its deployments end, and the comment says that it is gone.

use fake_github::{FakeGitHub, Fault, Head};
use serde_json::json;

use super::{sha, sweep};
use crate::forge::on_pull_request;
use crate::support::{Sandbox, payloads, repository};

/// A preview of `fix` that was published twice, and whose closing no run was told of.
async fn published_and_forgotten(forge: &FakeGitHub) -> Sandbox {
    let gitbook = Sandbox::start().await;
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    for number in 0..3 {
        forge.comment_by("mona", 12, &format!("Comment {number}"));
    }
    for (commit, run) in [('1', 100), ('2', 101)] {
        forge.push_to_pull_request(12, &sha(commit));
        let script = format!("export default {commit};");
        let folder = repository().integration("hello").file("hello/main.ts", script);
        let ended = on_pull_request("opened", commit, run, &gitbook, forge).folder(&folder).runs().await;
        assert_eq!((ended.code, ended.output("result")), (Some(0), "published".to_owned()), "{ended:#?}");
    }
    forge.delete_branch("fix");
    gitbook
}

/// The last state of each deployment.
fn states(forge: &FakeGitHub) -> Vec<String> {
    let last = |deployment: fake_github::Deployment| deployment.statuses.last().unwrap().state.clone();
    forge.deployments().into_iter().map(last).collect()
}

/// The row of a preview in the comment.
fn row(forge: &FakeGitHub, number: u64, name: &str) -> String {
    let comments = forge.comments(number);
    let ours: Vec<_> = comments.iter().filter(|comment| comment.author.contains("bot")).collect();
    assert_eq!(ours.len(), 1, "{comments:#?}");
    let row = ours[0].body.lines().find(|line| line.starts_with(&format!("| {name} |")));
    row.unwrap_or_else(|| panic!("no row of {name}: {}", ours[0].body)).to_owned()
}

#[tokio::test]
async fn the_deployments_end_and_the_comment_says_removed() {
    let forge = FakeGitHub::start().await;
    // The comment and the older deployment are on later pages.
    forge.page_size(1);
    let gitbook = published_and_forgotten(&forge).await;
    assert!(row(&forge, 12, "hello-fix").contains("published"));
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    assert_eq!((ended.code, gitbook.names()), (Some(0), vec![]), "{ended:#?}");
    assert_eq!(states(&forge), ["inactive", "inactive"]);
    assert!(row(&forge, 12, "hello-fix").contains("removed"), "{}", row(&forge, 12, "hello-fix"));
}

#[tokio::test]
async fn nothing_is_told_where_nothing_is_to_be() {
    let forge = FakeGitHub::start().await;
    let gitbook = published_and_forgotten(&forge).await;
    let (told, before) = (row(&forge, 12, "hello-fix"), states(&forge));
    forge.clear_requests();
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_COMMENT", "false");
    let ended = run.variable("GITBOOK_DEPLOYMENTS", "false").runs().await;
    assert_eq!((ended.code, gitbook.names()), (Some(0), vec![]));
    assert!(forge.requests().iter().all(|request| request.method == "GET"));
    assert_eq!((row(&forge, 12, "hello-fix"), states(&forge)), (told, before));
}

#[tokio::test]
async fn a_token_that_may_not_tell_may_sweep() {
    let forge = FakeGitHub::start().await;
    let gitbook = published_and_forgotten(&forge).await;
    let denied =
        json!({"message": "Resource not accessible by integration", "documentation_url": "https://x"});
    for pattern in ["/comments", "/deployments"] {
        forge.fail(Fault::on("GET", pattern).status(403).json(denied.clone()).unvalidated().always());
    }
    let ended = sweep(gitbook.endpoint(), &forge).runs().await;
    insta::assert_snapshot!(ended.log(), @"
    exit 0
    info: deleted `hello-fix` (`fix` is gone) (0.0 s)
    notice: could not update the comment: the token lacks the permission `pull-requests: write`: 403 Resource not accessible by integration; add `pull-requests: write` to the job's `permissions`, or to the permissions of the token
    info: sweep: 1 deleted, 0 kept
    notice: no deployments are recorded: the token lacks the permission `deployments: write`: 403 Resource not accessible by integration; add `deployments: write` to the job's `permissions`, or to the permissions of the token
    ");
    assert_eq!(gitbook.names(), [""; 0]);
}

#[tokio::test]
async fn a_pull_requests_own_preview_is_told_of_there_only() {
    let forge = FakeGitHub::start().await;
    let gitbook = Sandbox::start().await;
    let folder = repository().integration("hello");
    for number in [1, 2] {
        forge.open_pull_request(number, Head::own("fix"), &sha('1'));
        let payload = payloads::pull_request("opened", number, "fix", &sha('1'));
        let run = crate::support::deployment().on_github_event("pull_request", &payload, 100 + number);
        let run = run.against(gitbook.endpoint()).with_forge(&forge).folder(&folder);
        let ended = run.variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}").runs().await;
        assert_eq!(ended.output("result"), "published", "{ended:#?}");
    }
    forge.close_pull_request(1);
    let other = forge.comments(2);
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}");
    assert_eq!(run.runs().await.code, Some(0));
    assert_eq!(gitbook.names(), ["hello-pr2"]);
    assert!(row(&forge, 1, "hello-pr1").contains("removed"));
    assert_eq!(forge.comments(2), other);
}
