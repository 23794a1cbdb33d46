//! A branch or pull request is closed while its preview is being published.

use super::{World, log, result, sha, with_branch, with_pull_request};

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn what_is_published_after_its_pull_request_was_closed_is_deleted_by_the_same_run() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold("POST", "hello-fix");
    let opened = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;

    world.forge.close_pull_request(12);
    let closed = world.pull_request("closed", '1', 101).runs().await;
    assert_eq!(result(&closed), "deleted");
    insta::assert_snapshot!(log(&closed), @"
    exit 0
    info: deleted `hello-fix` (it was not there) (0.0 s)
    ");
    gate.release();
    let opened = opened.ends().await;
    assert_eq!(result(&opened), "deleted");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published `hello-fix` v1 (0.0 KiB, 0.1 s) file:///tmp/.tmpAWFxhd/hello-fix/
    info: pull request #12 is closed: deleting the published previews
    info: deleted `hello-fix` (0.0 s)
    info: updated the comment on pull request #12
    ");
    assert_eq!(world.published(), NOTHING);
    assert_eq!(world.comment(), ["hello-fix: 🗑️ removed"]);
    is_inactive(&world);
}

/// Both runs delete it, and neither minds.
#[tokio::test]
async fn what_was_deleted_meanwhile_is_not_deleted_again() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold_answer("POST", "hello-fix");
    let opened = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;
    assert_eq!(world.published(), ["hello-fix: commit 1, run 100"]);

    world.forge.close_pull_request(12);
    let closed = world.pull_request("closed", '1', 101).runs().await;
    assert_eq!(result(&closed), "deleted");
    assert_eq!(world.published(), NOTHING);
    gate.release();
    let opened = opened.ends().await;
    assert_eq!(result(&opened), "deleted");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published `hello-fix` v1 (0.0 KiB, 0.1 s) file:///tmp/.tmpQwFXdG/hello-fix/
    info: pull request #12 is closed: deleting the published previews
    info: deleted `hello-fix` (it was not there) (0.0 s)
    ");
    assert_eq!(world.published(), NOTHING);
    assert_eq!(world.comment(), ["hello-fix: 🗑️ removed"]);
    is_inactive(&world);
}

#[tokio::test]
async fn what_is_published_after_its_branch_was_deleted_is_deleted_by_the_same_run() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold("POST", "hello-fix");
    let push = world.push("fix", '1', 100).starts();
    gate.reached().await;

    world.forge.delete_branch("fix");
    let deleted = world.delete("fix", 101).runs().await;
    assert_eq!(result(&deleted), "deleted");
    gate.release();
    let push = push.ends().await;
    assert_eq!(result(&push), "deleted");
    insta::assert_snapshot!(log(&push), @"
    exit 0
    info: published `hello-fix` v1 (0.0 KiB, 0.0 s) file:///tmp/.tmphja52P/hello-fix/
    info: branch `fix` was deleted: deleting the published previews
    info: deleted `hello-fix` (0.0 s)
    ");
    assert_eq!(world.published(), NOTHING);
    is_inactive(&world);
}

/// The old name leads to the new one, at which there is the same commit.
#[tokio::test]
async fn a_branch_that_is_renamed_meanwhile_is_gone() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold("POST", "hello-fix");
    let push = world.push("fix", '1', 100).starts();
    gate.reached().await;
    world.forge.rename_branch("fix", "fixed");
    gate.release();
    assert_eq!(result(&push.ends().await), "deleted");
    assert_eq!(world.published(), NOTHING);
}

/// Nothing has changed, so that nothing was published; the preview of the run before must go all the same.
#[tokio::test]
async fn what_is_found_unchanged_after_its_pull_request_was_closed_is_deleted() {
    let world = with_pull_request().await;
    let first = world.pull_request("opened", '1', 100).runs().await;
    assert_eq!(result(&first), "published");
    let mut gate = world.gitbook.hold_answer("GET", "hello-fix");
    let again = world.pull_request("ready_for_review", '1', 101).starts();
    gate.reached().await;
    world.forge.close_pull_request(12);
    gate.release();
    let again = again.ends().await;
    assert_eq!(result(&again), "deleted");
    insta::assert_snapshot!(log(&again), @"
    exit 0
    info: unchanged `hello-fix` v1 (0.0 KiB, 0.0 s) file:///tmp/.tmpwqgxCe/hello-fix/
    info: pull request #12 is closed: deleting the published previews
    info: deleted `hello-fix` (0.0 s)
    info: updated the comment on pull request #12
    ");
    assert_eq!(world.published(), NOTHING);
    assert_eq!(world.comment(), ["hello-fix: 🗑️ removed"]);
    is_inactive(&world);
}

#[tokio::test]
async fn what_was_closed_before_is_not_published_at_all() {
    let world = with_pull_request().await;
    let gate = world.forge.hold("GET", "/pulls/12");
    let opened = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;
    world.forge.merge_pull_request(12);
    let closed = world.pull_request("closed", '1', 101).runs().await;
    assert_eq!(result(&closed), "deleted");
    gate.release();
    let opened = opened.ends().await;
    assert_eq!(result(&opened), "skipped");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: skipped `hello-fix` (pull request #12 is closed) (0.0 s)
    ");
    assert_eq!(world.published(), NOTHING);
    assert_eq!(world.deployments(), NOTHING);
    assert_eq!(world.comment(), NOTHING);

    let world = with_branch().await;
    let gate = world.forge.hold("GET", "/branches/fix");
    let push = world.push("fix", '1', 100).starts();
    gate.reached().await;
    world.forge.delete_branch("fix");
    gate.release();
    assert_eq!(result(&push.ends().await), "skipped");
    assert_eq!(world.published(), NOTHING);
}

/// The publishing run asked before it was closed, and comments after the other run found no comment to change.
#[tokio::test]
async fn the_comment_does_not_tell_of_a_preview_that_is_gone() {
    let world = with_pull_request().await;
    let gate = world.forge.hold("POST", "/issues/12/comments");
    let opened = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;

    world.forge.close_pull_request(12);
    let closed = world.pull_request("closed", '1', 101).runs().await;
    assert_eq!(result(&closed), "deleted");
    gate.release();
    opened.ends().await;
    assert_eq!(world.published(), NOTHING);
    assert_eq!(world.comment(), ["hello-fix: 🗑️ removed"]);
}

/// Three runs at once: the first says `success` after the others are done.
#[tokio::test]
async fn no_deployment_stays_active_when_its_success_is_told_late() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold_answer("POST", "hello-fix");
    let older = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;
    world.forge.push_to_pull_request(12, &sha('2'));
    let newer = world.pull_request("synchronize", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    world.forge.close_pull_request(12);
    let closed = world.pull_request("closed", '2', 102).runs().await;
    assert_eq!(result(&closed), "deleted");
    gate.release();
    assert_eq!(result(&older.ends().await), "deleted");
    assert_eq!(world.published(), NOTHING);
    is_inactive(&world);
}

/// The deletion and what came before it have ended all of the deployments.
#[track_caller]
fn is_inactive(world: &World) {
    let deployments = world.deployments();
    assert!(!deployments.is_empty());
    assert!(deployments.iter().all(|deployment| deployment.ends_with("inactive")), "{deployments:#?}");
}

#[tokio::test]
async fn a_preview_of_a_newer_run_is_not_deleted_with_what_was_closed_before() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold_answer("POST", "hello-fix");
    let older = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;
    world.forge.close_pull_request(12);
    // The older run is told that it is closed, and that is old news by the time it hears.
    let asked = world.forge.hold_answer("GET", "/pulls/12");
    gate.release();
    asked.reached().await;
    world.forge.reopen_pull_request(12);
    world.forge.push_to_pull_request(12, &sha('2'));
    let newer = world.pull_request("reopened", '2', 102).runs().await;
    assert_eq!(result(&newer), "published");
    asked.release();
    let older = older.ends().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: published `hello-fix` v1 (0.0 KiB, 0.0 s) file:///tmp/.tmpH9BTeA/hello-fix/
    info: pull request #12 is closed: deleting the published previews
    info: skipped `hello-fix` (a newer run (102) has published this preview) (0.0 s)
    ");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 102"]);
    assert_eq!(world.comment(), ["hello-fix: ✅ published v2"]);
}
