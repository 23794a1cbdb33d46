//! Signals during requests to GitBook.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::{StartedRun, TestEnvironment, outcome_for_all_signals, wait_until};
use crate::support::Effect::{Applied, Dropped};
use crate::support::Fault::{self, Respond, Stall, StallInResponse};
use crate::support::Response;

/// Sends signals while a request to publish has this fault. Returns the outcome.
async fn cancel_publishing(fault: Fault) -> String {
    outcome_for_all_signals(async || {
        let environment = TestEnvironment::new().await;
        let run = environment.push();
        environment.started_with_fault(run, "POST", fault.clone()).await
    })
    .await
}

/// Publishes with a fault, and sends signals once the log contains a text. Returns the outcome.
async fn cancel_publishing_after_log(fault: Fault, text: &str) -> String {
    outcome_for_all_signals(async || {
        let environment = TestEnvironment::new().await;
        let run = environment.push();
        let started = environment.started_with_fault(run, "POST", fault.clone()).await;
        wait_until(text, async || started.run.has_logged(text)).await;
        started
    })
    .await
}

/// The server accepts the connection, but never sends a certificate.
#[tokio::test]
async fn cancels_while_connecting() {
    let outcome = outcome_for_all_signals(async || {
        let environment = TestEnvironment::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let run = environment.push().variable("GITBOOK_ENDPOINT", endpoint).start();
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        StartedRun::new(environment, run).keep_alive((listener, stream))
    });
    insta::assert_snapshot!(outcome.await, @"
    result skipped
    warning: received SIG…: starting no new work
    info: skipped one (… s): not started: cancelled by SIG…
    info: skipped two (… s): not started: cancelled by SIG…
    error: cancelled by SIG…
    ");
}

#[tokio::test]
async fn cancels_a_request_in_flight() {
    let (lost, done) = tokio::join!(cancel_publishing(Stall(Dropped)), cancel_publishing(Stall(Applied)));
    insta::assert_snapshot!(lost, @"
    result failed
    warning: received SIG…: starting no new work
    info: skipped two (… s): not started: cancelled by SIG…
    error: cancelled while publishing `one`; the request may have taken effect
    error: cancelled by SIG…
    gitbook: one: in_progress, failure
    ");
    assert_eq!(lost, done, "the effect of the request is unknown in both cases");
}

#[tokio::test]
async fn cancels_while_a_response_is_read() {
    insta::assert_snapshot!(cancel_publishing(StallInResponse).await, @"
    result failed
    warning: received SIG…: starting no new work
    info: skipped two (… s): not started: cancelled by SIG…
    error: cancelled while publishing `one`; the request may have taken effect
    error: cancelled by SIG…
    gitbook: one: in_progress, failure
    ");
}

#[tokio::test]
async fn cancels_the_pause_before_a_retry() {
    let busy = |status| Respond(Dropped, Response::error(status, "Busy").header("retry-after", "60"));
    let (busy, limited) = tokio::join!(
        cancel_publishing_after_log(busy(503), "503 Busy"),
        cancel_publishing_after_log(busy(429), "429 Busy")
    );
    insta::assert_snapshot!(busy, @"
    result failed
    warning: GitBook server error: 503 Busy
    warning: received SIG…: starting no new work
    info: skipped two (… s): not started: cancelled by SIG…
    error: publishing `one` failed, but may have taken effect
    cause: cancelled before the retry
    error: cancelled by SIG…
    gitbook: one: in_progress, failure
    ");
    insta::assert_snapshot!(limited, @"
    result failed
    warning: GitBook rate limit reached: 429 Busy
    warning: received SIG…: starting no new work
    info: skipped two (… s): not started: cancelled by SIG…
    error: publishing `one` failed
    cause: cancelled before the retry
    error: cancelled by SIG…
    gitbook: one: in_progress, failure
    ");
}

#[tokio::test]
async fn cancels_the_read_before_publishing() {
    let read = async |action: &'static str| {
        let started = outcome_for_all_signals(async || {
            let environment = TestEnvironment::with_previews().await;
            let run = environment.pull_request(action);
            if action == "closed" {
                environment.forge.close_pull_request(12);
            }
            environment.started_with_fault(run, "GET", Stall(Applied)).await
        });
        started.await
    };
    let (publish, delete) = tokio::join!(read("synchronize"), read("closed"));
    insta::assert_snapshot!(publish, @"
    result skipped
    warning: received SIG…: starting no new work
    info: skipped one-fix (0.1 KiB, … s): not started: cancelled by SIG…
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled by SIG…
    ");
    insta::assert_snapshot!(delete, @"
    result skipped
    warning: received SIG…: starting no new work
    info: skipped one-fix (… s): not started: cancelled by SIG…
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled by SIG…
    ");
}

/// The program aborts the read before the retry, and reports the effect of the first attempt.
#[tokio::test]
async fn cancels_the_read_before_a_retry() {
    let read = async |action: &'static str, method: &'static str, status: u16| {
        let started = outcome_for_all_signals(async || {
            let environment = TestEnvironment::with_previews().await;
            if action == "closed" {
                environment.forge.close_pull_request(12);
            }
            environment.gitbook.fail(method, Respond(Dropped, Response::error(status, "Busy")), 1);
            // The read before the first attempt succeeds; the read before the retry stalls.
            environment.gitbook.fail("GET", Fault::None, 1);
            environment.gitbook.fail("GET", Stall(Applied), 1);
            let run = environment.pull_request(action);
            environment.started_with_faults(run, 2).await
        });
        started.await
    };
    let (publish, delete, limited) = tokio::join!(
        read("synchronize", "POST", 503),
        read("closed", "DELETE", 503),
        read("closed", "DELETE", 429)
    );
    insta::assert_snapshot!(publish, @"
    result failed
    warning: GitBook server error: 503 Busy
    warning: received SIG…: starting no new work
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: publishing `one-fix` failed, but may have taken effect
    cause: cancelled before the retry
    error: cancelled by SIG…
    gitbook preview: one/fix: in_progress, failure
    ");
    insta::assert_snapshot!(delete, @"
    result failed
    warning: GitBook server error: 503 Busy
    warning: received SIG…: starting no new work
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: deleting `one-fix` failed, but may have taken effect
    cause: cancelled before the retry
    error: cancelled by SIG…
    ");
    insta::assert_snapshot!(limited, @"
    result failed
    warning: GitBook rate limit reached: 429 Busy
    warning: received SIG…: starting no new work
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: deleting `one-fix` failed
    cause: cancelled before the retry
    error: cancelled by SIG…
    ");
}

#[tokio::test]
async fn cancels_a_deletion() {
    let deleting = async |fault: Fault| {
        let started = outcome_for_all_signals(async || {
            let environment = TestEnvironment::with_previews().await;
            environment.forge.close_pull_request(12);
            let run = environment.pull_request("closed");
            environment.started_with_fault(run, "DELETE", fault.clone()).await
        });
        started.await
    };
    let (lost, done) = tokio::join!(deleting(Stall(Dropped)), deleting(Stall(Applied)));
    insta::assert_snapshot!(lost, @"
    result failed
    warning: received SIG…: starting no new work
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled while deleting `one-fix`; the request may have taken effect
    error: cancelled by SIG…
    ");
    assert_eq!(lost, done, "the effect of the request is unknown in both cases");
}

#[tokio::test]
async fn cancels_a_sweep() {
    let sweeping = async |kind: &'static str, fault: Fault| {
        let started = outcome_for_all_signals(async || {
            let environment = TestEnvironment::with_previews().await;
            environment.forge.close_pull_request(12);
            environment.forge.delete_branch("fix");
            let run = environment.sweep();
            environment.started_with_fault(run, kind, fault.clone()).await
        });
        started.await
    };
    let (list, read, delete) = tokio::join!(
        sweeping("LIST", Stall(Applied)),
        sweeping("GET", Stall(Applied)),
        sweeping("DELETE", Stall(Applied))
    );
    insta::assert_snapshot!(list, @"
    result failed
    warning: received SIG…: starting no new work
    error: cancelled by SIG…
    ");
    insta::assert_snapshot!(read, @"
    result skipped
    warning: received SIG…: starting no new work
    info: skipped one-fix (… s): not started: cancelled by SIG…
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled by SIG…
    ");
    insta::assert_snapshot!(delete, @"
    result failed
    warning: received SIG…: starting no new work
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled while deleting `one-fix`; the request may have taken effect
    error: cancelled by SIG…
    ");
}
