//! Signals during requests to the forge.

use super::{StartedRun, TestEnvironment, outcome_for_all_signals, outcomes_per_signal};
use crate::support::{Effect, Fault};

/// Sends signals while a barrier holds a request to the forge, or only its response. Returns the outcome.
async fn cancel_held_request(method: &str, pattern: &str, response_only: bool) -> String {
    outcome_for_all_signals(async || {
        let environment = TestEnvironment::new().await;
        let barrier = if response_only {
            environment.forge.hold_response(method, pattern)
        } else {
            environment.forge.hold(method, pattern)
        };
        let run = environment.pull_request("opened");
        environment.started_at_barrier(run, barrier).await
    })
    .await
}

/// Packaging runs in parallel. The report can name the integrations only if packaging has finished.
#[tokio::test]
async fn cancels_the_staleness_check() {
    let outcomes = outcomes_per_signal(async || {
        let environment = TestEnvironment::new().await;
        let barrier = environment.forge.hold("GET", "/pulls/12$");
        let run = environment.pull_request("opened");
        environment.started_at_barrier(run, barrier).await
    });
    for outcome in outcomes.await {
        let names = ["one-fix", "two-fix"]
            .map(|name| format!("info: skipped {name} (… s): not started: cancelled by SIG…\n"));
        let unnamed = names.iter().fold(outcome, |outcome, name| outcome.replace(name, ""));
        insta::allow_duplicates!(
            insta::assert_snapshot!(unnamed.replace("result skipped", "result failed"), @"
            result failed
            warning: received SIG…: starting no new work
            error: cancelled by SIG…
            ")
        );
    }
}

#[tokio::test]
async fn cancels_while_a_deployment_is_created() {
    let outcome = cancel_held_request("POST", "/deployments$", false).await;
    insta::assert_snapshot!(outcome, @"
    result skipped
    warning: received SIG…: starting no new work
    info: skipped one-fix (0.1 KiB, … s): not started: cancelled by SIG…
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled by SIG…
    gitbook preview: one/fix: failure
    ");
    assert_eq!(cancel_held_request("POST", "/deployments$", true).await, outcome);
}

/// The request that sets the status `in_progress` is in flight. Another status must follow it.
#[tokio::test]
async fn cancels_while_the_status_in_progress_is_set() {
    let outcome = outcome_for_all_signals(async || {
        let environment = TestEnvironment::new().await;
        let barrier = environment.forge.hold("POST", "/statuses$");
        let run = environment.pull_request("opened");
        let started = environment.started_with_fault(run, "POST", Fault::Stall(Effect::Dropped)).await;
        barrier.reached().await;
        StartedRun { barrier: Some(barrier), ..started }
    });
    insta::assert_snapshot!(outcome.await, @"
    result failed
    warning: received SIG…: starting no new work
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled while publishing `one-fix`; the request may have taken effect
    error: cancelled by SIG…
    gitbook preview: one/fix: in_progress, failure
    ");
}

#[tokio::test]
async fn a_cancelled_publication_sets_the_deployment_status_failure() {
    let outcome = outcome_for_all_signals(async || {
        let environment = TestEnvironment::new().await;
        let run = environment.pull_request("opened");
        environment.started_with_fault(run, "POST", Fault::Stall(Effect::Dropped)).await
    });
    insta::assert_snapshot!(outcome.await, @"
    result failed
    warning: received SIG…: starting no new work
    info: skipped two-fix (… s): not started: cancelled by SIG…
    error: cancelled while publishing `one-fix`; the request may have taken effect
    error: cancelled by SIG…
    gitbook preview: one/fix: in_progress, failure
    ");
}

#[tokio::test]
async fn cancels_while_the_comment_is_created() {
    let outcome = cancel_held_request("POST", "/issues/12/comments$", false).await;
    insta::assert_snapshot!(outcome, @"
    result published
    info: published one-fix v1 (0.1 KiB, … s)
    info: published two-fix v1 (0.1 KiB, … s)
    warning: received SIG…: starting no new work
    error: cancelled by SIG…
    gitbook preview: one/fix: in_progress, success
    gitbook preview: two/fix: in_progress, success
    ");
}
