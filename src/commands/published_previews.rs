//! Checks the published previews at the end of a run. Deletes them if the branch was closed, and republishes those that another
//! run has deleted.

use std::time::Instant;

use super::{Context, TimedIntegration};
use crate::deploy::{
    DeployError, Deployer, NamedPreview, Outcome, Precondition, PreviewContext, Status, Stop, Verdict,
};
use crate::forge::RefState;

/// The maximum number of checks. Without this limit, two runs could delete and publish the same preview forever.
const MAX_ROUNDS: usize = 3;

impl<'a> Context<'a> {
    /// Deletes the published previews if their branch or pull request was closed during this run, because the run for the close
    /// event may have looked for them before they were published. Republishes previews that another run has deleted although the
    /// branch is open.
    pub(super) async fn recheck_published_previews(
        self,
        deployer: &Deployer<'_>,
        previews: &PreviewContext<'a>,
        integrations: &[TimedIntegration],
        named_previews: &[NamedPreview],
        mut outcomes: Vec<Outcome>,
    ) -> Vec<Outcome> {
        let target = previews.target;
        for _ in 0..MAX_ROUNDS {
            if self.config.dry_run || !outcomes.iter().any(Outcome::may_be_published) {
                break;
            }
            let failure = "could not check whether the branch is still open";
            let ref_state = self.ref_state(&target.branch, target.pull_request, failure).await;
            if ref_state == Ok(RefState::Closed) {
                return self.delete_closed(deployer, previews, named_previews, outcomes).await;
            }
            let is_open = ref_state.is_ok();
            if !self.republish_deleted(is_open, deployer, previews, integrations, &mut outcomes).await {
                break;
            }
        }
        outcomes
    }

    /// Deletes the previews that this run has published, after their branch was closed.
    async fn delete_closed(
        self,
        deployer: &Deployer<'_>,
        previews: &PreviewContext<'a>,
        named_previews: &[NamedPreview],
        mut outcomes: Vec<Outcome>,
    ) -> Vec<Outcome> {
        let target = previews.target;
        let closed = self.closed_reason(&target.branch, target.pull_request);
        if let Some(number) = self.other_pull_request(target).await {
            tracing::info!("keeping the published previews: {closed}, but {}", self.also_open_reason(number));
            return outcomes;
        }
        tracing::info!("{closed}: deleting the published previews");
        let precondition = Precondition::new(move || Box::pin(self.deletion_verdict(target)));
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.may_be_published()) {
            let has_name = |preview: &&NamedPreview| preview.name == outcome.name;
            if let Some(preview) = named_previews.iter().find(has_name) {
                *outcome = deployer.delete(preview, previews, &precondition).await;
            }
        }
        self.check_reopened(&precondition, outcomes).await
    }

    /// Republishes the previews that another run has deleted, if their branch is open. Returns true if it has sent at least one
    /// preview to GitBook again.
    async fn republish_deleted(
        self,
        is_open: bool,
        deployer: &Deployer<'_>,
        previews: &PreviewContext<'a>,
        integrations: &[TimedIntegration],
        outcomes: &mut [Outcome],
    ) -> bool {
        // The branch may be closed meanwhile, so this check runs before each publish request.
        let precondition = self.preview_check(previews.target);
        let mut has_published = false;
        let outcomes = outcomes.iter_mut().zip(integrations);
        for (outcome, (integration, time)) in outcomes.filter(|(outcome, _)| is_published(outcome)) {
            let name = &outcome.name;
            if deployer.is_missing(name).await != Some(true) {
                continue;
            }
            if !is_open {
                tracing::warn!("another run has deleted `{name}`; re-run the job if its branch is open");
                continue;
            }
            tracing::warn!(
                "another run has deleted `{name}` although its branch is open: publishing it again"
            );
            *outcome =
                deployer.preview(integration, previews, &precondition).await.with_packaging_time(*time);
            has_published = true;
        }
        has_published
    }

    /// Checks the branch again after its previews were deleted. If the branch was reopened meanwhile, the run for the reopened
    /// branch may have found the old previews unchanged and published nothing, so this run reports the deletions as errors.
    pub(super) async fn check_reopened(
        self,
        precondition: &Precondition<'_>,
        mut outcomes: Vec<Outcome>,
    ) -> Vec<Outcome> {
        if !outcomes.iter().any(Outcome::has_deleted) {
            return outcomes;
        }
        let Verdict::Stop(Stop::Open(reason)) = precondition.verdict_since(Instant::now()).await else {
            return outcomes;
        };
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.has_deleted()) {
            let (name, reason) = (outcome.name.clone(), reason.clone());
            outcome.result = Err(DeployError::Reopened { name, reason });
        }
        outcomes
    }
}

fn is_published(outcome: &Outcome) -> bool {
    outcome
        .result
        .as_ref()
        .is_ok_and(|success| matches!(success.status, Status::Published | Status::Unchanged))
}
