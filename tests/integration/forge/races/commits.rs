//! Which commit is held against which tip, and where no branch is at stake.

use forge_stand_in::Head;
use serde_json::{Value, json};

use super::{World, log, result, sha, with_branch, with_pull_request, world};
use crate::support::{Deployment, payloads};

/// What was asked for branches and pull requests.
fn asked(world: &World) -> Vec<String> {
    let requests = world.forge.requests();
    let asked = requests.iter().filter(|request| request.method == "GET" && !request.path.contains('?'));
    let paths = asked.filter_map(|request| request.path.strip_prefix("/repos/acme/integrations/"));
    paths.filter(|path| !path.starts_with("deployments")).map(str::to_owned).collect()
}

/// A push to `fix` as any CI system tells it, with this commit.
fn generic(world: &World, commit: &str) -> Deployment {
    let run = crate::support::deployment().push_to("fix").against(world.sandbox.endpoint());
    let run = run.with_forge(&world.forge).variable("GITBOOK_COMMIT", commit);
    run.folder(world.checkouts.path("1"))
}

#[tokio::test]
async fn an_abbreviated_commit_is_held_against_the_tip() {
    for length in [4, 7, 39, 40] {
        let world = with_branch().await;
        assert_eq!(result(&generic(&world, &sha('1')[..length]).runs().await), "published", "{length}");
        assert_eq!(result(&generic(&world, &sha('2')[..length]).runs().await), "skipped", "{length}");
        assert_eq!(asked(&world), ["branches/fix"; 3], "{length}");
    }
}

/// Nothing is told of what stands nowhere or is no commit's name. What was closed meanwhile is asked all the same.
#[tokio::test]
async fn without_a_commit_nothing_is_held_against_the_tip() {
    for commit in ["", "HEAD", "v1.2.3", "111"] {
        let world = with_branch().await;
        assert_eq!(result(&generic(&world, commit).runs().await), "published", "{commit}");
        assert_eq!(asked(&world), ["branches/fix"], "{commit}");
    }
}

/// A run on an event that is about no branch.
fn of_no_branch(world: &World, event: &str, mut payload: Value) -> Deployment {
    payload["repository"] = payloads::push("main", "")["repository"].clone();
    world.run(event, &payload, '1', 100).variable("GITHUB_SHA", sha('1')).publish()
}

#[tokio::test]
async fn a_release_or_a_tag_is_no_branch_s() {
    let world = world().await;
    let tag = json!({"ref": "refs/tags/v1", "after": sha('1')});
    let manual = json!({"ref": "refs/tags/v1"});
    for (event, payload) in
        [("release", json!({"action": "published"})), ("push", tag), ("workflow_dispatch", manual)]
    {
        assert_eq!(result(&of_no_branch(&world, event, payload).runs().await), "published", "{event}");
    }
    assert_eq!(asked(&world), [""; 0]);
    assert_eq!(world.sandbox.integration("hello")["version"], 3);
}

#[tokio::test]
async fn a_manual_run_is_of_its_branch() {
    let world = with_branch().await;
    let manual = |branch: &str, commit: char| {
        let payload = json!({
            "ref": format!("refs/heads/{branch}"),
            "repository": payloads::push("main", "")["repository"],
        });
        world.run("workflow_dispatch", &payload, commit, 100).variable("GITHUB_SHA", sha(commit))
    };
    assert_eq!(result(&manual("fix", '1').runs().await), "published");
    assert_eq!(result(&manual("fix", '2').runs().await), "skipped");
    assert_eq!(result(&manual("main", '1').runs().await), "skipped");
    world.forge.set_branch("main", &sha('1'));
    assert_eq!(result(&manual("main", '1').runs().await), "published");
    assert_eq!(world.published(), ["hello", "hello-fix: commit 1, run 100"]);
}

/// Who publishes a pull request once it is merged means just that.
#[tokio::test]
async fn a_merged_pull_request_is_published_where_that_is_asked_for() {
    let world = with_pull_request().await;
    world.forge.merge_pull_request(12);
    let ended = world.pull_request("closed", '1', 100).publish().runs().await;
    assert_eq!(result(&ended), "published");
    assert_eq!(world.published(), ["hello"]);
}

/// The commit that the event tells of is another branch's.
#[tokio::test]
async fn a_branch_that_is_named_by_hand_is_not_held_against_the_event_s_commit() {
    let world = with_pull_request().await;
    world.forge.set_branch("other", &sha('2'));
    let push = world.push("other", '2', 100).variable("GITBOOK_BRANCH", "fix");
    assert_eq!(result(&push.runs().await), "published");

    let command = json!({
        "action": "created",
        "comment": {"body": "/preview"},
        "issue": {"number": 12, "pull_request": {}},
        "repository": payloads::push("main", "")["repository"],
    });
    let by_comment = |run| {
        world
            .run("issue_comment", &command, '1', run)
            .variable("GITHUB_SHA", "a".repeat(40))
            .variable("GITBOOK_EVENT", "pull_request")
            .variable("GITBOOK_PULL_REQUEST", "12")
            .variable("GITBOOK_BRANCH", "fix")
    };
    assert_eq!(result(&by_comment(101).runs().await), "published");
    // A fork's pull request is refused, whatever the branch is said to be.
    world.forge.open_pull_request(13, Head::fork("mona", "fix"), &sha('1'));
    let mut of_fork = command.clone();
    of_fork["issue"]["number"] = 13.into();
    for (mode, token) in [("auto", true), ("preview", true), ("publish", true), ("preview", false)] {
        let run = world.run("issue_comment", if token { &of_fork } else { &command }, '1', 101);
        let run = run.variable("GITBOOK_MODE", mode).variable("GITBOOK_EVENT", "pull_request");
        let run = run.variable("GITBOOK_PULL_REQUEST", "13").variable("GITBOOK_BRANCH", "fix");
        let ended = if token { run } else { run.variable("GITHUB_TOKEN", "") }.runs().await;
        assert_eq!(ended.code, Some(2), "{mode}: {}", ended.log());
        assert!(ended.stderr.contains("does not tell whether that comes from a fork"), "{}", ended.log());
    }
    // With its commit it is.
    let ended = by_comment(102).variable("GITBOOK_COMMIT", sha('3')).runs().await;
    assert_eq!(result(&ended), "skipped");
    insta::assert_snapshot!(log(&ended), @r#"
    exit 0
    info: preview: pull request #12 from `fix` was updated system="GitHub Actions" by=GITHUB_ACTIONS event="pull request updated" branch=fix pull_request=12 repository=github.com/acme/integrations commit=3333333333333333333333333333333333333333
    info: skipped `hello-fix` (`fix` has moved on to 1111111, whose own run publishes it, if it has one) milliseconds=…
    "#);

    let payload = json!({"schedule": "0 4 * * *", "repository": payloads::push("main", "")["repository"]});
    let nightly = world.run("schedule", &payload, '3', 103).variable("GITHUB_SHA", "a".repeat(40));
    let nightly = nightly.variable("GITBOOK_MODE", "preview").variable("GITBOOK_BRANCH", "fix");
    assert_eq!(result(&nightly.runs().await), "published");
}

#[tokio::test]
async fn a_branch_s_name_may_hold_anything_that_git_allows() {
    for branch in ["feature/x", "a\"b%2Fc&d=1#e", "日本/語"] {
        let world = world().await;
        world.forge.set_branch(branch, &sha('1'));
        assert_eq!(result(&world.push(branch, '1', 100).runs().await), "published", "{branch}");
        world.forge.set_branch(branch, &sha('2'));
        assert_eq!(result(&world.push(branch, '1', 101).runs().await), "skipped", "{branch}");
        world.forge.delete_branch(branch);
        assert_eq!(result(&world.delete(branch, 102).runs().await), "deleted", "{branch}");
        assert_eq!(world.sandbox.names(), [""; 0], "{branch}");
    }
}

/// A fork's pull request is asked for by its number: a branch of the same name here is not it.
#[tokio::test]
async fn a_fork_s_branch_is_not_ours() {
    let world = world().await;
    world.forge.set_branch("fix", &sha('2'));
    world.forge.open_pull_request(12, Head::fork("mona", "fix"), &sha('1'));
    let payload = |action| payloads::fork_pull_request(action, 12, "mona", "fix", &sha('1'));
    let ended = world.run("pull_request", &payload("opened"), '1', 100).runs().await;
    assert_eq!(result(&ended), "published");
    assert_eq!(asked(&world), ["pulls/12"; 2]);
    let [published] = &world.published()[..] else { panic!("one preview") };
    assert!(
        published.starts_with("hello-mona-fix-") && published.ends_with("commit 1, run 100"),
        "{published}"
    );
    world.forge.push_to_pull_request(12, &sha('3'));
    let ended = world.run("pull_request", &payload("synchronize"), '1', 101).runs().await;
    assert_eq!(result(&ended), "skipped");
    world.forge.close_pull_request(12);
    let ended = world.run("pull_request", &payload("closed"), '1', 102).runs().await;
    assert_eq!(result(&ended), "deleted");
    assert_eq!(world.sandbox.names(), [""; 0]);
}
