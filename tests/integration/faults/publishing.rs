//! Faults while an integration is published to production.

use super::{TestCase, TestEnvironment, gitbook_error, html_page, outcome_table};
use crate::support::Effect::{Applied, Dropped};
use crate::support::Fault::{
    self, Cut, CutWithoutLength, Drip, HangUp, Reset, ResetAndRefuse, ResetInRequest, ResetInResponse,
    ResetOnConnect, Respond, Stall, StallInResponse,
};
use crate::support::Response;

/// Publishes with as many attempts as the test case has faults, and returns the outcome.
async fn outcome_if_all_attempts_fail((name, kind, faults): &TestCase<'_>) -> String {
    publish_outcome(name, kind, faults, faults.len() - 1, "20s").await
}

/// Publishes with one attempt more than the test case has faults, and returns the outcome.
async fn outcome_with_one_more_attempt((name, kind, faults): &TestCase<'_>) -> String {
    publish_outcome(name, kind, faults, faults.len(), "20s").await
}

async fn publish_outcome(
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
    let run = environment.run(retries).on_push_to("main").variable("GITBOOK_TIMEOUT", timeout);
    let outcome = environment.outcome(name, run).await;
    assert_eq!(environment.proxy.fault_count(), faults.len(), "{outcome}");
    outcome
}

const BROKEN_CONNECTIONS: &[TestCase<'_>] = &[
    ("reset during the request", "POST", &[ResetInRequest]),
    ("reset after the request, without an effect", "POST", &[Reset(Dropped)]),
    ("reset after the request, after the effect", "POST", &[Reset(Applied)]),
    ("closed after the request, without an effect", "POST", &[HangUp(Dropped)]),
    ("closed after the request, after the effect", "POST", &[HangUp(Applied)]),
    ("reset during the response", "POST", &[ResetInResponse]),
    ("response cut short", "POST", &[Cut]),
    ("response without a length cut short", "POST", &[CutWithoutLength]),
];

#[tokio::test]
async fn reports_a_broken_connection() {
    insta::assert_snapshot!(outcome_table(BROKEN_CONNECTIONS, outcome_if_all_attempts_fail).await, @"
    == reset during the request: GET POST; stored: nothing
    == reset after the request, without an effect: GET POST; stored: nothing
    == reset after the request, after the effect: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == closed after the request, without an effect: GET POST; stored: nothing
    == closed after the request, after the effect: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection to GitBook lost: connection closed before message completed
    == reset during the response: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection to GitBook lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    == response cut short: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection to GitBook lost: request or response body error: error reading a body from connection: end of file before message length reached
    == response without a length cut short: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: EOF while parsing …
    ");
}

#[tokio::test]
async fn retries_after_a_broken_connection() {
    insta::assert_snapshot!(outcome_table(BROKEN_CONNECTIONS, outcome_with_one_more_attempt).await, @"
    == reset during the request: GET POST GET POST; stored: hello 1
    == reset after the request, without an effect: GET POST GET POST; stored: hello 1
    == reset after the request, after the effect: GET POST GET; stored: hello 1
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: published hello v1 (0.1 KiB, … s)
    == closed after the request, without an effect: GET POST GET POST; stored: hello 1
    == closed after the request, after the effect: GET POST GET; stored: hello 1
    exit 0
    warning: connection to GitBook lost: connection closed before message completed
    info: published hello v1 (0.1 KiB, … s)
    == reset during the response: GET POST GET; stored: hello 1
    exit 0
    warning: connection to GitBook lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    info: published hello v1 (0.1 KiB, … s)
    == response cut short: GET POST GET; stored: hello 1
    exit 0
    warning: connection to GitBook lost: request or response body error: error reading a body from connection: end of file before message length reached
    info: published hello v1 (0.1 KiB, … s)
    == response without a length cut short: GET POST GET; stored: hello 1
    exit 0
    warning: GitBook sent an unexpected response body with status 200
    info: published hello v1 (0.1 KiB, … s)
    ");
}

#[tokio::test]
async fn reports_earlier_attempts_with_an_unknown_effect() {
    let api_error = |status, message: &str| Respond(Dropped, Response::error(status, message));
    let cases: &[TestCase<'_>] = &[
        ("connection refused on retry", "POST", &[ResetAndRefuse(Applied)]),
        ("401 on retry", "POST", &[Reset(Dropped), api_error(401, "Authentication required")]),
        ("429 on retry", "POST", &[Reset(Dropped), api_error(429, "Too many requests")]),
        ("400 on retry", "POST", &[HangUp(Dropped), api_error(400, "No.")]),
        (
            "redirect on retry",
            "POST",
            &[
                Reset(Dropped),
                Respond(Dropped, Response::new(302, "").header("location", "http://localhost:1")),
            ],
        ),
        (
            "long rate limit on retry",
            "POST",
            &[Reset(Dropped), Respond(Dropped, Response::error(429, "No").header("retry-after", "3600"))],
        ),
    ];
    let outcome = outcome_table(cases, async |(name, kind, faults)| {
        publish_outcome(name, kind, faults, 1, "20s").await
    })
    .await;
    insta::assert_snapshot!(outcome, @"
    == connection refused on retry: GET POST; stored: hello 1
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    == 401 on retry: GET POST GET POST; stored: nothing
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rejected the token: 401 Authentication required
    == 429 on retry: GET POST GET POST; stored: nothing
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rate limit reached: 429 Too many requests
    == 400 on retry: GET POST GET POST; stored: nothing
    exit 1
    warning: connection to GitBook lost: connection closed before message completed
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rejected the request: 400 No.
    == redirect on retry: GET POST GET POST; stored: nothing
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook redirects to `localhost:1` (302); the token was not sent there
    == long rate limit on retry: GET POST GET POST; stored: nothing
    exit 1
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook rate limit reached: 429 No
    ");
}

#[tokio::test]
async fn reports_an_invalid_response() {
    let cases: &[TestCase<'_>] = &[
        ("HTML page with 200, without an effect", "POST", &[Respond(Dropped, html_page(200))]),
        ("HTML page with 200, after the effect", "POST", &[Respond(Applied, html_page(200))]),
        ("empty response", "POST", &[Respond(Dropped, Response::new(200, ""))]),
        ("HTML page with 403", "POST", &[Respond(Dropped, html_page(403))]),
        ("HTML page with 502, after the effect", "POST", &[Respond(Applied, html_page(502))]),
        ("503", "POST", &[gitbook_error(503)]),
        ("429", "POST", &[gitbook_error(429)]),
    ];
    insta::assert_snapshot!(outcome_table(cases, outcome_if_all_attempts_fail).await, @"
    == HTML page with 200, without an effect: GET POST; stored: nothing
    == HTML page with 200, after the effect: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: expected value at line 1 column 1
    == empty response: GET POST; stored: nothing
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook sent an unexpected response body with status 200: EOF while parsing …
    == HTML page with 403: GET POST; stored: nothing
    exit 1
    error: publishing `hello` failed
    cause: the token lacks a permission: 403 Forbidden (not a GitBook response)
    == HTML page with 502, after the effect: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook server error: 502 Bad Gateway (not a GitBook response)
    == 503: GET POST; stored: nothing
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: GitBook server error: 503 Come back later
    == 429: GET POST; stored: nothing
    exit 1
    error: publishing `hello` failed
    cause: GitBook rate limit reached: 429 Come back later
    ");
}

#[tokio::test]
async fn retries_after_a_rate_limit_or_server_error() {
    let limited =
        |name, value: &str| Respond(Dropped, Response::error(429, "Too many requests").header(name, value));
    let cases: &[TestCase<'_>] = &[
        ("rate limit without a reset time", "POST", &[gitbook_error(429)]),
        ("rate limit of 1 s", "POST", &[limited("retry-after", "1")]),
        ("expired rate limit", "POST", &[limited("x-ratelimit-reset", "1")]),
        ("three server errors", "POST", &[gitbook_error(500), gitbook_error(502), gitbook_error(503)]),
        (
            "two server errors, the second after the effect",
            "POST",
            &[Respond(Dropped, html_page(502)), Respond(Applied, html_page(504))],
        ),
    ];
    insta::assert_snapshot!(outcome_table(cases, outcome_with_one_more_attempt).await, @"
    == rate limit without a reset time: GET POST GET POST; stored: hello 1
    exit 0
    warning: GitBook rate limit reached: 429 Come back later
    info: published hello v1 (0.1 KiB, … s)
    == rate limit of 1 s: GET POST GET POST; stored: hello 1
    == expired rate limit: GET POST GET POST; stored: hello 1
    exit 0
    warning: GitBook rate limit reached: 429 Too many requests
    info: published hello v1 (0.1 KiB, … s)
    == three server errors: GET POST GET POST GET POST GET POST; stored: hello 1
    exit 0
    warning: GitBook server error: 500 Come back later
    warning: GitBook server error: 502 Come back later
    warning: GitBook server error: 503 Come back later
    info: published hello v1 (0.1 KiB, … s)
    == two server errors, the second after the effect: GET POST GET POST GET; stored: hello 1
    exit 0
    warning: GitBook server error: 502 Bad Gateway (not a GitBook response)
    warning: GitBook server error: 504 Gateway Timeout (not a GitBook response)
    info: published hello v1 (0.1 KiB, … s)
    ");
}

#[tokio::test]
async fn reports_a_timeout() {
    let cases: &[TestCase<'_>] = &[
        ("no response, without an effect", "POST", &[Stall(Dropped)]),
        ("no response, after the effect", "POST", &[Stall(Applied)]),
        ("half a response", "POST", &[StallInResponse]),
        ("one byte per second", "POST", &[Drip]),
    ];
    let check = async |retries| {
        outcome_table(cases, async move |(name, kind, faults)| {
            publish_outcome(name, kind, faults, retries, "2s").await
        })
        .await
    };
    let (once, twice) = tokio::join!(check(0), check(1));
    insta::assert_snapshot!(once, @"
    == no response, without an effect: GET POST; stored: nothing
    == no response, after the effect: GET POST; stored: hello 1
    == half a response: GET POST; stored: hello 1
    == one byte per second: GET POST; stored: hello 1
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: no response from GitBook within 2s
    ");
    insta::assert_snapshot!(twice, @"
    == no response, without an effect: GET POST GET POST; stored: hello 1
    == no response, after the effect: GET POST GET; stored: hello 1
    == half a response: GET POST GET; stored: hello 1
    == one byte per second: GET POST GET; stored: hello 1
    exit 0
    warning: no response from GitBook within 2s
    info: published hello v1 (0.1 KiB, … s)
    ");
}

/// The operating system may report the reset while connecting or while sending, so the test does not compare the log.
#[tokio::test]
async fn retries_a_connection_that_is_reset_at_once() {
    let case = ("reset on connecting", "CONNECT", [ResetOnConnect, ResetOnConnect].as_slice());
    let (once, again) =
        tokio::join!(publish_outcome(case.0, case.1, case.2, 0, "20s"), outcome_with_one_more_attempt(&case));
    assert!(once.starts_with("== reset on connecting: CONNECT CONNECT; stored: nothing\nexit 1\n"), "{once}");
    assert!(
        again.starts_with("== reset on connecting: CONNECT CONNECT GET POST; stored: hello 1\nexit 0\n"),
        "{again}"
    );
}

#[tokio::test]
async fn reports_a_reset_while_a_large_body_is_sent() {
    let check = async |name: &'static str, fault: Fault, retries: usize| {
        let environment = TestEnvironment::new().await;
        let script = format!("export default {{ a: '{}' }};\n", "0123456789abcdef".repeat(500_000));
        std::fs::write(environment.repository.path("hello/main.ts"), script).unwrap();
        environment.proxy.fail("POST", fault, 1);
        let run = environment.run(retries).on_push_to("main").variable("GITBOOK_BUNDLE", "false");
        environment.outcome(name, run.variable("GITBOOK_SCRIPT", "main.ts")).await
    };
    let outcome = futures::future::join_all([
        check("reset during the request", ResetInRequest, 0),
        check("reset during the request, then success", ResetInRequest, 1),
        check("reset during the response, then success", ResetInResponse, 1),
    ]);
    // The program may notice the reset while it sends the request or while it waits for the response.
    let outcome = outcome.await.join("\n").replace("error writing a body to connection", "connection error");
    insta::assert_snapshot!(outcome, @"
    == reset during the request: GET POST; stored: nothing
    exit 1
    error: publishing `hello` failed, but may have taken effect
    cause: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    == reset during the request, then success: GET POST GET POST; stored: hello 1
    exit 0
    warning: connection to GitBook lost: connection error: Connection reset by peer (os error 104)
    info: published hello v1 (7812.5 KiB, … s)
    == reset during the response, then success: GET POST GET; stored: hello 1
    exit 0
    warning: connection to GitBook lost: request or response body error: error reading a body from connection: Connection reset by peer (os error 104)
    info: published hello v1 (7812.5 KiB, … s)
    ");
}
