//! Runs whose request fails once, and what others do before it is tried again.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::fault_injector::Fault;
use super::scenario::{Pair, Retried, Status, Step};
use super::test_environment::{Holder, State, World, came};
use crate::deploy::Outcome;

/// What a run is about to do, and with which number.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) pair: Pair,
    /// What it publishes; `None` where it deletes.
    pub(super) content: Option<usize>,
    pub(super) run: u64,
}

impl World {
    /// Lets a run's request fail, others do something before it is tried again, and looks whether that was taken into
    /// account.
    pub(super) async fn retried(
        &self,
        run: Run,
        retried: &Retried,
        numbered: bool,
        state: &mut State,
    ) -> Result<(), TestCaseError> {
        let name = self.name(run.pair);
        let first = state.expected(&name, run);
        let (struck, answer) = self.door.order(retried.fault);
        let mut work = std::pin::pin!(self.outcome(run));
        let outcome = tokio::select! {
            outcome = &mut work => {
                self.door.take_back();
                prop_assert!(!state.sends(&name, first), "nothing was sent: {:?}", outcome.result);
                return state.conclude(&outcome, &name, run, first, "");
            }
            struck = struck => {
                prop_assert!(struck.is_ok() && state.sends(&name, first), "it should be {}", first);
                if retried.fault == Fault::Success {
                    state.apply(&name, run);
                }
                self.meanwhile(run, retried, numbered, state).await?;
                drop(answer);
                work.await
            }
        };
        state.retried += 1;
        let tried = match (retried.fault, run.content) {
            (Fault::Limited, _) => "",
            (_, Some(_)) => "; an earlier try of publishing it may have happened",
            (_, None) => "; an earlier try of deleting it may have happened",
        };
        // What exactly this run has published needs no second version.
        let expected = match state.expected(&name, run) {
            "unchanged" if state.is_by(&name, run) => {
                return came(&outcome, &name, "published", tried);
            }
            "unchanged" => "published",
            expected => expected,
        };
        state.conclude(&outcome, &name, run, expected, tried)
    }

    async fn meanwhile(
        &self,
        run: Run,
        retried: &Retried,
        numbered: bool,
        state: &mut State,
    ) -> Result<(), TestCaseError> {
        let Some(step) = &retried.meanwhile else { return Ok(()) };
        let is_of_another = step.pair != run.pair;
        let may_be = match step.status {
            Status::Squat(_) | Status::Damage(_) => true,
            // Without numbers nobody knows which of them is newer.
            _ if !numbered => is_of_another,
            // That an older run brings back what was closed is for the sweep.
            Status::Close => is_of_another || run.content.is_none(),
            // One that finds nothing to change leaves no trace in the mark, so that only the forge could tell of it.
            Status::Push { content } if run.content.is_none() && !is_of_another => {
                let newer = Run { content: Some(content), run: state.run + 1, ..run };
                state.expected(&self.name(run.pair), newer) != "unchanged"
            }
            _ => true,
        };
        if may_be {
            Box::pin(self.happen(&Step { pair: step.pair, status: step.status.clone() }, numbered, state))
                .await?;
            self.look(state)?;
        }
        Ok(())
    }

    async fn outcome(&self, run: Run) -> Outcome {
        match run.content {
            Some(content) => Box::pin(self.published(run, content)).await,
            None => Box::pin(self.deleted(run)).await,
        }
    }
}

impl State {
    /// What a run should come to, as things stand.
    pub(super) fn expected(&self, name: &str, run: Run) -> &'static str {
        let Run { pair, content, run } = run;
        match self.holders.get(name) {
            None if content.is_some() => "published",
            None => "deleted",
            Some(Holder::Theirs(_)) => "failed",
            Some(Holder::Ours { pair: other, .. }) if *other != pair => "failed",
            Some(Holder::Ours { run: newer, .. }) if *newer > run && run != 0 => "skipped",
            Some(Holder::Ours { content: same, .. }) if Some(*same) == content => "unchanged",
            Some(Holder::Ours { .. }) if content.is_some() => "published",
            Some(Holder::Ours { .. }) => "deleted",
        }
    }

    /// Whether anything is changed where this is to be expected.
    fn sends(&self, name: &str, expected: &str) -> bool {
        expected == "published" || (expected == "deleted" && self.holders.contains_key(name))
    }

    fn is_by(&self, name: &str, run: Run) -> bool {
        matches!(self.holders.get(name), Some(Holder::Ours { run: number, .. }) if *number == run.run)
    }

    /// Holds what came of a run against what was expected, and keeps it.
    pub(super) fn conclude(
        &mut self,
        outcome: &Outcome,
        name: &str,
        run: Run,
        expected: &'static str,
        tried: &str,
    ) -> Result<(), TestCaseError> {
        came(outcome, name, expected, tried)?;
        if run.content.is_some() {
            self.refused.remove(&run.pair);
        }
        match expected {
            "failed" if run.content.is_some() => {
                self.refused.insert(run.pair, name.to_owned());
            }
            "published" | "deleted" => self.apply(name, run),
            _ => {}
        }
        Ok(())
    }

    /// What a run does, is done.
    fn apply(&mut self, name: &str, run: Run) {
        let Run { pair, content, run } = run;
        let before = match self.holders.remove(name) {
            Some(Holder::Ours { version, .. }) => version,
            _ => 0,
        };
        if let Some(content) = content {
            self.holders.insert(name.to_owned(), Holder::Ours { pair, run, content, version: before + 1 });
        }
    }
}
