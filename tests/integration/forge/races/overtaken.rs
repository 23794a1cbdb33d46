//! An older run meets a newer one of the same branch.

use super::{log, result, sha, with_branch, with_pull_request, world};

#[tokio::test]
async fn an_older_push_is_skipped_once_its_branch_has_moved_on() {
    let world = with_branch().await;
    let gate = world.forge.hold("GET", "/branches/fix");
    let older = world.push("fix", '1', 100).starts();
    gate.reached().await;

    world.forge.set_branch("fix", &sha('2'));
    let newer = world.push("fix", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    gate.release();
    let older = older.ends().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped `hello-fix` (superseded by 2222222 on `fix`; the run for that commit publishes it) (0.0 s)
    ");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(world.deployments(), ["gitbook preview: hello/fix, commit 2: in_progress, success"]);
}

#[tokio::test]
async fn an_older_run_of_a_pull_request_is_skipped_once_that_has_moved_on() {
    let world = with_pull_request().await;
    let gate = world.forge.hold("GET", "/pulls/12");
    let older = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;

    world.forge.push_to_pull_request(12, &sha('2'));
    let newer = world.pull_request("synchronize", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    let comment = world.forge.comments(12);
    gate.release();
    let older = older.ends().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped `hello-fix` (superseded by 2222222 on `fix`; the run for that commit publishes it) (0.0 s)
    ");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(world.comment(), ["hello-fix: ✅ published v1"]);
    assert_eq!(world.forge.comments(12), comment);
}

#[tokio::test]
async fn an_older_push_to_production_is_skipped_once_that_has_moved_on() {
    let world = world().await;
    world.forge.set_branch("main", &sha('1'));
    let gate = world.forge.hold("GET", "/branches/main");
    let older = world.push("main", '1', 100).starts();
    gate.reached().await;

    world.forge.set_branch("main", &sha('2'));
    let newer = world.push("main", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    gate.release();
    let older = older.ends().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    notice: not published to production: superseded by 2222222 on `main`; the run for that commit publishes it
    info: skipped `hello` (superseded by 2222222 on `main`; the run for that commit publishes it) (0.0 s)
    ");
    assert_eq!(world.sandbox.integration("hello")["version"], 1);
    assert_eq!(world.deployments(), ["gitbook: hello, commit 2: in_progress, success"]);
}

#[tokio::test]
async fn a_newer_run_is_not_kept_from_publishing_by_an_older_one() {
    let world = with_branch().await;
    let older = world.push("fix", '1', 100).runs().await;
    assert_eq!(result(&older), "published");
    world.forge.set_branch("fix", &sha('2'));
    let newer = world.push("fix", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
}

/// The older run was told that its commit is the tip, and what it was told is old news by then.
#[tokio::test]
async fn the_newer_run_s_mark_wins_where_the_forge_was_asked_too_early() {
    let world = with_pull_request().await;
    let gate = world.forge.hold_answer("GET", "/pulls/12");
    let older = world.pull_request("opened", '1', 100).starts();
    gate.reached().await;

    world.forge.push_to_pull_request(12, &sha('2'));
    let newer = world.pull_request("synchronize", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    gate.release();
    let older = older.ends().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped `hello-fix` (a newer run (101) has published this preview) (0.0 KiB, 0.0 s)
    ");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(world.comment(), ["hello-fix: ✅ published v1"]);
}

#[tokio::test]
async fn the_newer_run_s_mark_wins_on_a_branch_too() {
    let world = with_branch().await;
    let mut gate = world.gitbook.hold("GET", "hello-fix");
    let older = world.push("fix", '1', 100).starts();
    gate.reached().await;

    world.forge.set_branch("fix", &sha('2'));
    let newer = world.push("fix", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    gate.release();
    assert_eq!(result(&older.ends().await), "skipped");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
}

/// GitHub starts the runs of two pushes in any order.
#[tokio::test]
async fn the_newer_commit_is_published_though_its_run_begins_first() {
    let world = with_branch().await;
    world.forge.set_branch("fix", &sha('2'));
    let gate = world.forge.hold("GET", "/branches/fix");
    let newer = world.push("fix", '2', 101).starts();
    gate.reached().await;
    let older = world.push("fix", '1', 100).runs().await;
    assert_eq!(result(&older), "skipped");
    assert_eq!(world.published(), Vec::<String>::new());
    gate.release();
    assert_eq!(result(&newer.ends().await), "published");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
}

/// A run that is started again has the number that it had.
#[tokio::test]
async fn an_older_run_that_is_started_again_is_skipped() {
    let world = with_branch().await;
    let first = world.push("fix", '1', 100).runs().await;
    assert_eq!(result(&first), "published");
    world.forge.set_branch("fix", &sha('2'));
    let newer = world.push("fix", '2', 101).runs().await;
    assert_eq!(result(&newer), "published");
    let again = world.push("fix", '1', 100).runs().await;
    assert_eq!(result(&again), "skipped");
    assert_eq!(world.published(), ["hello-fix: commit 2, run 101"]);
}
