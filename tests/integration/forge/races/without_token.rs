//! The same races where the forge can't be asked: what the mark alone decides, and what is left to the sweep.

use super::{World, log, result, with_branch, with_pull_request};
use crate::support::Deployment;

/// The run without a token of the forge.
fn alone(run: Deployment) -> Deployment {
    run.variable("GITHUB_TOKEN", "")
}

async fn publishes(world: &World, commit: char, run: u64) {
    let ended = alone(world.pull_request("synchronize", commit, run)).runs().await;
    assert_eq!(result(&ended), "published");
}

/// The mark decides.
#[tokio::test]
async fn an_older_run_leaves_what_a_newer_one_published() {
    let world = with_pull_request().await;
    let mut gate = world.gitbook.hold("GET", "hello-fix");
    let older = alone(world.pull_request("opened", '1', 100)).starts();
    gate.reached().await;
    publishes(&world, '2', 101).await;
    gate.release();
    let older = older.ends().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped `hello-fix` (a newer run (101) has published this preview) (0.0 KiB, 0.1 s)
    ");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(world.forge.requests(), []);
}

/// The mark decides.
#[tokio::test]
async fn a_late_deletion_leaves_what_a_newer_run_published() {
    let world = with_pull_request().await;
    publishes(&world, '1', 100).await;
    let mut gate = world.gitbook.hold("GET", "hello-fix");
    let closed = alone(world.pull_request("closed", '1', 101)).starts();
    gate.reached().await;
    publishes(&world, '2', 102).await;
    gate.release();
    assert_eq!(result(&closed.ends().await), "skipped");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 102"]);
}

/// Only the forge could tell that it is open again: it is deleted, and published again with the next push.
#[tokio::test]
async fn a_late_deletion_takes_what_a_newer_run_found_unchanged() {
    let world = with_pull_request().await;
    publishes(&world, '1', 100).await;
    let mut gate = world.gitbook.hold("GET", "hello-fix");
    let closed = alone(world.pull_request("closed", '1', 101)).starts();
    gate.reached().await;
    let reopened = alone(world.pull_request("reopened", '1', 102)).runs().await;
    assert_eq!(result(&reopened), "unchanged");
    gate.release();
    assert_eq!(result(&closed.ends().await), "deleted");
    publishes(&world, '2', 103).await;
    assert_eq!(world.published(), ["hello-fix: commit 2, run 103"]);
}

/// Only the forge could tell that it was closed: the preview is left to the sweep.
#[tokio::test]
async fn what_is_published_after_its_branch_was_deleted_stays() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold("POST", "hello-fix");
    let push = alone(world.push("fix", '1', 100)).starts();
    gate.reached().await;
    world.forge.delete_branch("fix");
    assert_eq!(result(&alone(world.delete("fix", 101)).runs().await), "deleted");
    gate.release();
    assert_eq!(result(&push.ends().await), "published");
    assert_eq!(world.published(), ["hello-fix: commit 1, run 100"]);
    assert_eq!(world.forge.requests(), []);
}

/// Production has no mark, and only the forge could tell that its branch has moved on: the last one to publish wins.
#[tokio::test]
async fn an_older_run_publishes_to_production_over_a_newer_one() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold("POST", "hello");
    let older = alone(world.push("main", '1', 100)).starts();
    gate.reached().await;
    assert_eq!(result(&alone(world.push("main", '2', 101)).runs().await), "published");
    gate.release();
    assert_eq!(result(&older.ends().await), "published");
    assert_eq!(world.sandbox.integration("hello")["version"], 2);
}
