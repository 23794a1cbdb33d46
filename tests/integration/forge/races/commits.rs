//! The commit and the branch that staleness checks compare, and events without a branch.

use fake_github::Head;
use serde_json::{Value, json};

use super::{TestEnvironment, log, result, set_up, sha, with_branch, with_pull_request};
use crate::support::{Deployment, payloads};

/// Returns the paths of all requests for a branch or a pull request.
fn requested_refs(environment: &TestEnvironment) -> Vec<String> {
    let requests = environment.forge.requests();
    let received = requests.iter().filter(|request| request.method == "GET" && !request.path.contains('?'));
    let paths = received.filter_map(|request| request.path.strip_prefix("/repos/acme/integrations/"));
    paths.filter(|path| !path.starts_with("deployments")).map(str::to_owned).collect()
}

/// Returns a push to `fix` with the generic variables and this commit.
fn generic_push(environment: &TestEnvironment, commit: &str) -> Deployment {
    let run = crate::support::deployment().on_push_to("fix").with_endpoint(environment.sandbox.endpoint());
    let run = run.with_forge(&environment.forge).variable("GITBOOK_COMMIT", commit);
    run.folder(environment.checkouts.path("1"))
}

#[tokio::test]
async fn compares_an_abbreviated_commit_with_the_branch_tip() {
    for length in [4, 7, 39, 40] {
        let environment = with_branch().await;
        assert_eq!(
            result(&generic_push(&environment, &sha('1')[..length]).run().await),
            "published",
            "{length}"
        );
        assert_eq!(
            result(&generic_push(&environment, &sha('2')[..length]).run().await),
            "skipped",
            "{length}"
        );
        assert_eq!(requested_refs(&environment), ["branches/fix"; 3], "{length}");
    }
}

/// Without a valid commit, the program cannot detect newer commits, but it still checks that the branch is open.
#[tokio::test]
async fn compares_no_commits_without_a_valid_commit() {
    for commit in ["", "HEAD", "v1.2.3", "111"] {
        let environment = with_branch().await;
        assert_eq!(result(&generic_push(&environment, commit).run().await), "published", "{commit}");
        assert_eq!(requested_refs(&environment), ["branches/fix"], "{commit}");
    }
}

/// Returns a run on an event without a branch.
fn run_without_branch(environment: &TestEnvironment, event: &str, mut payload: Value) -> Deployment {
    payload["repository"] = payloads::push("main", "")["repository"].clone();
    environment.run(event, &payload, '1', 100).variable("GITHUB_SHA", sha('1')).publish()
}

#[tokio::test]
async fn publishes_releases_and_tags_without_a_branch_check() {
    let environment = set_up().await;
    let tag = json!({"ref": "refs/tags/v1", "after": sha('1')});
    let manual = json!({"ref": "refs/tags/v1"});
    for (event, payload) in
        [("release", json!({"action": "published"})), ("push", tag), ("workflow_dispatch", manual)]
    {
        assert_eq!(
            result(&run_without_branch(&environment, event, payload).run().await),
            "published",
            "{event}"
        );
    }
    assert_eq!(requested_refs(&environment), [""; 0]);
    assert_eq!(environment.sandbox.integration("hello")["version"], 3);
}

#[tokio::test]
async fn compares_the_commit_of_a_manual_run_with_its_branch() {
    let environment = with_branch().await;
    let manual = |branch: &str, commit: char| {
        let payload = json!({
            "ref": format!("refs/heads/{branch}"),
            "repository": payloads::push("main", "")["repository"],
        });
        environment.run("workflow_dispatch", &payload, commit, 100).variable("GITHUB_SHA", sha(commit))
    };
    assert_eq!(result(&manual("fix", '1').run().await), "published");
    assert_eq!(result(&manual("fix", '2').run().await), "skipped");
    assert_eq!(result(&manual("main", '1').run().await), "skipped");
    environment.forge.set_branch("main", &sha('1'));
    assert_eq!(result(&manual("main", '1').run().await), "published");
    assert_eq!(environment.published(), ["hello", "hello-fix: commit 1, run 100"]);
}

/// The user asks for the publication with `GITBOOK_MODE=publish`.
#[tokio::test]
async fn publishes_a_merged_pull_request_in_publish_mode() {
    let environment = with_pull_request().await;
    environment.forge.merge_pull_request(12);
    let finished = environment.pull_request("closed", '1', 100).publish().run().await;
    assert_eq!(result(&finished), "published");
    assert_eq!(environment.published(), ["hello"]);
}

/// If `GITBOOK_BRANCH` names another branch, the commit of the CI event does not belong to that branch.
#[tokio::test]
async fn a_branch_variable_does_not_use_the_commit_of_the_event() {
    let environment = with_pull_request().await;
    environment.forge.set_branch("other", &sha('2'));
    let push = environment.push("other", '2', 100).variable("GITBOOK_BRANCH", "fix");
    assert_eq!(result(&push.run().await), "published");

    let command = json!({
        "action": "created",
        "comment": {"body": "/preview"},
        "issue": {"number": 12, "pull_request": {}},
        "repository": payloads::push("main", "")["repository"],
    });
    let by_comment = |run| {
        environment
            .run("issue_comment", &command, '1', run)
            .variable("GITHUB_SHA", "a".repeat(40))
            .variable("GITBOOK_EVENT", "pull_request")
            .variable("GITBOOK_PULL_REQUEST", "12")
            .variable("GITBOOK_BRANCH", "fix")
    };
    assert_eq!(result(&by_comment(101).run().await), "published");
    // A fork's pull request is refused whatever `GITBOOK_BRANCH` names.
    environment.forge.open_pull_request(13, Head::fork("mona", "fix"), &sha('1'));
    let mut fork_command = command.clone();
    fork_command["issue"]["number"] = 13.into();
    for (mode, token) in [("auto", true), ("preview", true), ("publish", true), ("preview", false)] {
        let run = environment.run("issue_comment", if token { &fork_command } else { &command }, '1', 101);
        let run = run.variable("GITBOOK_MODE", mode).variable("GITBOOK_EVENT", "pull_request");
        let run = run.variable("GITBOOK_PULL_REQUEST", "13").variable("GITBOOK_BRANCH", "fix");
        let finished = if token { run } else { run.variable("GITHUB_TOKEN", "") }.run().await;
        assert_eq!(finished.code, Some(2), "{mode}: {}", finished.log());
        assert!(finished.stderr.contains("fork"), "{}", finished.log());
    }
    // `GITBOOK_COMMIT` names the commit, so the program detects the newer commit.
    let finished = by_comment(102).variable("GITBOOK_COMMIT", sha('3')).run().await;
    assert_eq!(result(&finished), "skipped");
    insta::assert_snapshot!(log(&finished), @"
    exit 0
    info: skipped hello-fix: superseded by 1111111 on `fix`; the run for that commit publishes it
    ");

    let payload = json!({"schedule": "0 4 * * *", "repository": payloads::push("main", "")["repository"]});
    let nightly = environment.run("schedule", &payload, '3', 103).variable("GITHUB_SHA", "a".repeat(40));
    let nightly = nightly.variable("GITBOOK_MODE", "preview").variable("GITBOOK_BRANCH", "fix");
    assert_eq!(result(&nightly.run().await), "published");
}

#[tokio::test]
async fn encodes_special_characters_in_branch_names() {
    for branch in ["feature/x", "a\"b%2Fc&d=1#e", "日本/語"] {
        let environment = set_up().await;
        environment.forge.set_branch(branch, &sha('1'));
        assert_eq!(result(&environment.push(branch, '1', 100).run().await), "published", "{branch}");
        environment.forge.set_branch(branch, &sha('2'));
        assert_eq!(result(&environment.push(branch, '1', 101).run().await), "skipped", "{branch}");
        environment.forge.delete_branch(branch);
        assert_eq!(result(&environment.delete(branch, 102).run().await), "deleted", "{branch}");
        assert_eq!(environment.sandbox.names(), [""; 0], "{branch}");
    }
}

/// The program looks up a fork's pull request by number, since the repository can have a branch with the same name.
#[tokio::test]
async fn distinguishes_a_fork_branch_from_an_own_branch_of_the_same_name() {
    let environment = set_up().await;
    environment.forge.set_branch("fix", &sha('2'));
    environment.forge.open_pull_request(12, Head::fork("mona", "fix"), &sha('1'));
    let payload = |action| payloads::fork_pull_request(action, 12, "mona", "fix", &sha('1'));
    let finished = environment.run("pull_request", &payload("opened"), '1', 100).run().await;
    assert_eq!(result(&finished), "published");
    assert_eq!(requested_refs(&environment), ["pulls/12"; 2]);
    let [published] = &environment.published()[..] else { panic!("one preview") };
    assert!(
        published.starts_with("hello-mona-fix-") && published.ends_with("commit 1, run 100"),
        "{published}"
    );
    environment.forge.push_to_pull_request(12, &sha('3'));
    let finished = environment.run("pull_request", &payload("synchronize"), '1', 101).run().await;
    assert_eq!(result(&finished), "skipped");
    environment.forge.close_pull_request(12);
    let finished = environment.run("pull_request", &payload("closed"), '1', 102).run().await;
    assert_eq!(result(&finished), "deleted");
    assert_eq!(environment.sandbox.names(), [""; 0]);
}
