//! Races without a token for the forge: the marker decides, and the sweep does the rest.

use super::{TestEnvironment, log, result, with_branch, with_pull_request};
use crate::support::Deployment;

/// Removes the token of the forge.
fn without_forge_token(run: Deployment) -> Deployment {
    run.variable("GITHUB_TOKEN", "")
}

async fn publishes(environment: &TestEnvironment, commit: char, run: u64) {
    let finished = without_forge_token(environment.pull_request("synchronize", commit, run)).run().await;
    assert_eq!(result(&finished), "published");
}

/// The marker decides.
#[tokio::test]
async fn an_older_run_keeps_the_preview_of_a_newer_run() {
    let environment = with_pull_request().await;
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let older = without_forge_token(environment.pull_request("opened", '1', 100)).start();
    barrier.reached().await;
    publishes(&environment, '2', 101).await;
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

/// The marker decides.
#[tokio::test]
async fn a_late_deletion_keeps_the_preview_of_a_newer_run() {
    let environment = with_pull_request().await;
    publishes(&environment, '1', 100).await;
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let closed = without_forge_token(environment.pull_request("closed", '1', 101)).start();
    barrier.reached().await;
    publishes(&environment, '2', 102).await;
    barrier.release();
    assert_eq!(result(&closed.finish().await), "skipped");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 102"]);
}

/// Only the forge knows that the branch is open again: the preview is deleted, and the next push publishes
/// it.
#[tokio::test]
async fn a_late_deletion_deletes_an_unchanged_preview() {
    let environment = with_pull_request().await;
    publishes(&environment, '1', 100).await;
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let closed = without_forge_token(environment.pull_request("closed", '1', 101)).start();
    barrier.reached().await;
    let reopened = without_forge_token(environment.pull_request("reopened", '1', 102)).run().await;
    assert_eq!(result(&reopened), "unchanged");
    barrier.release();
    assert_eq!(result(&closed.finish().await), "deleted");
    publishes(&environment, '2', 103).await;
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 103"]);
}

/// Only the forge knows that the branch was closed: the sweep deletes the preview.
#[tokio::test]
async fn a_preview_of_a_deleted_branch_is_left_to_the_sweep() {
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

/// Production has no marker, and only the forge knows the newest commit: the last run wins.
#[tokio::test]
async fn the_last_run_wins_in_production() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("POST", "hello");
    let older = without_forge_token(environment.push("main", '1', 100)).start();
    barrier.reached().await;
    assert_eq!(result(&without_forge_token(environment.push("main", '2', 101)).run().await), "published");
    barrier.release();
    assert_eq!(result(&older.finish().await), "published");
    assert_eq!(environment.sandbox.integration("hello")["version"], 2);
}
