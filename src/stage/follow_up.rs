//! Looks once more, at the end of a run, whether other runs have undone its work or made it obsolete.

use std::time::Instant;

use super::{Stage, Timed};
use crate::deploy::{DeployError, Deployment, NamedPreview, Outcome, Previews, Recheck, Stop, Verdict, What};
use crate::forge::Standing;
use crate::report::Run;

/// Previews are published again at most so often: two runs must not undo each other's work for ever.
const MAX_ROUNDS: usize = 3;

impl<'a> Stage<'a> {
    /// Looks after the previews that were published: deletes them if their branch or pull request was closed meanwhile, since
    /// the run that should delete them may have come too early, and publishes those again that such a run has deleted
    /// although the branch is open.
    pub(super) async fn follow_up(
        self,
        deployment: &Deployment<'_>,
        previews: &Previews<'a>,
        integrations: &[Timed],
        run: &mut Run,
    ) {
        let target = previews.target;
        for _ in 0..MAX_ROUNDS {
            if self.config.dry_run || !run.outcomes.iter().any(Outcome::may_be_published) {
                return;
            }
            let undone = "could not check whether the branch was closed meanwhile";
            let standing = self.standing(&target.branch, target.pull_request, undone).await;
            if standing == Ok(Standing::Gone) {
                return self.delete_closed(deployment, previews, run).await;
            }
            let is_open = standing.is_ok();
            if !self.publish_again(is_open, deployment, previews, integrations, run).await {
                return;
            }
        }
    }

    /// Deletes the previews that were published just now: what they are of is closed.
    async fn delete_closed(self, deployment: &Deployment<'_>, previews: &Previews<'a>, run: &mut Run) {
        let target = previews.target;
        let closed = self.gone(&target.branch, target.pull_request);
        if let Some(number) = self.other_pull_request(target).await {
            tracing::info!("{closed}, and {}", self.also_open(number));
            return;
        }
        tracing::info!("{closed}: what was published is deleted again");
        let recheck = Recheck::new(move || Box::pin(self.deletion_verdict(target)));
        let Run { outcomes, named, .. } = run;
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.may_be_published()) {
            let is_that = |named: &&NamedPreview| named.name == outcome.name;
            if let Some(named) = named.iter().find(is_that) {
                *outcome = deployment.delete(named, previews, &recheck).await;
            }
        }
        self.check_reopened(&recheck, run).await;
    }

    /// Publishes the previews again that another run has deleted, if their branch is known to be open. Returns whether there
    /// were any.
    async fn publish_again(
        self,
        is_open: bool,
        deployment: &Deployment<'_>,
        previews: &Previews<'a>,
        integrations: &[Timed],
        run: &mut Run,
    ) -> bool {
        // The branch may be closed again by now.
        let recheck = self.preview_check(previews.target);
        let mut has_published = false;
        let outcomes = run.outcomes.iter_mut().zip(integrations);
        for (outcome, (integration, time)) in outcomes.filter(|(outcome, _)| is_there(outcome)) {
            let name = &outcome.name;
            if deployment.is_gone(name).await != Some(true) {
                continue;
            }
            if !is_open {
                tracing::warn!(
                    "another run has deleted `{name}`, and could not check whether its branch is open; if it is, run again"
                );
                continue;
            }
            tracing::warn!(
                "another run has deleted `{name}` although its branch is open: publishing it again"
            );
            *outcome = deployment.preview(integration, previews, &recheck).await.packaged_in(*time);
            has_published = true;
        }
        has_published
    }

    /// Asks once more after deletions. A run for a branch that was opened again may have found its previews before they were
    /// deleted.
    pub(super) async fn check_reopened(self, recheck: &Recheck<'_>, run: &mut Run) {
        if !run.outcomes.iter().any(Outcome::has_deleted) {
            return;
        }
        let Verdict::Stop(Stop::Open(reason)) = recheck.since(Instant::now()).await else { return };
        for outcome in run.outcomes.iter_mut().filter(|outcome| outcome.has_deleted()) {
            let (name, reason) = (outcome.name.clone(), reason.clone());
            outcome.result = Err(DeployError::Reopened { name, reason });
        }
    }
}

fn is_there(outcome: &Outcome) -> bool {
    outcome.result.as_ref().is_ok_and(|done| matches!(done.what, What::Published | What::Unchanged))
}
