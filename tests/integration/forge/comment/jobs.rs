//! Several jobs that write one comment.

use super::super::on_pull_request;
use super::{MARKER, done, seen, world};
use crate::support::repository;

/// Each of a matrix of jobs deploys one integration; all end at once, and every row stands.
#[tokio::test]
async fn jobs_that_write_at_once_lose_nothing() {
    let (gitbook, forge) = world().await;
    let names = ["a", "b", "c", "d", "e", "f"];
    let folder = names.iter().fold(repository(), |repository, name| repository.integration(name));
    forge.latency(std::time::Duration::from_millis(60));
    let jobs = names.map(|name| {
        on_pull_request("opened", '1', 100, &gitbook, &forge)
            .variable("GITBOOK_INTEGRATIONS", name)
            .folder(&folder)
            .runs()
    });
    for ended in futures::future::join_all(jobs).await {
        done(&ended);
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

/// A job that has read the comment long before it writes it wipes out what another has written meanwhile, which then
/// writes it again.
#[tokio::test]
async fn a_row_that_was_wiped_out_is_written_again() {
    let (gitbook, forge) = world().await;
    let folder = repository().integration("a").integration("b");
    let job = |name: &str, run: u64| {
        on_pull_request("opened", '1', run, &gitbook, &forge)
            .variable("GITBOOK_INTEGRATIONS", name)
            .folder(&folder)
    };
    forge.comment_by("github-actions[bot]", 12, MARKER);
    let gate = forge.hold("PATCH", "/issues/comments/");
    let late = job("a", 100).starts();
    gate.reached().await;
    // The other reads, writes and reads back; then the first one overwrites it.
    let settling = forge.hold_answer("GET", "/issues/12/comments");
    let other = job("b", 100).starts();
    settling.reached().await;
    settling.release();
    crate::support::until("the other has written", async || {
        forge.comments(12)[0].body.contains("name=b-fix")
    })
    .await;
    gate.release();
    crate::support::until("the late one has written", async || {
        forge.comments(12)[0].body.contains("name=a-fix")
    })
    .await;
    let (late, other) = (late.ends().await, other.ends().await);
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

/// A job of another workflow, or of an older run, may write between reading and writing.
#[tokio::test]
async fn what_a_newer_run_has_said_meanwhile_stands() {
    let (gitbook, forge) = world().await;
    let (one, both) =
        (repository().integration("hello"), repository().integration("hello").integration("other"));
    let gate = forge.hold("POST", "/deployments$");
    let older = on_pull_request("opened", '1', 100, &gitbook, &forge).folder(&one).starts();
    gate.reached().await;
    done(&on_pull_request("synchronize", '1', 101, &gitbook, &forge).folder(&both).runs().await);
    let newer = forge.comments(12);
    gate.release();
    done(&older.ends().await);
    assert_eq!(forge.comments(12), newer);
}
