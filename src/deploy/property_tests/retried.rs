//! Simulates runs with a request that fails once, and changes by other runs before the second attempt.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::fault_injector::Fault;
use super::scenario::{Action, RetriedRun, SimulatedRun, Step};
use super::test_environment::{ExistingIntegration, ExpectedState, TestEnvironment, check_outcome};
use crate::deploy::Outcome;

impl TestEnvironment {
    /// Simulates a run with a request that fails once. Applies the intermediate step before the second attempt, and checks the outcome.
    pub(super) async fn run_with_failure(
        &self,
        run: SimulatedRun,
        retried: &RetriedRun,
        has_run_numbers: bool,
        state: &mut ExpectedState,
    ) -> Result<(), TestCaseError> {
        let name = self.preview_name(run.key);
        let first_expected = state.expected_status(&name, run);
        let (triggered, answer) = self.fault_injector.plan(retried.fault);
        let mut work = std::pin::pin!(self.publish_or_delete(run));
        let outcome = tokio::select! {
            outcome = &mut work => {
                self.fault_injector.cancel();
                prop_assert!(!state.requires_request(&name, first_expected), "no request was sent: {:?}", outcome.result);
                return state.check_and_apply(&outcome, &name, run, first_expected, "");
            }
            triggered = triggered => {
                prop_assert!(triggered.is_ok() && state.requires_request(&name, first_expected), "expected {}", first_expected);
                if retried.fault == Fault::ResponseLost {
                    state.apply(&name, run);
                }
                self.apply_intermediate_step(run, retried, has_run_numbers, state).await?;
                drop(answer);
                work.await
            }
        };
        state.retried += 1;
        let earlier_attempt = match (retried.fault, run.content) {
            (Fault::RateLimited, _) => String::new(),
            (_, Some(_)) => format!("; an earlier request may have published `{name}`"),
            (_, None) => format!("; an earlier request may have deleted `{name}`"),
        };
        let earlier_attempt = earlier_attempt.as_str();
        // The first attempt of this run has already published the version.
        let expected = match state.expected_status(&name, run) {
            "unchanged" if state.was_published_by(&name, run) => {
                return check_outcome(&outcome, &name, "published", earlier_attempt);
            }
            "unchanged" => "published",
            expected => expected,
        };
        state.check_and_apply(&outcome, &name, run, expected, earlier_attempt)
    }

    async fn apply_intermediate_step(
        &self,
        run: SimulatedRun,
        retried: &RetriedRun,
        has_run_numbers: bool,
        state: &mut ExpectedState,
    ) -> Result<(), TestCaseError> {
        let Some(step) = &retried.intermediate_step else { return Ok(()) };
        let is_other_preview = step.key != run.key;
        let is_allowed = match step.action {
            Action::PublishThirdParty(_) | Action::Damage(_) => true,
            // Without run numbers, the program cannot tell which run is newer.
            _ if !has_run_numbers => is_other_preview,
            // After a close, an older run may publish the preview again. Then only a sweep deletes the preview.
            Action::Close => is_other_preview || run.content.is_none(),
            // A newer run that publishes nothing new does not change the marker, so only the forge could detect the newer run.
            Action::Push { content } if run.content.is_none() && !is_other_preview => {
                let newer = SimulatedRun { content: Some(content), run: state.run + 1, ..run };
                state.expected_status(&self.preview_name(run.key), newer) != "unchanged"
            }
            _ => true,
        };
        if is_allowed {
            Box::pin(self.apply_step(
                &Step { key: step.key, action: step.action.clone() },
                has_run_numbers,
                state,
            ))
            .await?;
            self.check_integrations(state)?;
        }
        Ok(())
    }

    pub(super) async fn publish_or_delete(&self, run: SimulatedRun) -> Outcome {
        match run.content {
            Some(content) => Box::pin(self.publish(run, content)).await,
            None => Box::pin(self.delete(run)).await,
        }
    }
}

impl ExpectedState {
    /// Returns the expected outcome of a run.
    pub(super) fn expected_status(&self, name: &str, run: SimulatedRun) -> &'static str {
        let SimulatedRun { key, content, run } = run;
        match self.integrations.get(name) {
            None if content.is_some() => "published",
            None => "deleted",
            Some(ExistingIntegration::ThirdParty(_)) => "failed",
            Some(ExistingIntegration::Own { key: other, .. }) if *other != key => "failed",
            Some(ExistingIntegration::Own { run: newer, .. }) if *newer > run && run != 0 => "skipped",
            Some(ExistingIntegration::Own { content: same, .. }) if Some(*same) == content => "unchanged",
            Some(ExistingIntegration::Own { .. }) if content.is_some() => "published",
            Some(ExistingIntegration::Own { .. }) => "deleted",
        }
    }

    /// Returns true if the expected outcome requires a request that changes the integration.
    fn requires_request(&self, name: &str, expected: &str) -> bool {
        expected == "published" || (expected == "deleted" && self.integrations.contains_key(name))
    }

    fn was_published_by(&self, name: &str, run: SimulatedRun) -> bool {
        matches!(self.integrations.get(name), Some(ExistingIntegration::Own { run: number, .. }) if *number == run.run)
    }

    /// Checks the outcome of a run and updates the expected state.
    pub(super) fn check_and_apply(
        &mut self,
        outcome: &Outcome,
        name: &str,
        run: SimulatedRun,
        expected: &'static str,
        earlier_attempt: &str,
    ) -> Result<(), TestCaseError> {
        check_outcome(outcome, name, expected, earlier_attempt)?;
        if run.content.is_some() {
            self.conflicts.remove(&run.key);
        }
        match expected {
            "failed" if run.content.is_some() => {
                self.conflicts.insert(run.key, name.to_owned());
            }
            "published" | "deleted" => self.apply(name, run),
            _ => {}
        }
        Ok(())
    }

    /// Updates the expected state after a run has published or deleted the preview.
    fn apply(&mut self, name: &str, run: SimulatedRun) {
        let SimulatedRun { key, content, run } = run;
        let before = match self.integrations.remove(name) {
            Some(ExistingIntegration::Own { version, .. }) => version,
            _ => 0,
        };
        if let Some(content) = content {
            self.integrations
                .insert(name.to_owned(), ExistingIntegration::Own { key, run, content, version: before + 1 });
        }
    }
}
