//! Publication of previews, which begins with a read.

use super::{Row, TestEnvironment, busy, html, table};
use crate::support::Effect::{Done, Lost};
use crate::support::Fault::{
    self, Cut, HangUp, Reset, ResetAndRefuse, ResetInAnswer, ResetInRequest, Say, Stall, StallInAnswer,
};
use crate::support::Response;

/// Publishes over an existing preview with version 3.
async fn over_existing(row: &Row<'_>, retries: usize, timeout: &str) -> String {
    outcome(TestEnvironment::with_preview().await, row, retries, timeout).await
}

async fn outcome(
    environment: TestEnvironment,
    (name, kind, faults): &Row<'_>,
    retries: usize,
    timeout: &str,
) -> String {
    for fault in *faults {
        environment.proxy.fail(kind, Fault::clone(fault), 1);
    }
    let run = environment.run(retries).push_to("fix").variable("GITBOOK_TIMEOUT", timeout);
    let outcome = environment.outcome(name, run).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

#[tokio::test]
async fn leaves_an_unreadable_preview_alone() {
    let rows: &[Row<'_>] = &[
        ("reset within the request", "GET", &[ResetInRequest]),
        ("reset after the request", "GET", &[Reset(Done)]),
        ("reset within the answer", "GET", &[ResetInAnswer]),
        ("closed", "GET", &[HangUp(Lost)]),
        ("cut short", "GET", &[Cut]),
        ("a page", "GET", &[Say(Lost, html(200))]),
        ("a page that says it is not there", "GET", &[Say(Lost, html(404))]),
        ("busy", "GET", &[busy(503)]),
        ("limited", "GET", &[busy(429)]),
        ("redirected", "GET", &[Say(Lost, Response::new(307, "").header("location", "http://localhost:1"))]),
    ];
    insta::assert_snapshot!(table(rows, async |row| over_existing(row, 0, "20s").await).await, @"
    == reset within the request: GET; there: hello-fix 3
    == reset after the request: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == reset within the answer: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    == closed: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection lost: connection closed before message completed
    == cut short: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection lost: request or response body error: error reading a body from connection: end of file before message length reached
    == a page: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == a page that says it is not there: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook resource not found: 404 Not Found (not a GitBook response)
    == busy: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook server error: 503 Come back later
    == limited: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook rate limit reached: 429 Come back later
    == redirected: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook redirects to another server (307); the token is not sent there
    ");
    let rows: &[Row<'_>] =
        &[("no answer", "GET", &[Stall(Done)]), ("half an answer", "GET", &[StallInAnswer])];
    insta::assert_snapshot!(table(rows, async |row| over_existing(row, 0, "2s").await).await, @"
    == no answer: GET; there: hello-fix 3
    == half an answer: GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: no response within 2s
    ");
}

/// The read finds the version of the lost first attempt, and publishes no second version.
#[tokio::test]
async fn publishes_once_after_a_lost_response() {
    let rows: &[Row<'_>] = &[
        ("one answer lost", "POST", &[Reset(Done)]),
        ("a request and an answer lost", "POST", &[Reset(Lost), Say(Done, html(504))]),
        ("half an answer", "POST", &[ResetInAnswer]),
        ("a request lost", "POST", &[Reset(Lost)]),
        ("cut short", "POST", &[Cut]),
    ];
    insta::assert_snapshot!(table(rows, async |row| over_existing(row, row.2.len(), "20s").await).await, @"
    == one answer lost: GET POST GET GET; there: hello-fix 4
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: published hello-fix v4 (0.1 KiB, … s)
    == a request and an answer lost: GET POST GET POST GET GET; there: hello-fix 4
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    warning: GitBook server error: 504 Gateway Timeout (not a GitBook response)
    info: published hello-fix v4 (0.1 KiB, … s)
    == half an answer: GET POST GET GET; there: hello-fix 4
    exit 0
    warning: connection lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    info: published hello-fix v4 (0.1 KiB, … s)
    == a request lost: GET POST GET POST GET; there: hello-fix 4
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: published hello-fix v4 (0.1 KiB, … s)
    == cut short: GET POST GET GET; there: hello-fix 4
    exit 0
    warning: connection lost: request or response body error: error reading a body from connection: end of file before message length reached
    info: published hello-fix v4 (0.1 KiB, … s)
    ");
    let rows: &[Row<'_>] = &[("no answer", "POST", &[Stall(Done)])];
    insta::assert_snapshot!(table(rows, async |row| over_existing(row, 1, "2s").await).await, @"
    == no answer: GET POST GET GET; there: hello-fix 4
    exit 0
    warning: no response within 2s
    info: published hello-fix v4 (0.1 KiB, … s)
    ");
}

#[tokio::test]
async fn reports_a_preview_that_may_exist() {
    let rows: &[Row<'_>] = &[
        ("reset on the connection that was read by", "POST", &[Reset(Done)]),
        ("then refused", "POST", &[ResetAndRefuse(Done)]),
        ("limited", "POST", &[busy(429)]),
        (
            "no more room",
            "POST",
            &[HangUp(Lost), Say(Lost, Response::error(403, "You have reached the limit of integrations"))],
        ),
    ];
    // A rejected attempt is followed by one without a fault.
    let tries = |row: &Row<'_>| row.2.len() - usize::from(row.0 != "then refused");
    insta::assert_snapshot!(table(rows, async |row| outcome(TestEnvironment::new().await, row, tries(row), "20s").await).await, @"
    == reset on the connection that was read by: GET POST; there: hello-fix 1
    exit 1
    error: publishing `hello-fix` failed, but may have taken effect
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == then refused: GET POST; there: hello-fix 1
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello-fix` failed, but may have taken effect
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    == limited: GET POST; there: nothing
    exit 1
    error: publishing `hello-fix` failed
    cause: GitBook rate limit reached: 429 Come back later
    == no more room: GET POST GET POST; there: nothing
    exit 1
    warning: connection lost: connection closed before message completed
    error: publishing `hello-fix` failed, but may have taken effect
    cause: the token lacks a permission: 403 You have reached the limit of integrations
    ");
}
