//! While the forge is asked, and told.

use super::{Started, World, cancelled, each_cancelled};
use crate::support::{Effect, Fault};

/// A pull request whose run stands before a gate on the forge.
async fn before(method: &str, pattern: &str, answer_only: bool) -> String {
    cancelled(async || {
        let world = World::new().await;
        let gate = if answer_only {
            world.forge.hold_answer(method, pattern)
        } else {
            world.forge.hold(method, pattern)
        };
        let run = world.pull_request("opened");
        world.gated(run, gate).await
    })
    .await
}

/// Meanwhile the integrations are packaged. Only where that is done already they are known by name.
#[tokio::test]
async fn whether_the_commit_is_the_newest() {
    let each = each_cancelled(async || {
        let world = World::new().await;
        let gate = world.forge.hold("GET", "/pulls/12$");
        let run = world.pull_request("opened");
        world.gated(run, gate).await
    });
    for told in each.await {
        let names = ["one-fix", "two-fix"]
            .map(|name| format!("info: skipped `{name}` (not started: cancelled by SIG…)\n"));
        let unnamed = names.iter().fold(told, |told, name| told.replace(name, ""));
        insta::allow_duplicates!(
            insta::assert_snapshot!(unnamed.replace("result skipped", "result failed"), @"
        result failed
        warning: SIG…: no new work is started
        error: cancelled by SIG…
         hint: what was done until then is in the outputs; running again is safe
        ")
        );
    }
}

#[tokio::test]
async fn the_beginning_of_a_deployment() {
    let told = before("POST", "/deployments$", false).await;
    insta::assert_snapshot!(told, @"
    result skipped
    warning: SIG…: no new work is started
    info: skipped `one-fix` (not started: cancelled by SIG…)
    info: skipped `two-fix` (not started: cancelled by SIG…)
    error: cancelled by SIG…
     hint: what was done until then is in the outputs; running again is safe
    gitbook preview: one/fix: failure
    ");
    assert_eq!(before("POST", "/deployments$", true).await, told);
}

/// The word that it is in progress is on its way all the while, and must not be the last one.
#[tokio::test]
async fn the_word_that_a_deployment_is_in_progress() {
    let told = cancelled(async || {
        let world = World::new().await;
        let gate = world.forge.hold("POST", "/statuses$");
        let run = world.pull_request("opened");
        let started = world.struck(run, "POST", Fault::Stall(Effect::Lost)).await;
        gate.reached().await;
        Started { gate: Some(gate), ..started }
    });
    insta::assert_snapshot!(told.await, @"
    result failed
    warning: SIG…: no new work is started
    info: skipped `two-fix` (not started: cancelled by SIG…)
    error: cancelled while publishing `one-fix`, which may or may not have happened
     hint: run again; publishing and deleting can be repeated safely
    error: cancelled by SIG…
     hint: what was done until then is in the outputs; running again is safe
    gitbook preview: one/fix: in_progress, failure
    ");
}

#[tokio::test]
async fn the_publishing_with_a_deployment_on_record() {
    let told = cancelled(async || {
        let world = World::new().await;
        let run = world.pull_request("opened");
        world.struck(run, "POST", Fault::Stall(Effect::Lost)).await
    });
    insta::assert_snapshot!(told.await, @"
    result failed
    warning: SIG…: no new work is started
    info: skipped `two-fix` (not started: cancelled by SIG…)
    error: cancelled while publishing `one-fix`, which may or may not have happened
     hint: run again; publishing and deleting can be repeated safely
    error: cancelled by SIG…
     hint: what was done until then is in the outputs; running again is safe
    gitbook preview: one/fix: in_progress, failure
    ");
}

#[tokio::test]
async fn the_comment() {
    let told = before("POST", "/issues/12/comments$", false).await;
    insta::assert_snapshot!(told, @"
    result published
    info: published `one-fix`
    info: published `two-fix`
    warning: SIG…: no new work is started
    error: cancelled by SIG…
     hint: what was done until then is in the outputs; running again is safe
    gitbook preview: one/fix: in_progress, success
    gitbook preview: two/fix: in_progress, success
    ");
}
