//! Deletion of a preview.

use super::{Row, TestEnvironment, busy, html, table};
use crate::support::Effect::{Done, Lost};
use crate::support::Fault::{
    self, HangUp, Reset, ResetAndRefuse, ResetInAnswer, ResetInRequest, Say, Stall, StallInAnswer,
};
use crate::support::Response;

async fn deleted((name, kind, faults): &Row<'_>, retries: usize, timeout: &str) -> String {
    let environment = TestEnvironment::with_preview().await;
    for fault in *faults {
        environment.proxy.fail(kind, Fault::clone(fault), 1);
    }
    let run = environment.run(retries).event("delete", "fix").variable("GITBOOK_TIMEOUT", timeout);
    let outcome = environment.outcome(name, run).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

fn rows() -> Vec<Row<'static>> {
    let api_error = |status| Say(Lost, Response::error(status, "No"));
    let leak = |faults: Vec<Fault>| &*Vec::leak(faults);
    vec![
        ("reset within the request", "DELETE", leak(vec![ResetInRequest])),
        ("reset, lost", "DELETE", leak(vec![Reset(Lost)])),
        ("reset, done", "DELETE", leak(vec![Reset(Done)])),
        ("closed, done", "DELETE", leak(vec![HangUp(Done)])),
        ("reset within the answer", "DELETE", leak(vec![ResetInAnswer])),
        ("a bad gateway, done", "DELETE", leak(vec![Say(Done, html(502))])),
        ("busy", "DELETE", leak(vec![busy(503)])),
        ("limited", "DELETE", leak(vec![api_error(429)])),
    ]
}

#[tokio::test]
async fn reports_a_failed_deletion() {
    insta::assert_snapshot!(table(&rows(), async |row| deleted(row, 0, "20s").await).await, @"
    == reset within the request: GET DELETE; there: hello-fix 3
    == reset, lost: GET DELETE; there: hello-fix 3
    == reset, done: GET DELETE; there: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == closed, done: GET DELETE; there: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection lost: connection closed before message completed
    == reset within the answer: GET DELETE; there: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == a bad gateway, done: GET DELETE; there: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook server error: 502 Bad Gateway (not a GitBook response)
    == busy: GET DELETE; there: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook server error: 503 Come back later
    == limited: GET DELETE; there: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed
    cause: GitBook rate limit reached: 429 No
    ");
}

/// An earlier attempt has deleted the preview, so the deletion has succeeded.
#[tokio::test]
async fn a_deletion_with_a_lost_response_succeeds() {
    insta::assert_snapshot!(table(&rows(), async |row| deleted(row, 1, "20s").await).await, @"
    == reset within the request: GET DELETE GET DELETE; there: nothing
    == reset, lost: GET DELETE GET DELETE; there: nothing
    == reset, done: GET DELETE GET; there: nothing
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: deleted hello-fix (… s)
    == closed, done: GET DELETE GET; there: nothing
    exit 0
    warning: connection lost: connection closed before message completed
    info: deleted hello-fix (… s)
    == reset within the answer: GET DELETE GET; there: nothing
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: deleted hello-fix (… s)
    == a bad gateway, done: GET DELETE GET; there: nothing
    exit 0
    warning: GitBook server error: 502 Bad Gateway (not a GitBook response)
    info: deleted hello-fix (… s)
    == busy: GET DELETE GET DELETE; there: nothing
    exit 0
    warning: GitBook server error: 503 Come back later
    info: deleted hello-fix (… s)
    == limited: GET DELETE GET DELETE; there: nothing
    exit 0
    warning: GitBook rate limit reached: 429 No
    info: deleted hello-fix (… s)
    ");
}

#[tokio::test]
async fn a_response_of_a_proxy_is_no_deletion() {
    let rows: &[Row<'_>] = &[
        ("a page", "DELETE", &[Say(Lost, html(200))]),
        ("a page that says it is not there", "DELETE", &[Say(Lost, html(404))]),
        (
            "a redirect",
            "DELETE",
            &[Say(Lost, Response::new(302, "").header("location", "http://localhost:1"))],
        ),
        ("nothing at all, done", "DELETE", &[Say(Done, Response::new(200, ""))]),
        ("an object, done", "DELETE", &[Say(Done, Response::new(200, "{}"))]),
    ];
    insta::assert_snapshot!(table(rows, async |row| deleted(row, 0, "20s").await).await, @"
    == a page: GET DELETE; there: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == a page that says it is not there: GET DELETE; there: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed
    cause: GitBook resource not found: 404 Not Found (not a GitBook response)
    == a redirect: GET DELETE; there: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed
    cause: GitBook redirects to another server (302); the token is not sent there
    == nothing at all, done: GET DELETE; there: nothing
    == an object, done: GET DELETE; there: nothing
    exit 0
    info: deleted hello-fix (… s)
    ");
}

#[tokio::test]
async fn reports_a_deletion_with_an_unknown_effect() {
    let rows: &[Row<'_>] = &[
        ("then refused", "DELETE", &[ResetAndRefuse(Done)]),
        ("then forbidden", "DELETE", &[Reset(Lost), Say(Lost, Response::error(403, "You may not"))]),
    ];
    insta::assert_snapshot!(table(rows, async |row| deleted(row, 1, "20s").await).await, @"
    == then refused: GET DELETE; there: nothing
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: deleting `hello-fix` failed, but may have taken effect
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    == then forbidden: GET DELETE GET DELETE; there: hello-fix 3
    exit 1
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    error: deleting `hello-fix` failed, but may have taken effect
    cause: the token lacks a permission: 403 You may not
    ");
}

#[tokio::test]
async fn reports_a_deletion_that_times_out() {
    let rows: &[Row<'_>] = &[
        ("no answer, lost", "DELETE", &[Stall(Lost)]),
        ("no answer, done", "DELETE", &[Stall(Done)]),
        ("half an answer", "DELETE", &[StallInAnswer]),
    ];
    insta::assert_snapshot!(table(rows, async |row| deleted(row, 0, "2s").await).await, @"
    == no answer, lost: GET DELETE; there: hello-fix 3
    == no answer, done: GET DELETE; there: nothing
    == half an answer: GET DELETE; there: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: no response within 2s
    ");
    insta::assert_snapshot!(table(rows, async |row| deleted(row, 1, "2s").await).await, @"
    == no answer, lost: GET DELETE GET DELETE; there: nothing
    == no answer, done: GET DELETE GET; there: nothing
    == half an answer: GET DELETE GET; there: nothing
    exit 0
    warning: no response within 2s
    info: deleted hello-fix (… s)
    ");
}
