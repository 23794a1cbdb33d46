//! An older run and a newer run of the same branch.

use super::{log, result, set_up, sha, with_branch, with_pull_request};

#[tokio::test]
async fn skips_a_push_that_a_newer_commit_supersedes() {
    let environment = with_branch().await;
    let barrier = environment.forge.hold("GET", "/branches/fix");
    let older = environment.push("fix", '1', 100).start();
    barrier.reached().await;

    environment.forge.set_branch("fix", &sha('2'));
    let newer = environment.push("fix", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    barrier.release();
    let older = older.finish().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped hello-fix: superseded by 2222222 on `fix`; the run for that commit publishes it
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(environment.deployments(), ["gitbook preview: hello/fix, commit 2: in_progress, success"]);
}

#[tokio::test]
async fn skips_a_pull_request_run_that_a_newer_commit_supersedes() {
    let environment = with_pull_request().await;
    let barrier = environment.forge.hold("GET", "/pulls/12");
    let older = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;

    environment.forge.push_to_pull_request(12, &sha('2'));
    let newer = environment.pull_request("synchronize", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    let comment = environment.forge.comments(12);
    barrier.release();
    let older = older.finish().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped hello-fix: superseded by 2222222 on `fix`; the run for that commit publishes it
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(environment.comment(), ["hello-fix: ✅ published v1"]);
    assert_eq!(environment.forge.comments(12), comment);
}

#[tokio::test]
async fn skips_a_push_to_production_that_a_newer_commit_supersedes() {
    let environment = set_up().await;
    environment.forge.set_branch("main", &sha('1'));
    let barrier = environment.forge.hold("GET", "/branches/main");
    let older = environment.push("main", '1', 100).start();
    barrier.reached().await;

    environment.forge.set_branch("main", &sha('2'));
    let newer = environment.push("main", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    barrier.release();
    let older = older.finish().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    notice: not published to production: superseded by 2222222 on `main`; the run for that commit publishes it
    info: skipped hello: superseded by 2222222 on `main`; the run for that commit publishes it
    ");
    assert_eq!(environment.sandbox.integration("hello")["version"], 1);
    assert_eq!(environment.deployments(), ["gitbook: hello, commit 2: in_progress, success"]);
}

#[tokio::test]
async fn a_newer_run_replaces_the_preview_of_an_older_run() {
    let environment = with_branch().await;
    let older = environment.push("fix", '1', 100).run().await;
    assert_eq!(result(&older), "published");
    environment.forge.set_branch("fix", &sha('2'));
    let newer = environment.push("fix", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
}

/// The check of the older run is outdated: a newer commit was pushed after the forge's response.
#[tokio::test]
async fn keeps_the_preview_of_a_newer_run_after_an_outdated_check() {
    let environment = with_pull_request().await;
    let barrier = environment.forge.hold_response("GET", "/pulls/12");
    let older = environment.pull_request("opened", '1', 100).start();
    barrier.reached().await;

    environment.forge.push_to_pull_request(12, &sha('2'));
    let newer = environment.pull_request("synchronize", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    barrier.release();
    let older = older.finish().await;
    assert_eq!(result(&older), "skipped");
    insta::assert_snapshot!(log(&older), @"
    exit 0
    info: skipped hello-fix (0.0 KiB, … s): a newer run (101) has published this preview
    ");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
    assert_eq!(environment.comment(), ["hello-fix: ✅ published v1"]);
}

#[tokio::test]
async fn keeps_the_preview_of_a_newer_push() {
    let environment = with_branch().await;
    let mut barrier = environment.gitbook.hold("GET", "hello-fix");
    let older = environment.push("fix", '1', 100).start();
    barrier.reached().await;

    environment.forge.set_branch("fix", &sha('2'));
    let newer = environment.push("fix", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    barrier.release();
    assert_eq!(result(&older.finish().await), "skipped");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
}

/// GitHub may start the runs of two pushes in any order.
#[tokio::test]
async fn publishes_the_newer_commit_even_if_its_run_begins_first() {
    let environment = with_branch().await;
    environment.forge.set_branch("fix", &sha('2'));
    let barrier = environment.forge.hold("GET", "/branches/fix");
    let newer = environment.push("fix", '2', 101).start();
    barrier.reached().await;
    let older = environment.push("fix", '1', 100).run().await;
    assert_eq!(result(&older), "skipped");
    assert_eq!(environment.published(), Vec::<String>::new());
    barrier.release();
    assert_eq!(result(&newer.finish().await), "published");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
}

/// A rerun keeps the run number of the first run.
#[tokio::test]
async fn skips_a_rerun_of_an_older_run() {
    let environment = with_branch().await;
    let first = environment.push("fix", '1', 100).run().await;
    assert_eq!(result(&first), "published");
    environment.forge.set_branch("fix", &sha('2'));
    let newer = environment.push("fix", '2', 101).run().await;
    assert_eq!(result(&newer), "published");
    let again = environment.push("fix", '1', 100).run().await;
    assert_eq!(result(&again), "skipped");
    assert_eq!(environment.published(), ["hello-fix: commit 2, run 101"]);
}
