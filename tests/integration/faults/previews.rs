//! Faults while a preview is published. The program first reads the existing preview.

use super::{TestCase, TestEnvironment, gitbook_error, html_page, outcome_table};
use crate::support::Effect::{Applied, Dropped};
use crate::support::Fault::{
    self, Cut, HangUp, Reset, ResetAndRefuse, ResetInRequest, ResetInResponse, Respond, Stall,
    StallInResponse,
};
use crate::support::Response;

/// Publishes a preview that already exists in version 3, and returns the outcome.
async fn outcome_with_existing_preview(case: &TestCase<'_>, retries: usize, timeout: &str) -> String {
    outcome(TestEnvironment::with_preview().await, case, retries, timeout).await
}

async fn outcome(
    environment: TestEnvironment,
    (name, kind, faults): &TestCase<'_>,
    retries: usize,
    timeout: &str,
) -> String {
    for fault in *faults {
        environment.proxy.fail(kind, Fault::clone(fault), 1);
    }
    let run = environment.run(retries).on_push_to("fix").variable("GITBOOK_TIMEOUT", timeout);
    let outcome = environment.outcome(name, run).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

#[tokio::test]
async fn does_not_publish_over_a_preview_that_cannot_be_read() {
    let cases: &[TestCase<'_>] = &[
        ("reset during the request", "GET", &[ResetInRequest]),
        ("reset after the request", "GET", &[Reset(Applied)]),
        ("reset during the response", "GET", &[ResetInResponse]),
        ("connection closed", "GET", &[HangUp(Dropped)]),
        ("response cut short", "GET", &[Cut]),
        ("HTML page with 200", "GET", &[Respond(Dropped, html_page(200))]),
        ("HTML page with 404", "GET", &[Respond(Dropped, html_page(404))]),
        ("503", "GET", &[gitbook_error(503)]),
        ("429", "GET", &[gitbook_error(429)]),
        (
            "redirect",
            "GET",
            &[Respond(Dropped, Response::new(307, "").header("location", "http://localhost:1"))],
        ),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| outcome_with_existing_preview(case, 0, "20s").await).await, @"
    == reset during the request: GET; stored: hello-fix 3
    == reset after the request: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == reset during the response: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection to GitBook lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    == connection closed: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection to GitBook lost: connection closed before message completed
    == response cut short: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: connection to GitBook lost: request or response body error: error reading a body from connection: end of file before message length reached
    == HTML page with 200: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == HTML page with 404: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook resource not found: 404 Not Found (not a GitBook response)
    == 503: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook server error: 503 Come back later
    == 429: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook rate limit reached: 429 Come back later
    == redirect: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: GitBook redirects to `localhost:1` (307); the token was not sent there
    ");
}

#[tokio::test]
async fn does_not_publish_over_a_preview_without_a_timely_response() {
    let cases: &[TestCase<'_>] =
        &[("no response", "GET", &[Stall(Applied)]), ("half a response", "GET", &[StallInResponse])];
    insta::assert_snapshot!(outcome_table(cases, async |case| outcome_with_existing_preview(case, 0, "2s").await).await, @"
    == no response: GET; stored: hello-fix 3
    == half a response: GET; stored: hello-fix 3
    exit 1
    error: reading `hello-fix` failed
    cause: no response from GitBook within 2s
    ");
}

/// The read before the retry finds the version that an earlier attempt has published, so no further version is published.
#[tokio::test]
async fn publishes_once_after_a_lost_response() {
    let cases: &[TestCase<'_>] = &[
        ("response lost", "POST", &[Reset(Applied)]),
        ("request lost, then response lost", "POST", &[Reset(Dropped), Respond(Applied, html_page(504))]),
        ("half a response", "POST", &[ResetInResponse]),
        ("request lost", "POST", &[Reset(Dropped)]),
        ("response cut short", "POST", &[Cut]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| outcome_with_existing_preview(case, case.2.len(), "20s").await).await, @"
    == response lost: GET POST GET GET; stored: hello-fix 4
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: published hello-fix v4 (0.1 KiB, … s)
    == request lost, then response lost: GET POST GET POST GET GET; stored: hello-fix 4
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    warning: GitBook server error: 504 Gateway Timeout (not a GitBook response)
    info: published hello-fix v4 (0.1 KiB, … s)
    == half a response: GET POST GET GET; stored: hello-fix 4
    exit 0
    warning: connection to GitBook lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    info: published hello-fix v4 (0.1 KiB, … s)
    == request lost: GET POST GET POST GET; stored: hello-fix 4
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: published hello-fix v4 (0.1 KiB, … s)
    == response cut short: GET POST GET GET; stored: hello-fix 4
    exit 0
    warning: connection to GitBook lost: request or response body error: error reading a body from connection: end of file before message length reached
    info: published hello-fix v4 (0.1 KiB, … s)
    ");
    let cases: &[TestCase<'_>] = &[("no response", "POST", &[Stall(Applied)])];
    insta::assert_snapshot!(outcome_table(cases, async |case| outcome_with_existing_preview(case, 1, "2s").await).await, @"
    == no response: GET POST GET GET; stored: hello-fix 4
    exit 0
    warning: no response from GitBook within 2s
    info: published hello-fix v4 (0.1 KiB, … s)
    ");
}

#[tokio::test]
async fn reports_that_a_preview_may_have_been_created() {
    let cases: &[TestCase<'_>] = &[
        ("reset on the connection of the read", "POST", &[Reset(Applied)]),
        ("connection refused on retry", "POST", &[ResetAndRefuse(Applied)]),
        ("429", "POST", &[gitbook_error(429)]),
        (
            "integration limit reached on retry",
            "POST",
            &[
                HangUp(Dropped),
                Respond(Dropped, Response::error(403, "You have reached the limit of integrations")),
            ],
        ),
    ];
    // All attempts fail. After `ResetAndRefuse`, the retry fails without a fault of its own.
    let retries = |case: &TestCase<'_>| case.2.len() - usize::from(case.0 != "connection refused on retry");
    insta::assert_snapshot!(outcome_table(cases, async |case| outcome(TestEnvironment::new().await, case, retries(case), "20s").await).await, @"
    == reset on the connection of the read: GET POST; stored: hello-fix 1
    exit 1
    error: publishing `hello-fix` failed, but may have taken effect
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == connection refused on retry: GET POST; stored: hello-fix 1
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello-fix` failed, but may have taken effect
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    == 429: GET POST; stored: nothing
    exit 1
    error: publishing `hello-fix` failed
    cause: GitBook rate limit reached: 429 Come back later
    == integration limit reached on retry: GET POST GET POST; stored: nothing
    exit 1
    warning: connection to GitBook lost: connection closed before message completed
    error: publishing `hello-fix` failed, but may have taken effect
    cause: the token lacks a permission: 403 You have reached the limit of integrations
    ");
}
