//! Concurrent jobs that write one comment.

use super::super::on_pull_request;
use super::{MARKER, assert_success, set_up, visible_comment};
use crate::support::repository;

/// Each job of a matrix deploys one integration, and all jobs finish at about the same time.
#[tokio::test]
async fn concurrent_jobs_keep_all_comment_rows() {
    let (gitbook, forge) = set_up().await;
    let names = ["a", "b", "c", "d", "e", "f"];
    let folder = names.iter().fold(repository(), |repository, name| repository.integration(name));
    forge.latency(std::time::Duration::from_millis(60));
    let jobs = names.map(|name| {
        on_pull_request("opened", '1', 100, &gitbook, &forge)
            .variable("GITBOOK_INTEGRATIONS", name)
            .folder(&folder)
            .run()
    });
    for finished in futures::future::join_all(jobs).await {
        assert_success(&finished);
    }
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | a-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    | b-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    | c-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    | d-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    | e-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    | f-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    ");
}

/// The first job overwrites the row of the second job with an outdated comment. The second job then restores its row.
#[tokio::test]
async fn a_job_restores_its_overwritten_comment_row() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("a").integration("b");
    let job = |name: &str, run: u64| {
        on_pull_request("opened", '1', run, &gitbook, &forge)
            .variable("GITBOOK_INTEGRATIONS", name)
            .folder(&folder)
    };
    forge.comment_by("github-actions[bot]", 12, MARKER);
    let barrier = forge.hold("PATCH", "/issues/comments/");
    let first = job("a", 100).start();
    barrier.reached().await;
    // The second job reads, writes and rereads the comment; then the first job overwrites the comment.
    let settling = forge.hold_response("GET", "/issues/12/comments");
    let second = job("b", 100).start();
    settling.reached().await;
    settling.release();
    crate::support::wait_until("the second job has written its row", async || {
        forge.comments(12)[0].body.contains("name=b-fix")
    })
    .await;
    barrier.release();
    crate::support::wait_until("the first job has written its row", async || {
        forge.comments(12)[0].body.contains("name=a-fix")
    })
    .await;
    let (first, second) = (first.finish().await, second.finish().await);
    assert_success(&first);
    assert_success(&second);
    insta::assert_snapshot!(visible_comment(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | a-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    | b-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    ");
}

/// The older run finishes after the newer run and must not overwrite the newer row.
#[tokio::test]
async fn keeps_the_comment_row_of_a_newer_run() {
    let (gitbook, forge) = set_up().await;
    let (one, both) =
        (repository().integration("hello"), repository().integration("hello").integration("other"));
    let barrier = forge.hold("POST", "/deployments$");
    let older = on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&one).start();
    barrier.reached().await;
    assert_success(&on_pull_request("synchronize", '1', 101, &gitbook, &forge).folder(&both).run().await);
    let newer = forge.comments(12);
    barrier.release();
    assert_success(&older.finish().await);
    assert_eq!(forge.comments(12), newer);
}
