//! Forge updates by a sweep. GitHub Deployments become inactive, and the comment shows the preview as removed.

use fake_github::{FakeGitHub, Fault, Head};
use serde_json::json;

use super::{sha, sweep};
use crate::forge::on_pull_request;
use crate::support::{Sandbox, payloads, repository};

/// Starts a GitBook with a preview of `fix` that two runs published. The branch is deleted, but no run has deleted the preview.
async fn gitbook_with_leftover_preview(forge: &FakeGitHub) -> Sandbox {
    let gitbook = Sandbox::start().await;
    forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    for number in 0..3 {
        forge.comment_by("mona", 12, &format!("Comment {number}"));
    }
    for (commit, run) in [('1', 100), ('2', 101)] {
        forge.push_to_pull_request(12, &sha(commit));
        let script = format!("export default {commit};");
        let folder = repository().integration("hello").file("hello/main.ts", script);
        let finished = on_pull_request("opened", commit, run, &gitbook, forge).folder(&folder).run().await;
        assert_eq!(
            (finished.code, finished.output("result")),
            (Some(0), "published".to_owned()),
            "{finished:#?}"
        );
    }
    forge.delete_branch("fix");
    gitbook
}

/// Returns the last state of each GitHub Deployment.
fn states(forge: &FakeGitHub) -> Vec<String> {
    let last = |deployment: fake_github::Deployment| deployment.statuses.last().unwrap().state.clone();
    forge.deployments().into_iter().map(last).collect()
}

/// Returns the row of a preview in the program's comment on a pull request.
fn comment_row(forge: &FakeGitHub, number: u64, name: &str) -> String {
    let comments = forge.comments(number);
    let ours: Vec<_> = comments.iter().filter(|comment| comment.author.contains("bot")).collect();
    assert_eq!(ours.len(), 1, "{comments:#?}");
    let row = ours[0].body.lines().find(|line| line.starts_with(&format!("| {name} |")));
    row.unwrap_or_else(|| panic!("no row of {name}: {}", ours[0].body)).to_owned()
}

#[tokio::test]
async fn marks_deployments_inactive_and_updates_the_comment() {
    let forge = FakeGitHub::start().await;
    // The comment and the older deployment are on later list pages.
    forge.page_size(1);
    let gitbook = gitbook_with_leftover_preview(&forge).await;
    assert!(comment_row(&forge, 12, "hello-fix").contains("published"));
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    assert_eq!((finished.code, gitbook.names()), (Some(0), vec![]), "{finished:#?}");
    assert_eq!(states(&forge), ["inactive", "inactive"]);
    assert!(
        comment_row(&forge, 12, "hello-fix").contains("🗑️ deleted"),
        "{}",
        comment_row(&forge, 12, "hello-fix")
    );
}

#[tokio::test]
async fn updates_no_comment_or_deployment_if_disabled() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_leftover_preview(&forge).await;
    let (outcome, before) = (comment_row(&forge, 12, "hello-fix"), states(&forge));
    forge.clear_requests();
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_COMMENT", "false");
    let finished = run.variable("GITBOOK_DEPLOYMENTS", "false").run().await;
    assert_eq!((finished.code, gitbook.names()), (Some(0), vec![]));
    assert!(forge.requests().iter().all(|request| request.method == "GET"));
    assert_eq!((comment_row(&forge, 12, "hello-fix"), states(&forge)), (outcome, before));
}

#[tokio::test]
async fn sweeps_without_permission_to_comment() {
    let forge = FakeGitHub::start().await;
    let gitbook = gitbook_with_leftover_preview(&forge).await;
    let denied =
        json!({"message": "Resource not accessible by integration", "documentation_url": "https://x"});
    for pattern in ["/comments", "/deployments"] {
        forge.fail(Fault::on("GET", pattern).status(403).json(denied.clone()).unvalidated().always());
    }
    let finished = sweep(gitbook.endpoint(), &forge).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: deleted hello-fix (… s): branch `fix` was deleted
    notice: could not update the comment: the token lacks the permission `pull-requests: write`: 403 Resource not accessible by integration; add `pull-requests: write` to the job's `permissions`, or to the permissions of the token
    info: sweep: deleted 1 preview, kept 0
    notice: could not record the GitHub Deployments: the token lacks the permission `deployments: write`: 403 Resource not accessible by integration; add `deployments: write` to the job's `permissions`, or to the permissions of the token
    ");
    assert_eq!(gitbook.names(), [""; 0]);
}

#[tokio::test]
async fn updates_only_the_comment_of_the_pull_request() {
    let forge = FakeGitHub::start().await;
    let gitbook = Sandbox::start().await;
    let folder = repository().integration("hello");
    for number in [1, 2] {
        forge.open_pull_request(number, Head::own("fix"), &sha('1'));
        let payload = payloads::pull_request("opened", number, "fix", &sha('1'));
        let run = crate::support::deployment().on_github_event("pull_request", &payload, 100 + number);
        let run = run.with_endpoint(gitbook.endpoint()).with_forge(&forge).folder(&folder);
        let finished = run.variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}").run().await;
        assert_eq!(finished.output("result"), "published", "{finished:#?}");
    }
    forge.close_pull_request(1);
    let other = forge.comments(2);
    let run = sweep(gitbook.endpoint(), &forge).variable("GITBOOK_PREVIEW_NAME", "{name}-pr{pr}");
    assert_eq!(run.run().await.code, Some(0));
    assert_eq!(gitbook.names(), ["hello-pr2"]);
    assert!(comment_row(&forge, 1, "hello-pr1").contains("🗑️ deleted"));
    assert_eq!(forge.comments(2), other);
}
