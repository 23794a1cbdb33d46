//! Signals during requests to the forge.

use super::{Started, TestEnvironment, cancelled, each_cancelled};
use crate::support::{Effect, Fault};

/// Sends signals while a request to the forge is held.
async fn before(method: &str, pattern: &str, answer_only: bool) -> String {
    cancelled(async || {
        let environment = TestEnvironment::new().await;
        let barrier = if answer_only {
            environment.forge.hold_response(method, pattern)
        } else {
            environment.forge.hold(method, pattern)
        };
        let run = environment.pull_request("opened");
        environment.gated(run, barrier).await
    })
    .await
}

/// The integrations are packaged at the same time. Before that is done, their names are unknown.
#[tokio::test]
async fn cancels_the_staleness_check() {
    let each = each_cancelled(async || {
        let environment = TestEnvironment::new().await;
        let barrier = environment.forge.hold("GET", "/pulls/12$");
        let run = environment.pull_request("opened");
        environment.gated(run, barrier).await
    });
    for outcome in each.await {
        let names = ["one-fix", "two-fix"]
            .map(|name| format!("info: skipped {name} (… s): not started: cancelled by SIG…\n"));
        let unnamed = names.iter().fold(outcome, |outcome, name| outcome.replace(name, ""));
        insta::allow_duplicates!(
            insta::assert_snapshot!(unnamed.replace("result skipped", "result failed"), @"
            result failed
            warning: received SIG…: no new work is started
            error: cancelled by SIG…
            ")
        );
    }
}

#[tokio::test]
async fn cancels_while_a_deployment_is_created() {
    let outcome = before("POST", "/deployments$", false).await;
    insta::assert_snapshot!(outcome, @"
    result skipped
    warning: received SIG…: no new work is started
    info: skipped one-fix (0.1 KiB, … s): not started: cancelled by SIG…
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled by SIG…
    gitbook preview: one/fix: failure
    ");
    assert_eq!(before("POST", "/deployments$", true).await, outcome);
}

/// The status `in_progress` is on its way and must not be the last one.
#[tokio::test]
async fn cancels_the_status_in_progress() {
    let outcome = cancelled(async || {
        let environment = TestEnvironment::new().await;
        let barrier = environment.forge.hold("POST", "/statuses$");
        let run = environment.pull_request("opened");
        let started = environment.started_with_fault(run, "POST", Fault::Stall(Effect::Lost)).await;
        barrier.reached().await;
        Started { barrier: Some(barrier), ..started }
    });
    insta::assert_snapshot!(outcome.await, @"
    result failed
    warning: received SIG…: no new work is started
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled while publishing `one-fix`; the request may have taken effect
    error: cancelled by SIG…
    gitbook preview: one/fix: in_progress, failure
    ");
}

#[tokio::test]
async fn cancels_publishing_with_a_deployment() {
    let outcome = cancelled(async || {
        let environment = TestEnvironment::new().await;
        let run = environment.pull_request("opened");
        environment.started_with_fault(run, "POST", Fault::Stall(Effect::Lost)).await
    });
    insta::assert_snapshot!(outcome.await, @"
    result failed
    warning: received SIG…: no new work is started
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled while publishing `one-fix`; the request may have taken effect
    error: cancelled by SIG…
    gitbook preview: one/fix: in_progress, failure
    ");
}

#[tokio::test]
async fn cancels_the_comment() {
    let outcome = before("POST", "/issues/12/comments$", false).await;
    insta::assert_snapshot!(outcome, @"
    result published
    info: published one-fix v1 (0.1 KiB, … s)
    info: published two-fix v1 (0.1 KiB, … s)
    warning: received SIG…: no new work is started
    error: cancelled by SIG…
    gitbook preview: one/fix: in_progress, success
    gitbook preview: two/fix: in_progress, success
    ");
}
