//! Faults during a sweep, which lists integrations, reads previews and deletes them.

use fake_github::FakeGitHub;
use serde_json::{Value, json};

use super::{TestCase, TestEnvironment, gitbook_error, html_page, outcome_table, preview};
use crate::support::Effect::{Applied, Dropped};
use crate::support::Fault::{
    self, Cut, HangUp, Reset, ResetInRequest, ResetInResponse, Respond, RespondAfterChange, Stall,
};
use crate::support::Response;

async fn sweep_outcome((name, kind, faults): &TestCase<'_>, retries: usize, timeout: &str) -> String {
    let forge = FakeGitHub::start().await;
    let environment = TestEnvironment::with_preview().await;
    for fault in *faults {
        environment.proxy.fail(kind, Fault::clone(fault), 1);
    }
    let mut before = environment.versions();
    if let Some(RespondAfterChange(_, _, other)) = faults.first() {
        before.insert("hello-fix".to_owned(), other["version"].clone());
    }
    let run = environment.run(retries).with_forge(&forge).event("schedule", "main");
    let outcome = environment.outcome_since(before, name, run.variable("GITBOOK_TIMEOUT", timeout)).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

#[tokio::test]
async fn a_sweep_deletes_nothing_if_the_integrations_cannot_be_listed() {
    let cases: &[TestCase<'_>] = &[
        ("reset during the request", "LIST", &[ResetInRequest]),
        ("reset during the response", "LIST", &[ResetInResponse]),
        ("connection closed", "LIST", &[HangUp(Applied)]),
        ("response cut short", "LIST", &[Cut]),
        ("HTML page", "LIST", &[Respond(Dropped, html_page(200))]),
        ("503", "LIST", &[gitbook_error(503)]),
        ("429", "LIST", &[gitbook_error(429)]),
        ("JSON object without items", "LIST", &[Respond(Dropped, Response::new(200, "{}"))]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| sweep_outcome(case, 0, "20s").await).await, @"
    == reset during the request: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == reset during the response: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection to GitBook lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    == connection closed: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection to GitBook lost: connection closed before message completed
    == response cut short: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: connection to GitBook lost: request or response body error: error reading a body from connection: end of file before message length reached
    == HTML page: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == 503: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook server error: 503 Come back later
    == 429: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook rate limit reached: 429 Come back later
    == JSON object without items: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: GitBook sent an unexpected response body with status 200: missing field `items` at line 1 column 2
    ");
    insta::assert_snapshot!(sweep_outcome(&("no response", "LIST", &[Stall(Applied)]), 0, "2s").await, @"
    == no response: LIST; stored: hello-fix 3
    exit 1
    error: sweep failed
    cause: could not list the integrations of the organization `acme`: no response from GitBook within 2s
    ");
}

#[tokio::test]
async fn a_sweep_keeps_a_preview_that_cannot_be_read() {
    let cases: &[TestCase<'_>] = &[
        ("reset", "GET", &[Reset(Applied)]),
        ("response cut short", "GET", &[Cut]),
        ("HTML page", "GET", &[Respond(Dropped, html_page(404))]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| sweep_outcome(case, 0, "20s").await).await, @"
    == reset: LIST LIST GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == response cut short: LIST LIST GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection to GitBook lost: request or response body error: error reading a body from connection: end of file before message length reached
    == HTML page: LIST LIST GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook resource not found: 404 Not Found (not a GitBook response)
    ");
}

#[tokio::test]
async fn a_sweep_reports_and_retries_a_failed_deletion() {
    let cases: &[TestCase<'_>] = &[
        ("reset, without an effect", "DELETE", &[Reset(Dropped)]),
        ("reset, after the effect", "DELETE", &[Reset(Applied)]),
        ("HTML page", "DELETE", &[Respond(Dropped, html_page(200))]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| sweep_outcome(case, 0, "20s").await).await, @"
    == reset, without an effect: LIST LIST GET GET DELETE; stored: hello-fix 3
    == reset, after the effect: LIST LIST GET GET DELETE; stored: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == HTML page: LIST LIST GET GET DELETE; stored: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    ");
    insta::assert_snapshot!(outcome_table(&cases[..2], async |case| sweep_outcome(case, 1, "20s").await).await, @"
    == reset, without an effect: LIST LIST GET GET DELETE GET DELETE; stored: nothing
    == reset, after the effect: LIST LIST GET GET DELETE GET; stored: nothing
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: deleted hello-fix (… s): branch `fix` was deleted
    ");
}

/// A retry reads the preview again and deletes it only if nobody has changed it since the check.
#[tokio::test]
async fn a_retried_sweep_deletion_respects_concurrent_changes() {
    let public = json!({"visibility": "public"});
    let changed_meanwhile = |effect, status, run, change: &Value| {
        let mut other = preview("hello-fix", run);
        other["version"] = 9.into();
        other.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        RespondAfterChange(effect, Response::error(status, "Come back later"), other)
    };
    let (unknown_effect, rejected) = (
        |effect, run, change: &Value| changed_meanwhile(effect, 503, run, change),
        |run, change: &Value| changed_meanwhile(Dropped, 429, run, change),
    );
    let cases: &[TestCase<'_>] = &[
        ("republished, unknown effect", "DELETE", &[unknown_effect(Applied, 9, &json!({}))]),
        ("made public, unknown effect", "DELETE", &[unknown_effect(Dropped, 7, &public)]),
        (
            "replaced by hand, unknown effect",
            "DELETE",
            &[unknown_effect(Dropped, 7, &json!({"summary": "By hand."}))],
        ),
        ("republished, after a rejection", "DELETE", &[rejected(9, &json!({}))]),
        ("unchanged, after a rejection", "DELETE", &[rejected(7, &json!({}))]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| sweep_outcome(case, 1, "20s").await).await, @"
    == republished, unknown effect: LIST LIST GET GET DELETE GET; stored: hello-fix 9
    == made public, unknown effect: LIST LIST GET GET DELETE GET; stored: hello-fix 9
    == replaced by hand, unknown effect: LIST LIST GET GET DELETE GET; stored: hello-fix 9
    exit 0
    warning: GitBook server error: 503 Come back later
    info: skipped hello-fix (… s): kept: it was changed during the sweep; an earlier request may have deleted `hello-fix`
    == republished, after a rejection: LIST LIST GET GET DELETE GET; stored: hello-fix 9
    exit 0
    warning: GitBook rate limit reached: 429 Come back later
    info: skipped hello-fix (… s): kept: it was changed during the sweep
    == unchanged, after a rejection: LIST LIST GET GET DELETE GET DELETE; stored: nothing
    exit 0
    warning: GitBook rate limit reached: 429 Come back later
    info: deleted hello-fix (… s): branch `fix` was deleted
    ");
}
