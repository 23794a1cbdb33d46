//! What was closed is open again by the time its preview would be deleted.

use fake_github::Head;

use super::{log, result, sha, with_branch, with_pull_request};

const FIRST: [&str; 1] = ["hello-fix: commit 1, run 100"];

#[tokio::test]
async fn nothing_is_deleted_late_once_a_newer_run_has_published() {
    let world = with_pull_request().await;
    assert_eq!(result(&world.pull_request("opened", '1', 100).runs().await), "published");
    world.forge.close_pull_request(12);
    let gate = world.forge.hold("GET", "/pulls/12");
    let closed = world.pull_request("closed", '1', 101).starts();
    gate.reached().await;

    world.forge.reopen_pull_request(12);
    world.forge.push_to_pull_request(12, &sha('2'));
    let reopened = world.pull_request("reopened", '2', 102).runs().await;
    assert_eq!(result(&reopened), "published");
    gate.release();
    let closed = closed.ends().await;
    assert_eq!(result(&closed), "skipped");
    insta::assert_snapshot!(log(&closed), @"
    exit 0
    info: skipped `hello-fix` (pull request #12 is open again) (0.0 s)
    ");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 102"]);
    assert_eq!(world.comment(), ["hello-fix: ✅ published v2"]);
    let of_the_newest = world.deployments().pop().unwrap();
    assert!(of_the_newest.ends_with("success"), "{of_the_newest}");
}

/// The mark still names the run before the pull request was closed.
#[tokio::test]
async fn nothing_is_deleted_late_once_a_newer_run_has_found_it_unchanged() {
    let world = with_pull_request().await;
    assert_eq!(result(&world.pull_request("opened", '1', 100).runs().await), "published");
    world.forge.close_pull_request(12);
    let gate = world.forge.hold("GET", "/pulls/12");
    let closed = world.pull_request("closed", '1', 101).starts();
    gate.reached().await;

    world.forge.reopen_pull_request(12);
    let reopened = world.pull_request("reopened", '1', 102).runs().await;
    assert_eq!(result(&reopened), "unchanged");
    gate.release();
    let closed = closed.ends().await;
    assert_eq!(result(&closed), "skipped");
    assert_eq!(world.published(), FIRST);
    assert_eq!(world.comment(), ["hello-fix: ✅ published v1"]);
    assert!(world.deployments().iter().all(|deployment| deployment.ends_with("success")));
}

#[tokio::test]
async fn nothing_is_deleted_late_of_a_branch_that_is_there_again() {
    let world = with_branch().await;
    assert_eq!(result(&world.push("fix", '1', 100).runs().await), "published");
    world.forge.delete_branch("fix");
    let gate = world.forge.hold("GET", "/branches/fix");
    let deleted = world.delete("fix", 101).starts();
    gate.reached().await;

    world.forge.set_branch("fix", &sha('1'));
    let again = world.push("fix", '1', 102).runs().await;
    assert_eq!(result(&again), "unchanged");
    gate.release();
    let deleted = deleted.ends().await;
    assert_eq!(result(&deleted), "skipped");
    insta::assert_snapshot!(log(&deleted), @"
    exit 0
    info: skipped `hello-fix` (branch `fix` exists again) (0.0 s)
    ");
    assert_eq!(world.published(), FIRST);
}

/// The forge was asked before the branch came back, so that only the newer run's mark is left to tell.
#[tokio::test]
async fn nothing_is_deleted_late_on_old_news_of_the_forge() {
    let world = with_branch().await;
    assert_eq!(result(&world.push("fix", '1', 100).runs().await), "published");
    world.forge.delete_branch("fix");
    let mut gate = world.gitbook.hold("GET", "hello-fix");
    let deleted = world.delete("fix", 101).starts();
    gate.reached().await;

    world.forge.set_branch("fix", &sha('2'));
    let again = world.push("fix", '2', 102).runs().await;
    assert_eq!(result(&again), "published");
    gate.release();
    let deleted = deleted.ends().await;
    assert_eq!(result(&deleted), "skipped");
    insta::assert_snapshot!(log(&deleted), @"
    exit 0
    info: skipped `hello-fix` (a newer run (102) has published this preview) (0.1 s)
    ");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 102"]);
}

/// Who closes a pull request and opens another one from the same branch has not closed what the preview is of.
#[tokio::test]
async fn nothing_is_deleted_late_once_another_pull_request_is_open_from_the_branch() {
    let world = with_pull_request().await;
    assert_eq!(result(&world.pull_request("opened", '1', 100).runs().await), "published");
    world.forge.close_pull_request(12);
    let gate = world.forge.hold("GET", "/pulls/12");
    let closed = world.pull_request("closed", '1', 101).starts();
    gate.reached().await;

    world.forge.open_pull_request(13, Head::own("fix"), &sha('1'));
    let opened = world.numbered(13, "opened", '1', 102).runs().await;
    assert_eq!(result(&opened), "unchanged");
    gate.release();
    let closed = closed.ends().await;
    assert_eq!(result(&closed), "skipped");
    insta::assert_snapshot!(log(&closed), @"
    exit 0
    info: skipped `hello-fix` (pull request #13 is open from the same branch) (0.0 s)
    ");
    assert_eq!(world.published(), FIRST);
    world.forge.close_pull_request(13);
    assert_eq!(result(&world.numbered(13, "closed", '1', 103).runs().await), "deleted");
    assert_eq!(world.sandbox.names(), [""; 0]);
}

#[tokio::test]
async fn what_was_just_published_stays_while_another_pull_request_is_open_from_the_branch() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold("POST", "hello-fix");
    let opened = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;
    world.forge.open_pull_request(13, Head::own("fix"), &sha('1'));
    world.forge.close_pull_request(12);
    gate.release();
    let opened = opened.ends().await;
    assert_eq!(result(&opened), "published");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published `hello-fix` v1 (0.0 KiB, 0.0 s) file:///tmp/.tmp03a5zV/hello-fix/
    info: pull request #12 is closed, and pull request #13 is open from the same branch
    info: updated the comment on pull request #12
    ");
    assert_eq!(world.published(), FIRST);
}

/// There each has a preview of its own.
#[tokio::test]
async fn a_number_in_the_name_tells_two_pull_requests_of_one_branch_apart() {
    let world = with_pull_request().await;
    world.forge.open_pull_request(13, Head::own("fix"), &sha('1'));
    let by_number = |number, action, run| {
        let run = world.numbered(number, action, '1', run);
        run.variable("GITBOOK_PREVIEW_NAME", "{name}-pr-{pr}").runs()
    };
    assert_eq!(result(&by_number(12, "opened", 100).await), "published");
    assert_eq!(result(&by_number(13, "opened", 101).await), "published");
    assert_eq!(world.sandbox.names(), ["hello-pr-12", "hello-pr-13"]);
    world.forge.close_pull_request(12);
    assert_eq!(result(&by_number(12, "closed", 102).await), "deleted");
    assert_eq!(world.sandbox.names(), ["hello-pr-13"]);
}

#[tokio::test]
async fn by_hand_the_preview_of_what_is_open_is_deleted_all_the_same() {
    let world = with_pull_request().await;
    assert_eq!(result(&world.pull_request("opened", '1', 100).runs().await), "published");
    let by_hand = world.pull_request("labeled", '1', 101).variable("GITBOOK_MODE", "delete");
    let by_hand = by_hand.runs().await;
    assert_eq!(result(&by_hand), "deleted");
    insta::assert_snapshot!(log(&by_hand), @"
    exit 0
    info: deleted `hello-fix` (0.0 s)
    info: updated the comment on pull request #12
    ");
    assert_eq!(world.sandbox.names(), Vec::<String>::new());
    assert_eq!(world.comment(), ["hello-fix: 🗑️ removed"]);

    let world = with_branch().await;
    assert_eq!(result(&world.push("fix", '1', 100).runs().await), "published");
    let by_hand = world.push("main", '1', 101).variable("GITBOOK_MODE", "delete");
    assert_eq!(result(&by_hand.variable("GITBOOK_BRANCH", "fix").runs().await), "deleted");
    assert_eq!(world.sandbox.names(), Vec::<String>::new());
}
