//! Concurrent jobs that write one comment.

use super::super::on_pull_request;
use super::{MARKER, done, seen, set_up};
use crate::support::repository;

/// Each job of a matrix deploys one integration. All finish at once, and no row is lost.
#[tokio::test]
async fn concurrent_jobs_lose_no_row() {
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
        done(&finished);
    }
    insta::assert_snapshot!(seen(&forge), @"
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

/// A job with an outdated comment overwrites the row of another job, which writes it again.
#[tokio::test]
async fn restores_an_overwritten_row() {
    let (gitbook, forge) = set_up().await;
    let folder = repository().integration("a").integration("b");
    let job = |name: &str, run: u64| {
        on_pull_request("opened", '1', run, &gitbook, &forge)
            .variable("GITBOOK_INTEGRATIONS", name)
            .folder(&folder)
    };
    forge.comment_by("github-actions[bot]", 12, MARKER);
    let barrier = forge.hold("PATCH", "/issues/comments/");
    let late = job("a", 100).start();
    barrier.reached().await;
    // The other job reads, writes and reads again; then the first job overwrites it.
    let settling = forge.hold_response("GET", "/issues/12/comments");
    let other = job("b", 100).start();
    settling.reached().await;
    settling.release();
    crate::support::until("the other has written", async || {
        forge.comments(12)[0].body.contains("name=b-fix")
    })
    .await;
    barrier.release();
    crate::support::until("the late one has written", async || {
        forge.comments(12)[0].body.contains("name=a-fix")
    })
    .await;
    let (late, other) = (late.finish().await, other.finish().await);
    done(&late);
    done(&other);
    insta::assert_snapshot!(seen(&forge), @"
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | a-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    | b-fix | ✅ published v1 | 1111111 | 0.1 KiB | (time)
    ");
}

/// A job of another workflow or of an older run may write between the read and the write.
#[tokio::test]
async fn keeps_the_row_of_a_newer_run() {
    let (gitbook, forge) = set_up().await;
    let (one, both) =
        (repository().integration("hello"), repository().integration("hello").integration("other"));
    let barrier = forge.hold("POST", "/deployments$");
    let older = on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&one).start();
    barrier.reached().await;
    done(&on_pull_request("synchronize", '1', 101, &gitbook, &forge).folder(&both).run().await);
    let newer = forge.comments(12);
    barrier.release();
    done(&older.finish().await);
    assert_eq!(forge.comments(12), newer);
}
