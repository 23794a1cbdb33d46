//! Races without a forge token. Ownership markers protect newer previews, and a later sweep deletes leftover previews.

use super::{TestEnvironment, log, result, with_branch, with_pull_request};
use crate::support::Deployment;

/// Unsets the forge token.
fn without_forge_token(run: Deployment) -> Deployment {
    run.variable("GITHUB_TOKEN", "")
}

async fn assert_publishes(environment: &TestEnvironment, commit: char, run: u64) {
    let finished = without_forge_token(environment.pull_request("synchronize", commit, run)).run().await;
    assert_eq!(result(&finished), "published");
}

/// The ownership marker names a newer run, so the older run does not change the preview.
#[tokio::test]
async fn an_older_run_keeps_the_preview_of_a_newer_run() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let older = without_forge_token(environment.pull_request("opened", '1', 100)).start();
    barrier.reached().await;
    assert_publishes(&environment, '2', 101).await;
    barrier.release();
    let older = older.finish().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped hello-fix (0.0 KiB, … s): a newer run (101) has published this preview
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(environment.forge.requests(), []);
}

/// The ownership marker names a newer run, so the older run does not change the preview.
#[tokio::test]
async fn a_late_deletion_keeps_the_preview_of_a_newer_run() {
    let environment = with_pull_request().await;
    assert_publishes(&environment, '1', 100).await;
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let closed = without_forge_token(environment.pull_request("closed", '1', 101)).start();
    barrier.reached().await;
    assert_publishes(&environment, '2', 102).await;
    barrier.release();
    assert_eq!(result(&closed.finish().await), "skipped");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 102"]);
}

/// Without the forge, the run cannot know that the pull request was reopened. It deletes the preview; the next push publishes the
/// preview again.
#[tokio::test]
async fn a_late_deletion_deletes_the_preview_of_a_reopened_pull_request() {
    let environment = with_pull_request().await;
    assert_publishes(&environment, '1', 100).await;
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let closed = without_forge_token(environment.pull_request("closed", '1', 101)).start();
    barrier.reached().await;
    let reopened = without_forge_token(environment.pull_request("reopened", '1', 102)).run().await;
    assert_eq!(result(&reopened), "unchanged");
    barrier.release();
    assert_eq!(result(&closed.finish().await), "deleted");
    assert_publishes(&environment, '2', 103).await;
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 103"]);
}

/// Without the forge, the run cannot know that its branch was deleted. A later sweep deletes the preview.
#[tokio::test]
async fn publishes_the_preview_of_a_branch_that_was_deleted_meanwhile() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("POST", "hello-fix");
    let push = without_forge_token(environment.push("fix", '1', 100)).start();
    barrier.reached().await;
    environment.forge.delete_branch("fix");
    assert_eq!(result(&without_forge_token(environment.delete("fix", 101)).run().await), "deleted");
    barrier.release();
    assert_eq!(result(&push.finish().await), "published");
    assert_eq!(environment.published(), ["hello-fix: commit 1, run 100"]);
    assert_eq!(environment.forge.requests(), []);
}

/// Production has no ownership marker, and only the forge knows the newest commit.
#[tokio::test]
async fn without_a_forge_token_the_last_run_wins_in_production() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("POST", "hello");
    let older = without_forge_token(environment.push("main", '1', 100)).start();
    barrier.reached().await;
    assert_eq!(result(&without_forge_token(environment.push("main", '2', 101)).run().await), "published");
    barrier.release();
    assert_eq!(result(&older.finish().await), "published");
    assert_eq!(environment.sandbox.integration("hello")["version"], 2);
}
