//! A branch or pull request is closed while its preview is being published.

use super::{TestEnvironment, log, result, sha, with_branch, with_pull_request};

const NO_ENTRIES: [&str; 0] = [];

#[tokio::test]
async fn deletes_a_preview_if_its_pull_request_was_closed() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold("POST", "hello-fix");
    let opened = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;

    environment.forge.close_pull_request(12);
    let closed = environment.pull_request("closed", '1', 101).run().await;
    assert_eq!(result(&closed), "deleted");
    insta::assert_snapshot!(log(&closed), @"
    exit 0
    info: deleted hello-fix (… s): already deleted
    ");
    barrier.release();
    let opened = opened.finish().await;
    assert_eq!(result(&opened), "deleted");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published hello-fix v1 (0.0 KiB, … s)
    info: pull request #12 is closed: deleting the published previews
    info: deleted hello-fix (… s)
    info: updated the comment on pull request #12
    ");
    assert_eq!(environment.published(), NO_ENTRIES);
    assert_eq!(environment.comment(), ["hello-fix: 🗑️ deleted"]);
    assert_all_inactive(&environment);
}

/// Both runs delete the preview, and both succeed.
#[tokio::test]
async fn two_runs_may_delete_the_same_preview() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold_response("POST", "hello-fix");
    let opened = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;
    assert_eq!(environment.published(), ["hello-fix: commit 1, run 100"]);

    environment.forge.close_pull_request(12);
    let closed = environment.pull_request("closed", '1', 101).run().await;
    assert_eq!(result(&closed), "deleted");
    assert_eq!(environment.published(), NO_ENTRIES);
    barrier.release();
    let opened = opened.finish().await;
    assert_eq!(result(&opened), "deleted");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: published hello-fix v1 (0.0 KiB, … s)
    info: pull request #12 is closed: deleting the published previews
    info: deleted hello-fix (… s): already deleted
    ");
    assert_eq!(environment.published(), NO_ENTRIES);
    assert_eq!(environment.comment(), ["hello-fix: 🗑️ deleted"]);
    assert_all_inactive(&environment);
}

#[tokio::test]
async fn deletes_a_preview_if_its_branch_was_deleted() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("POST", "hello-fix");
    let push = environment.push("fix", '1', 100).start();
    barrier.reached().await;

    environment.forge.delete_branch("fix");
    let deleted = environment.delete("fix", 101).run().await;
    assert_eq!(result(&deleted), "deleted");
    barrier.release();
    let push = push.finish().await;
    assert_eq!(result(&push), "deleted");
    insta::assert_snapshot!(log(&push), @"
    exit 0
    info: published hello-fix v1 (0.0 KiB, … s)
    info: branch `fix` was deleted: deleting the published previews
    info: deleted hello-fix (… s)
    ");
    assert_eq!(environment.published(), NO_ENTRIES);
    assert_all_inactive(&environment);
}

/// GitHub redirects requests for the old branch name to the new name, which has the same commit.
#[tokio::test]
async fn deletes_a_preview_if_its_branch_was_renamed() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("POST", "hello-fix");
    let push = environment.push("fix", '1', 100).start();
    barrier.reached().await;
    environment.forge.rename_branch("fix", "fixed");
    barrier.release();
    assert_eq!(result(&push.finish().await), "deleted");
    assert_eq!(environment.published(), NO_ENTRIES);
}

/// The second run has no changes to publish. It must still delete the preview, which an earlier run published.
#[tokio::test]
async fn deletes_an_unchanged_preview_if_its_pull_request_was_closed() {
    let environment = with_pull_request().await;
    let first = environment.pull_request("opened", '1', 100).run().await;
    assert_eq!(result(&first), "published");
    let mut barrier = environment.gitbook.hold_response("GET", "hello-fix");
    let again = environment.pull_request("ready_for_review", '1', 101).start();
    barrier.reached().await;
    environment.forge.close_pull_request(12);
    barrier.release();
    let again = again.finish().await;
    assert_eq!(result(&again), "deleted");
    insta::assert_snapshot!(log(&again), @"
    exit 0
    info: unchanged hello-fix v1 (0.0 KiB, … s)
    info: pull request #12 is closed: deleting the published previews
    info: deleted hello-fix (… s)
    info: updated the comment on pull request #12
    ");
    assert_eq!(environment.published(), NO_ENTRIES);
    assert_eq!(environment.comment(), ["hello-fix: 🗑️ deleted"]);
    assert_all_inactive(&environment);
}

#[tokio::test]
async fn does_not_publish_a_closed_pull_request() {
    let environment = with_pull_request().await;
    let barrier = environment.forge.hold("GET", "/pulls/12");
    let opened = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;
    environment.forge.merge_pull_request(12);
    let closed = environment.pull_request("closed", '1', 101).run().await;
    assert_eq!(result(&closed), "deleted");
    barrier.release();
    let opened = opened.finish().await;
    assert_eq!(result(&opened), "skipped");
    insta::assert_snapshot!(log(&opened), @"
    exit 0
    info: skipped hello-fix: pull request #12 is closed
    ");
    assert_eq!(environment.published(), NO_ENTRIES);
    assert_eq!(environment.deployments(), NO_ENTRIES);
    assert_eq!(environment.comment(), NO_ENTRIES);

    let environment = with_branch().await;
    let barrier = environment.forge.hold("GET", "/branches/fix");
    let push = environment.push("fix", '1', 100).start();
    barrier.reached().await;
    environment.forge.delete_branch("fix");
    barrier.release();
    assert_eq!(result(&push.finish().await), "skipped");
    assert_eq!(environment.published(), NO_ENTRIES);
}

/// The publishing run checks the pull request before it is closed, and creates its comment after the deleting run has looked
/// for one.
#[tokio::test]
async fn the_comment_shows_a_deleted_preview_as_removed() {
    let environment = with_pull_request().await;
    let barrier = environment.forge.hold("POST", "/issues/12/comments");
    let opened = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;

    environment.forge.close_pull_request(12);
    let closed = environment.pull_request("closed", '1', 101).run().await;
    assert_eq!(result(&closed), "deleted");
    barrier.release();
    opened.finish().await;
    assert_eq!(environment.published(), NO_ENTRIES);
    assert_eq!(environment.comment(), ["hello-fix: 🗑️ deleted"]);
}

/// The oldest of three concurrent runs sends the status `success` after the two other runs have finished.
#[tokio::test]
async fn a_late_success_leaves_no_active_deployment() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold_response("POST", "hello-fix");
    let older = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;
    environment.forge.push_to_pull_request(12, &sha('2'));
    let newer = environment.pull_request("synchronize", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    environment.forge.close_pull_request(12);
    let closed = environment.pull_request("closed", '2', 102).run().await;
    assert_eq!(result(&closed), "deleted");
    barrier.release();
    assert_eq!(result(&older.finish().await), "deleted");
    assert_eq!(environment.published(), NO_ENTRIES);
    assert_all_inactive(&environment);
}

/// Asserts that all GitHub Deployments are inactive.
#[track_caller]
fn assert_all_inactive(environment: &TestEnvironment) {
    let deployments = environment.deployments();
    assert!(!deployments.is_empty());
    assert!(deployments.iter().all(|deployment| deployment.ends_with("inactive")), "{deployments:#?}");
}

#[tokio::test]
async fn keeps_the_preview_of_a_newer_run_after_reopening() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold_response("POST", "hello-fix");
    let older = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;
    environment.forge.close_pull_request(12);
    // The older run receives the state `closed` after the pull request was reopened.
    let received = environment.forge.hold_response("GET", "/pulls/12");
    barrier.release();
    received.reached().await;
    environment.forge.reopen_pull_request(12);
    environment.forge.push_to_pull_request(12, &sha('2'));
    let newer = environment.pull_request("reopened", '2', 102).run().await;
    assert_eq!(result(&newer), "published");
    received.release();
    let older = older.finish().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: published hello-fix v1 (0.0 KiB, … s)
    info: pull request #12 is closed: deleting the published previews
    info: skipped hello-fix (… s): a newer run (102) has published this preview
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 102"]);
    assert_eq!(environment.comment(), ["hello-fix: ✅ published v2"]);
}
