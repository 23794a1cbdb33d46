//! Faults during the deletion of a preview.

use super::{TestCase, TestEnvironment, gitbook_error, html_page, outcome_table};
use crate::support::Effect::{Applied, Dropped};
use crate::support::Fault::{
    self, HangUp, Reset, ResetAndRefuse, ResetInRequest, ResetInResponse, Respond, Stall, StallInResponse,
};
use crate::support::Response;

async fn deletion_outcome((name, kind, faults): &TestCase<'_>, retries: usize, timeout: &str) -> String {
    let environment = TestEnvironment::with_preview().await;
    for fault in *faults {
        environment.proxy.fail(kind, Fault::clone(fault), 1);
    }
    let run = environment.run(retries).event("delete", "fix").variable("GITBOOK_TIMEOUT", timeout);
    let outcome = environment.outcome(name, run).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

fn failed_deletions() -> Vec<TestCase<'static>> {
    let api_error = |status| Respond(Dropped, Response::error(status, "No"));
    let leak = |faults: Vec<Fault>| &*Vec::leak(faults);
    vec![
        ("reset during the request", "DELETE", leak(vec![ResetInRequest])),
        ("reset, without an effect", "DELETE", leak(vec![Reset(Dropped)])),
        ("reset, after the effect", "DELETE", leak(vec![Reset(Applied)])),
        ("closed, after the effect", "DELETE", leak(vec![HangUp(Applied)])),
        ("reset during the response", "DELETE", leak(vec![ResetInResponse])),
        ("HTML page with 502, after the effect", "DELETE", leak(vec![Respond(Applied, html_page(502))])),
        ("503", "DELETE", leak(vec![gitbook_error(503)])),
        ("429", "DELETE", leak(vec![api_error(429)])),
    ]
}

#[tokio::test]
async fn reports_a_failed_deletion() {
    insta::assert_snapshot!(outcome_table(&failed_deletions(), async |case| deletion_outcome(case, 0, "20s").await).await, @"
    == reset during the request: GET DELETE; stored: hello-fix 3
    == reset, without an effect: GET DELETE; stored: hello-fix 3
    == reset, after the effect: GET DELETE; stored: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == closed, after the effect: GET DELETE; stored: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection to GitBook lost: connection closed before message completed
    == reset during the response: GET DELETE; stored: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == HTML page with 502, after the effect: GET DELETE; stored: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook server error: 502 Bad Gateway (not a GitBook response)
    == 503: GET DELETE; stored: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook server error: 503 Come back later
    == 429: GET DELETE; stored: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed
    cause: GitBook rate limit reached: 429 No
    ");
}

/// If the first attempt has deleted the preview, the read before the retry finds nothing, and the run succeeds.
#[tokio::test]
async fn a_deletion_with_a_lost_response_succeeds() {
    insta::assert_snapshot!(outcome_table(&failed_deletions(), async |case| deletion_outcome(case, 1, "20s").await).await, @"
    == reset during the request: GET DELETE GET DELETE; stored: nothing
    == reset, without an effect: GET DELETE GET DELETE; stored: nothing
    == reset, after the effect: GET DELETE GET; stored: nothing
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: deleted hello-fix (… s)
    == closed, after the effect: GET DELETE GET; stored: nothing
    exit 0
    warning: connection to GitBook lost: connection closed before message completed
    info: deleted hello-fix (… s)
    == reset during the response: GET DELETE GET; stored: nothing
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: deleted hello-fix (… s)
    == HTML page with 502, after the effect: GET DELETE GET; stored: nothing
    exit 0
    warning: GitBook server error: 502 Bad Gateway (not a GitBook response)
    info: deleted hello-fix (… s)
    == 503: GET DELETE GET DELETE; stored: nothing
    exit 0
    warning: GitBook server error: 503 Come back later
    info: deleted hello-fix (… s)
    == 429: GET DELETE GET DELETE; stored: nothing
    exit 0
    warning: GitBook rate limit reached: 429 No
    info: deleted hello-fix (… s)
    ");
}

#[tokio::test]
async fn a_proxy_page_or_redirect_does_not_count_as_a_deletion() {
    let cases: &[TestCase<'_>] = &[
        ("HTML page with 200", "DELETE", &[Respond(Dropped, html_page(200))]),
        ("HTML page with 404", "DELETE", &[Respond(Dropped, html_page(404))]),
        (
            "redirect",
            "DELETE",
            &[Respond(Dropped, Response::new(302, "").header("location", "http://localhost:1"))],
        ),
        ("empty response, after the effect", "DELETE", &[Respond(Applied, Response::new(200, ""))]),
        ("JSON object, after the effect", "DELETE", &[Respond(Applied, Response::new(200, "{}"))]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| deletion_outcome(case, 0, "20s").await).await, @"
    == HTML page with 200: GET DELETE; stored: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == HTML page with 404: GET DELETE; stored: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed
    cause: GitBook resource not found: 404 Not Found (not a GitBook response)
    == redirect: GET DELETE; stored: hello-fix 3
    exit 1
    error: deleting `hello-fix` failed
    cause: GitBook redirects to `localhost:1` (302); the token was not sent there
    == empty response, after the effect: GET DELETE; stored: nothing
    == JSON object, after the effect: GET DELETE; stored: nothing
    exit 0
    info: deleted hello-fix (… s)
    ");
}

#[tokio::test]
async fn reports_a_deletion_with_an_unknown_effect() {
    let cases: &[TestCase<'_>] = &[
        ("connection refused on retry", "DELETE", &[ResetAndRefuse(Applied)]),
        ("403 on retry", "DELETE", &[Reset(Dropped), Respond(Dropped, Response::error(403, "You may not"))]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| deletion_outcome(case, 1, "20s").await).await, @"
    == connection refused on retry: GET DELETE; stored: nothing
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: deleting `hello-fix` failed, but may have taken effect
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    == 403 on retry: GET DELETE GET DELETE; stored: hello-fix 3
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: deleting `hello-fix` failed, but may have taken effect
    cause: the token lacks a permission: 403 You may not
    ");
}

#[tokio::test]
async fn reports_a_deletion_that_times_out() {
    let cases: &[TestCase<'_>] = &[
        ("no response, without an effect", "DELETE", &[Stall(Dropped)]),
        ("no response, after the effect", "DELETE", &[Stall(Applied)]),
        ("half a response", "DELETE", &[StallInResponse]),
    ];
    insta::assert_snapshot!(outcome_table(cases, async |case| deletion_outcome(case, 0, "2s").await).await, @"
    == no response, without an effect: GET DELETE; stored: hello-fix 3
    == no response, after the effect: GET DELETE; stored: nothing
    == half a response: GET DELETE; stored: nothing
    exit 1
    error: deleting `hello-fix` failed, but may have taken effect
    cause: no response from GitBook within 2s
    ");
    insta::assert_snapshot!(outcome_table(cases, async |case| deletion_outcome(case, 1, "2s").await).await, @"
    == no response, without an effect: GET DELETE GET DELETE; stored: nothing
    == no response, after the effect: GET DELETE GET; stored: nothing
    == half a response: GET DELETE GET; stored: nothing
    exit 0
    warning: no response from GitBook within 2s
    info: deleted hello-fix (… s)
    ");
}
