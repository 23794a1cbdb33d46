//! The sweep, which lists, reads and deletes.

use fake_github::FakeGitHub;
use serde_json::{Value, json};

use super::{Row, TestEnvironment, busy, html, preview, table};
use crate::support::Effect::{Done, Lost};
use crate::support::Fault::{self, Cut, HangUp, Meanwhile, Reset, ResetInAnswer, ResetInRequest, Say, Stall};
use crate::support::Response;

async fn swept((name, kind, faults): &Row<'_>, retries: usize, timeout: &str) -> String {
    let forge = FakeGitHub::start().await;
    let environment = TestEnvironment::with_preview().await;
    for fault in *faults {
        environment.proxy.fail(kind, Fault::clone(fault), 1);
    }
    let mut since = environment.versions();
    if let Some(Meanwhile(_, _, other)) = faults.first() {
        since.insert("hello-fix".to_owned(), other["version"].clone());
    }
    let run = environment.run(retries).with_forge(&forge).event("schedule", "main");
    let outcome = environment.outcome_since(since, name, run.variable("GITBOOK_TIMEOUT", timeout)).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

#[tokio::test]
async fn without_a_list_the_sweep_deletes_nothing() {
    let rows: &[Row<'_>] = &[
        ("reset within the request", "LIST", &[ResetInRequest]),
        ("reset within the answer", "LIST", &[ResetInAnswer]),
        ("closed", "LIST", &[HangUp(Done)]),
        ("cut short", "LIST", &[Cut]),
        ("a page", "LIST", &[Say(Lost, html(200))]),
        ("busy", "LIST", &[busy(503)]),
        ("limited", "LIST", &[busy(429)]),
        ("a list of nothing", "LIST", &[Say(Lost, Response::new(200, "{}"))]),
    ];
    insta::assert_snapshot!(table(rows, async |row| swept(row, 0, "20s").await).await, @"
    == reset within the request: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection lost: connection error: Connection reset by peer (os error 104)
    == reset within the answer: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    == closed: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection lost: connection closed before message completed
    == cut short: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection lost: request or response body error: error reading a body from connection: end of file before message length reached
    == a page: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == busy: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook server error: 503 Come back later
    == limited: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook rate limit reached: 429 Come back later
    == a list of nothing: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook sent an unexpected response body with status 200: missing field `items` at line 1 column 2
    ");
    insta::assert_snapshot!(swept(&("no answer", "LIST", &[Stall(Done)]), 0, "2s").await, @"
    == no answer: LIST; there: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: no response within 2s
    ");
}

#[tokio::test]
async fn the_sweep_keeps_an_unreadable_preview() {
    let rows: &[Row<'_>] = &[
        ("reset", "GET", &[Reset(Done)]),
        ("cut short", "GET", &[Cut]),
        ("a page", "GET", &[Say(Lost, html(404))]),
    ];
    insta::assert_snapshot!(table(rows, async |row| swept(row, 0, "20s").await).await, @"
    == reset: LIST LIST GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == cut short: LIST LIST GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection lost: request or response body error: error reading a body from connection: end of file before message length reached
    == a page: LIST LIST GET; there: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook resource not found: 404 Not Found (not a GitBook response)
    ");
}

#[tokio::test]
async fn the_sweep_retries_deletions() {
    let rows: &[Row<'_>] = &[
        ("reset, lost", "DELETE", &[Reset(Lost)]),
        ("reset, done", "DELETE", &[Reset(Done)]),
        ("a page", "DELETE", &[Say(Lost, html(200))]),
    ];
    insta::assert_snapshot!(table(rows, async |row| swept(row, 0, "20s").await).await, @"
    == reset, lost: LIST LIST GET GET DELETE; there: hello-fix 3
    == reset, done: LIST LIST GET GET DELETE; there: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection lost: connection error: Connection reset by peer (os error 104)
    == a page: LIST LIST GET GET DELETE; there: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    ");
    insta::assert_snapshot!(table(&rows[..2], async |row| swept(row, 1, "20s").await).await, @"
    == reset, lost: LIST LIST GET GET DELETE GET DELETE; there: nothing
    == reset, done: LIST LIST GET GET DELETE GET; there: nothing
    exit 0
    warning: connection lost: connection error: Connection reset by peer (os error 104)
    info: deleted hello-fix (… s): branch `fix` is gone
    ");
}

/// A preview that the first attempt must not delete is not deleted by a later attempt.
#[tokio::test]
async fn a_retried_deletion_respects_concurrent_changes() {
    let public = json!({"visibility": "public"});
    let meanwhile = |effect, status, run, change: &Value| {
        let mut other = preview("hello-fix", run);
        other["version"] = 9.into();
        other.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Meanwhile(effect, Response::error(status, "Come back later"), other)
    };
    let (lost, limited) = (
        |effect, run, change: &Value| meanwhile(effect, 503, run, change),
        |run, change: &Value| meanwhile(Lost, 429, run, change),
    );
    let rows: &[Row<'_>] = &[
        ("published anew, and nobody knows", "DELETE", &[lost(Done, 9, &json!({}))]),
        ("made public, and nobody knows", "DELETE", &[lost(Lost, 7, &public)]),
        ("made by hand, and nobody knows", "DELETE", &[lost(Lost, 7, &json!({"summary": "By hand."}))]),
        ("published anew, after a no", "DELETE", &[limited(9, &json!({}))]),
        ("as it was, after a no", "DELETE", &[limited(7, &json!({}))]),
    ];
    insta::assert_snapshot!(table(rows, async |row| swept(row, 1, "20s").await).await, @"
    == published anew, and nobody knows: LIST LIST GET GET DELETE GET; there: hello-fix 9
    == made public, and nobody knows: LIST LIST GET GET DELETE GET; there: hello-fix 9
    == made by hand, and nobody knows: LIST LIST GET GET DELETE GET; there: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later
    info: skipped hello-fix (… s): kept: it was changed during the sweep; an earlier attempt at deleting it may have taken effect
    == published anew, after a no: LIST LIST GET GET DELETE GET; there: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Come back later
    info: skipped hello-fix (… s): kept: it was changed during the sweep
    == as it was, after a no: LIST LIST GET GET DELETE GET DELETE; there: nothing
    exit 0
    warning: GitBook rate limit reached: 429 Come back later
    info: deleted hello-fix (… s): branch `fix` is gone
    ");
}
