//! Publishing to production.

use super::{Row, TestEnvironment, busy, html, table};
use crate::support::Effect::{Done, Lost};
use crate::support::Fault::{
    self, Cut, CutWithoutLength, Drip, HangUp, Reset, ResetAndRefuse, ResetInAnswer, ResetInRequest,
    ResetOnConnect, Say, Stall, StallInAnswer,
};
use crate::support::Response;

/// Publishes once, with an attempt for each fault of the row.
async fn tried_once_each((name, kind, faults): &Row<'_>) -> String {
    published(name, kind, faults, faults.len() - 1, "20s").await
}

/// Publishes with one more attempt, which has no fault.
async fn tried_once_more((name, kind, faults): &Row<'_>) -> String {
    published(name, kind, faults, faults.len(), "20s").await
}

async fn published(
    name: &str,
    kind: &'static str,
    faults: &[Fault],
    retries: usize,
    timeout: &str,
) -> String {
    let environment = TestEnvironment::new().await;
    for fault in faults {
        environment.proxy.fail(kind, fault.clone(), 1);
    }
    let run = environment.run(retries).push_to("main").variable("GITBOOK_TIMEOUT", timeout);
    let outcome = environment.outcome(name, run).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

const BROKEN_CONNECTIONS: &[Row<'_>] = &[
    ("reset within the request", "POST", &[ResetInRequest]),
    ("reset after the request, lost", "POST", &[Reset(Lost)]),
    ("reset after the request, done", "POST", &[Reset(Done)]),
    ("closed after the request, lost", "POST", &[HangUp(Lost)]),
    ("closed after the request, done", "POST", &[HangUp(Done)]),
    ("reset within the answer", "POST", &[ResetInAnswer]),
    ("answer cut short", "POST", &[Cut]),
    ("answer of no length cut short", "POST", &[CutWithoutLength]),
];

#[tokio::test]
async fn reports_a_broken_connection() {
    insta::assert_snapshot!(table(BROKEN_CONNECTIONS, tried_once_each).await, @"
    == reset within the request: GET POST; there: nothing
    == reset after the request, lost: GET POST; there: nothing
    == reset after the request, done: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == closed after the request, lost: GET POST; there: nothing
    == closed after the request, done: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection lost: connection closed before message completed
    == reset within the answer: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    == answer cut short: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection lost: request or response body error: error reading a body from connection: end of file before message length reached
    == answer of no length cut short: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: EOF while parsing …
    ");
}

#[tokio::test]
async fn retries_after_a_broken_connection() {
    insta::assert_snapshot!(table(BROKEN_CONNECTIONS, tried_once_more).await, @"
    == reset within the request: GET POST GET POST; there: hello 1
    == reset after the request, lost: GET POST GET POST; there: hello 1
    == reset after the request, done: GET POST GET; there: hello 1
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: published hello v1 (0.1 KiB, … s)
    == closed after the request, lost: GET POST GET POST; there: hello 1
    == closed after the request, done: GET POST GET; there: hello 1
    exit 0
    warning: connection lost: connection closed before message completed
    info: published hello v1 (0.1 KiB, … s)
    == reset within the answer: GET POST GET; there: hello 1
    exit 0
    warning: connection lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    info: published hello v1 (0.1 KiB, … s)
    == answer cut short: GET POST GET; there: hello 1
    exit 0
    warning: connection lost: request or response body error: error reading a body from connection: end of file before message length reached
    info: published hello v1 (0.1 KiB, … s)
    == answer of no length cut short: GET POST GET; there: hello 1
    exit 0
    warning: GitBook sent an unexpected response body with status 200
    info: published hello v1 (0.1 KiB, … s)
    ");
}

#[tokio::test]
async fn reports_earlier_attempts_with_an_unknown_effect() {
    let api_error = |status, message: &str| Say(Lost, Response::error(status, message));
    let rows: &[Row<'_>] = &[
        ("then refused", "POST", &[ResetAndRefuse(Done)]),
        ("then unauthorized", "POST", &[Reset(Lost), api_error(401, "Authentication required")]),
        ("then limited", "POST", &[Reset(Lost), api_error(429, "Too many requests")]),
        ("then a manifest refused", "POST", &[HangUp(Lost), api_error(400, "No.")]),
        (
            "then a redirect",
            "POST",
            &[Reset(Lost), Say(Lost, Response::new(302, "").header("location", "http://localhost:1"))],
        ),
        (
            "then a limit that is too long",
            "POST",
            &[Reset(Lost), Say(Lost, Response::error(429, "No").header("retry-after", "3600"))],
        ),
    ];
    let outcome =
        table(rows, async |(name, kind, faults)| published(name, kind, faults, 1, "20s").await).await;
    insta::assert_snapshot!(outcome, @"
    == then refused: GET POST; there: hello 1
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    == then unauthorized: GET POST GET POST; there: nothing
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rejected the token: 401 Authentication required
    == then limited: GET POST GET POST; there: nothing
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rate limit reached: 429 Too many requests
    == then a manifest refused: GET POST GET POST; there: nothing
    exit 1
    warning: connection lost: connection closed before message completed
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rejected the request: 400 No.
    == then a redirect: GET POST GET POST; there: nothing
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook redirects to another server (302); the token is not sent there
    == then a limit that is too long: GET POST GET POST; there: nothing
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rate limit reached: 429 No
    ");
}

#[tokio::test]
async fn reports_an_invalid_response() {
    let rows: &[Row<'_>] = &[
        ("a page, lost", "POST", &[Say(Lost, html(200))]),
        ("a page, done", "POST", &[Say(Done, html(200))]),
        ("nothing at all", "POST", &[Say(Lost, Response::new(200, ""))]),
        ("a page of an error", "POST", &[Say(Lost, html(403))]),
        ("a bad gateway, done", "POST", &[Say(Done, html(502))]),
        ("a busy server", "POST", &[busy(503)]),
        ("a limit", "POST", &[busy(429)]),
    ];
    insta::assert_snapshot!(table(rows, tried_once_each).await, @"
    == a page, lost: GET POST; there: nothing
    == a page, done: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == nothing at all: GET POST; there: nothing
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: EOF while parsing …
    == a page of an error: GET POST; there: nothing
    exit 1
    error: publishing `hello` failed
    cause: the token lacks a permission: 403 Forbidden (not a GitBook response)
    == a bad gateway, done: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook server error: 502 Bad Gateway (not a GitBook response)
    == a busy server: GET POST; there: nothing
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook server error: 503 Come back later
    == a limit: GET POST; there: nothing
    exit 1
    error: publishing `hello` failed
    cause: GitBook rate limit reached: 429 Come back later
    ");
}

#[tokio::test]
async fn recovers_from_a_failure() {
    let limited =
        |name, value: &str| Say(Lost, Response::error(429, "Too many requests").header(name, value));
    let rows: &[Row<'_>] = &[
        ("a limit without a word on its end", "POST", &[busy(429)]),
        ("a limit of a second", "POST", &[limited("retry-after", "1")]),
        ("a limit that is over", "POST", &[limited("x-ratelimit-reset", "1")]),
        ("a burst", "POST", &[busy(500), busy(502), busy(503)]),
        ("a burst that did its work", "POST", &[Say(Lost, html(502)), Say(Done, html(504))]),
    ];
    insta::assert_snapshot!(table(rows, tried_once_more).await, @"
    == a limit without a word on its end: GET POST GET POST; there: hello 1
    exit 0
    warning: GitBook rate limit reached: 429 Come back later
    info: published hello v1 (0.1 KiB, … s)
    == a limit of a second: GET POST GET POST; there: hello 1
    == a limit that is over: GET POST GET POST; there: hello 1
    exit 0
    warning: GitBook rate limit reached: 429 Too many requests
    info: published hello v1 (0.1 KiB, … s)
    == a burst: GET POST GET POST GET POST GET POST; there: hello 1
    exit 0
    warning: GitBook server error: 500 Come back later
    warning: GitBook server error: 502 Come back later
    warning: GitBook server error: 503 Come back later
    info: published hello v1 (0.1 KiB, … s)
    == a burst that did its work: GET POST GET POST GET; there: hello 1
    exit 0
    warning: GitBook server error: 502 Bad Gateway (not a GitBook response)
    warning: GitBook server error: 504 Gateway Timeout (not a GitBook response)
    info: published hello v1 (0.1 KiB, … s)
    ");
}

#[tokio::test]
async fn reports_a_timeout() {
    let rows: &[Row<'_>] = &[
        ("no answer, lost", "POST", &[Stall(Lost)]),
        ("no answer, done", "POST", &[Stall(Done)]),
        ("half an answer", "POST", &[StallInAnswer]),
        ("a byte a second", "POST", &[Drip]),
    ];
    let check = async |retries| {
        table(rows, async move |(name, kind, faults)| published(name, kind, faults, retries, "2s").await)
            .await
    };
    let (once, twice) = tokio::join!(check(0), check(1));
    insta::assert_snapshot!(once, @"
    == no answer, lost: GET POST; there: nothing
    == no answer, done: GET POST; there: hello 1
    == half an answer: GET POST; there: hello 1
    == a byte a second: GET POST; there: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: no response within 2s
    ");
    insta::assert_snapshot!(twice, @"
    == no answer, lost: GET POST GET POST; there: hello 1
    == no answer, done: GET POST GET; there: hello 1
    == half an answer: GET POST GET; there: hello 1
    == a byte a second: GET POST GET; there: hello 1
    exit 0
    warning: no response within 2s
    info: published hello v1 (0.1 KiB, … s)
    ");
}

/// The operating system reports the reset while connecting or while sending.
#[tokio::test]
async fn retries_a_connection_that_is_reset_at_once() {
    let row = ("reset on connecting", "CONNECT", [ResetOnConnect, ResetOnConnect].as_slice());
    let (once, again) = tokio::join!(published(row.0, row.1, row.2, 0, "20s"), tried_once_more(&row));
    assert!(once.starts_with("== reset on connecting: CONNECT CONNECT; there: nothing\nexit 1\n"), "{once}");
    assert!(
        again.starts_with("== reset on connecting: CONNECT CONNECT GET POST; there: hello 1\nexit 0\n"),
        "{again}"
    );
}

/// The connection breaks while the program sends.
#[tokio::test]
async fn reports_a_reset_while_a_large_body_is_sent() {
    let check = async |name: &'static str, fault: Fault, retries: usize| {
        let environment = TestEnvironment::new().await;
        let script = format!("export default {{ a: '{}' }};\n", "0123456789abcdef".repeat(500_000));
        std::fs::write(environment.repository.path("hello/main.ts"), script).unwrap();
        environment.proxy.fail("POST", fault, 1);
        let run = environment.run(retries).push_to("main").variable("GITBOOK_BUNDLE", "false");
        environment.outcome(name, run.variable("GITBOOK_SCRIPT", "main.ts")).await
    };
    let outcome = futures::future::join_all([
        check("reset within the request", ResetInRequest, 0),
        check("reset within the request, then well", ResetInRequest, 1),
        check("reset within the answer, then well", ResetInAnswer, 1),
    ]);
    // The program may notice the reset while it writes or while it reads.
    let outcome = outcome.await.join("\n").replace("error writing a body to connection", "connection error");
    insta::assert_snapshot!(outcome, @"
    == reset within the request: GET POST; there: nothing
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == reset within the request, then well: GET POST GET POST; there: hello 1
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: published hello v1 (7812.5 KiB, … s)
    == reset within the answer, then well: GET POST GET; there: hello 1
    exit 0
    warning: connection lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    info: published hello v1 (7812.5 KiB, … s)
    ");
}
