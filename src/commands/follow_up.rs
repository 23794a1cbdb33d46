//! Repairs the previews at the end of a run if other runs have deleted them or their branch was closed.

use std::time::Instant;

use super::{Context, Timed};
use crate::deploy::{
    DeployError, Deployment, NamedPreview, Outcome, Previews, StalenessCheck, Status, Stop, Verdict,
};
use crate::forge::RefState;

/// The maximum number of checks. It ends a conflict between two runs.
const MAX_ROUNDS: usize = 3;

impl<'a> Context<'a> {
    /// Deletes the published previews if their branch or pull request was closed meanwhile: the run that should delete them may
    /// have come too early. Publishes them again if another run has deleted them although the branch is open.
    pub(super) async fn follow_up(
        self,
        deployment: &Deployment<'_>,
        previews: &Previews<'a>,
        integrations: &[Timed],
        named: &[NamedPreview],
        mut outcomes: Vec<Outcome>,
    ) -> Vec<Outcome> {
        let target = previews.target;
        for _ in 0..MAX_ROUNDS {
            if self.config.dry_run || !outcomes.iter().any(Outcome::may_be_published) {
                break;
            }
            let undone = "could not check whether the branch was closed meanwhile";
            let ref_state = self.ref_state(&target.branch, target.pull_request, undone).await;
            if ref_state == Some(RefState::Closed) {
                return self.delete_closed(deployment, previews, named, outcomes).await;
            }
            let is_open = ref_state.is_some();
            if !self.publish_again(is_open, deployment, previews, integrations, &mut outcomes).await {
                break;
            }
        }
        outcomes
    }

    /// Deletes the previews that this run has published, since their branch is closed.
    async fn delete_closed(
        self,
        deployment: &Deployment<'_>,
        previews: &Previews<'a>,
        named: &[NamedPreview],
        mut outcomes: Vec<Outcome>,
    ) -> Vec<Outcome> {
        let target = previews.target;
        let closed = self.closed(&target.branch, target.pull_request);
        if let Some(number) = self.other_pull_request(target).await {
            tracing::info!("{closed}, and {}", self.also_open(number));
            return outcomes;
        }
        tracing::info!("{closed}: deleting the published previews");
        let staleness = StalenessCheck::new(move || Box::pin(self.deletion_verdict(target)));
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.may_be_published()) {
            let is_that = |named: &&NamedPreview| named.name == outcome.name;
            if let Some(named) = named.iter().find(is_that) {
                *outcome = deployment.delete(named, previews, &staleness).await;
            }
        }
        self.check_reopened(&staleness, outcomes).await
    }

    /// Publishes the previews again that another run has deleted, if their branch is known to be open. Returns whether there
    /// were any.
    async fn publish_again(
        self,
        is_open: bool,
        deployment: &Deployment<'_>,
        previews: &Previews<'a>,
        integrations: &[Timed],
        outcomes: &mut [Outcome],
    ) -> bool {
        // The branch may be closed again by now.
        let staleness = self.preview_check(previews.target);
        let mut has_published = false;
        let outcomes = outcomes.iter_mut().zip(integrations);
        for (outcome, (integration, time)) in outcomes.filter(|(outcome, _)| is_there(outcome)) {
            let name = &outcome.name;
            if deployment.is_gone(name).await != Some(true) {
                continue;
            }
            if !is_open {
                tracing::warn!("another run has deleted `{name}`; run this job again if its branch is open");
                continue;
            }
            tracing::warn!(
                "another run has deleted `{name}` although its branch is open: publishing it again"
            );
            *outcome = deployment.preview(integration, previews, &staleness).await.packaged_in(*time);
            has_published = true;
        }
        has_published
    }

    /// Asks once more after deletions. A run for a branch that was opened again may have found its previews before they were
    /// deleted.
    pub(super) async fn check_reopened(
        self,
        staleness: &StalenessCheck<'_>,
        mut outcomes: Vec<Outcome>,
    ) -> Vec<Outcome> {
        if !outcomes.iter().any(Outcome::has_deleted) {
            return outcomes;
        }
        let Verdict::Stop(Stop::Open(reason)) = staleness.since(Instant::now()).await else {
            return outcomes;
        };
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.has_deleted()) {
            let (name, reason) = (outcome.name.clone(), reason.clone());
            outcome.result = Err(DeployError::Reopened { name, reason });
        }
        outcomes
    }
}

fn is_there(outcome: &Outcome) -> bool {
    outcome.result.as_ref().is_ok_and(|done| matches!(done.status, Status::Published | Status::Unchanged))
}
