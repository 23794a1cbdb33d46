//! Asks the forge for newer commits and closed branches.

use super::Context;
use crate::config::Mode;
use crate::deploy::{Precondition, Stop, Verdict};
use crate::error::Error;
use crate::forge::{ForgeError, RefState, is_commit_id};
use crate::plan::{PreviewRef, Refusal};
use crate::report::Printer;
use crate::repository::{Branch, short_commit};

/// Reports a failed request to the forge. Prints a notice for a missing permission, and logs other failures. `failure` describes
/// the failed operation.
pub(super) fn report_forge_failure(printer: &Printer, failure: &str, error: &ForgeError) {
    let message = format!("{failure}: {error}; {}", error.hint());
    match error {
        ForgeError::Forbidden { .. } => printer.print_notice(&message),
        ForgeError::CircuitOpen(_) => tracing::info!("{failure}: {error}"),
        _ => tracing::warn!("{message}"),
    }
}

impl<'a> Context<'a> {
    /// Returns a check that the run's commit is still the newest commit of the production branch.
    pub(super) fn production_check(self) -> Precondition<'a> {
        Precondition::new(move || {
            Box::pin(async move {
                let Some(branch) = self.ci.event.branch() else { return Verdict::NotChecked };
                let pull_request = self.ci.event.pull_request_number();
                match self.publishing_verdict(branch, pull_request).await {
                    // A merged pull request counts as closed, too, but a run for it is allowed to publish to production.
                    Verdict::Stop(Stop::Closed(_)) if pull_request.is_some() => Verdict::NotChecked,
                    verdict => verdict,
                }
            })
        })
    }

    /// Returns a check that the preview's branch or pull request is still open, and that the run's commit is still its newest commit.
    pub(super) fn preview_check(self, target: &'a PreviewRef) -> Precondition<'a> {
        Precondition::new(move || Box::pin(self.publishing_verdict(&target.branch, target.pull_request)))
    }

    /// Returns a check that the preview's branch or pull request is still closed. For a manual deletion, returns a
    /// check that never stops the run.
    pub(super) fn deletion_check(self, target: &'a PreviewRef) -> Precondition<'a> {
        if self.config.mode != Mode::Auto {
            return Precondition::none();
        }
        Precondition::new(move || Box::pin(self.deletion_verdict(target)))
    }

    async fn publishing_verdict(self, branch: &Branch, pull_request: Option<u64>) -> Verdict {
        // If the event has no branch, `GITBOOK_BRANCH` sets the branch, which might not contain the run's commit.
        let commit = self.ci.event.branch().and(self.ci.commit.as_deref());
        let Some(commit) = commit else { return Verdict::NotChecked };
        let failure = "could not check for a newer commit";
        if !is_commit_id(commit) {
            tracing::info!("{failure}: `{commit}` is not a commit ID");
            return Verdict::NotChecked;
        }
        match self.ref_state(branch, pull_request, failure).await {
            Err(verdict) => verdict,
            Ok(RefState::Open { tip }) if tip.is_empty() => Verdict::NotChecked,
            Ok(ref_state) if ref_state.may_be_at_commit(commit) => Verdict::Confirmed,
            Ok(RefState::Closed) => Verdict::Stop(Stop::Closed(self.closed_reason(branch, pull_request))),
            Ok(RefState::Open { tip }) => {
                let commit = short_commit(&tip);
                let reason =
                    format!("superseded by {commit} on `{branch}`; the run for that commit publishes it");
                Verdict::Stop(Stop::NewerCommit { commit, reason })
            }
        }
    }

    pub(super) async fn deletion_verdict(self, target: &PreviewRef) -> Verdict {
        let PreviewRef { branch, pull_request } = target;
        let failure = "could not check whether the branch is still closed";
        let ref_state = match self.ref_state(branch, *pull_request, failure).await {
            Ok(ref_state) => ref_state,
            Err(verdict) => return verdict,
        };
        // A job that stops a GitLab environment deletes the preview even if its branch is open, unless another merge request
        // shares the preview.
        if self.ci.stops_environment || ref_state == RefState::Closed {
            return match self.other_pull_request(target).await {
                Some(number) => Verdict::Stop(Stop::Open(self.also_open_reason(number))),
                None => Verdict::Confirmed,
            };
        }
        Verdict::Stop(Stop::Open(match pull_request {
            Some(number) => format!("{} is open again", self.ci.forge.describe_pull_request(*number)),
            None => format!("branch `{branch}` exists again"),
        }))
    }
}

impl Context<'_> {
    /// Checks a run that a comment on a pull request has started. Returns an error unless the forge confirms that the pull
    /// request comes from the target's branch in this repository. Without this check, the run could publish code from a fork as
    /// the branch's preview.
    pub(super) async fn refuse_unverified_comment(&self, target: &PreviewRef) -> Result<(), Error> {
        let Some(number) = self.ci.commented_pull_request.filter(|_| target.branch.split_fork().is_none())
        else {
            return Ok(());
        };
        let refusal = || Error::Refused(Refusal::UnverifiedComment);
        let request = self.forge.ok_or_else(refusal)?.pull_request_numbers(&target.branch, true);
        match self.cancel.run_until_cancelled(request).await.map_err(Error::Cancelled)? {
            Ok(numbers) if numbers.contains(&number) => Ok(()),
            Ok(_) => Err(refusal()),
            Err(error) => {
                report_forge_failure(
                    self.printer,
                    "could not check the source branch of the pull request",
                    &error,
                );
                Err(refusal())
            }
        }
    }

    /// Returns the number of another open pull request from the same branch, if both pull requests share the preview.
    pub(super) async fn other_pull_request(&self, target: &PreviewRef) -> Option<u64> {
        let own_number = target.pull_request.filter(|_| !self.config.preview_name.needs_pull_request())?;
        let request = self.forge?.pull_request_numbers(&target.branch, true);
        match self.cancel.run_until_cancelled(request).await.ok()? {
            Ok(open) => open.into_iter().find(|number| *number != own_number),
            Err(error) => {
                report_forge_failure(
                    self.printer,
                    "could not check for other open pull requests from the branch",
                    &error,
                );
                None
            }
        }
    }

    pub(super) fn also_open_reason(&self, number: u64) -> String {
        format!("{} is open from the same branch", self.ci.forge.describe_pull_request(number))
    }

    pub(super) fn closed_reason(&self, branch: &Branch, pull_request: Option<u64>) -> String {
        match pull_request {
            Some(number) => format!("{} is closed", self.ci.forge.describe_pull_request(number)),
            None => format!("branch `{branch}` was deleted"),
        }
    }

    /// Asks the forge for the state of a branch or pull request. `failure` describes the operation in the log if the request
    /// fails.
    ///
    /// # Errors
    /// Returns [`Verdict::NoResponse`] if the forge did not respond, but may respond later in this run, and
    /// [`Verdict::NotChecked`] otherwise.
    pub(super) async fn ref_state(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
        failure: &str,
    ) -> Result<RefState, Verdict> {
        let forge = self.forge.ok_or(Verdict::NotChecked)?;
        let request = forge.ref_state_with_probe(branch, pull_request);
        match self.cancel.run_until_cancelled(request).await.map_err(|_| Verdict::NotChecked)? {
            Ok(Some(ref_state)) => Ok(ref_state),
            Ok(None) => {
                tracing::debug!("{failure}: an earlier request failed, and it is too early to try again");
                Err(Verdict::NoResponse)
            }
            Err(error) => {
                report_forge_failure(self.printer, failure, &error);
                let is_unanswered = error.opens_circuit() || matches!(error, ForgeError::CircuitOpen(_));
                Err(if is_unanswered { Verdict::NoResponse } else { Verdict::NotChecked })
            }
        }
    }
}
