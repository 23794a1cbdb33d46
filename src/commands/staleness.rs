//! Asks the forge for newer commits and closed branches.

use super::Context;
use crate::cancel::Cancel;
use crate::ci::{Ci, Event, ForgeKind};
use crate::config::{Config, Mode};
use crate::deploy::{StalenessCheck, Stop, Verdict};
use crate::error::Error;
use crate::forge::{Access, Forge, ForgeError, GitHub, GitLab, MaxWait, RefState, is_commit};
use crate::http::is_loopback;
use crate::plan::{Decision, Refusal, Target};
use crate::preview::Branch;
use crate::report::Printer;

/// Returns the client of the forge. Logs the consequences if there is no usable token or address.
pub(crate) fn forge(config: &Config, ci: &Ci, decision: &Decision, cancel: &Cancel) -> Option<Forge> {
    let (token, without) = match ci.forge {
        ForgeKind::GitHub => (&config.github_token, "no comment and no deployments"),
        ForgeKind::GitLab => (&config.gitlab_token, "no note on the merge request"),
    };
    let (token_variable, api_variable) = (ci.forge.token_variable(), ci.forge.api_variable());
    let without = format!("{without}, and no check for newer commits or closed branches");
    let Some(token) = token else {
        // A trial outside CI needs no forge.
        if ci.event != Event::None {
            tracing::info!("`{token_variable}` is not set: {without}");
        }
        return None;
    };
    // The first segment of a repository's name is its host.
    let repository = ci.repository.as_deref().and_then(|name| Some(name.split_once('/')?.1));
    let (Some(api), Some(repository)) = (&ci.api, repository) else {
        tracing::info!("`{api_variable}` is not the API of the repository's host: {without}");
        return None;
    };
    if api.scheme() == "http" && !is_loopback(api) {
        tracing::warn!("`{api_variable}` uses plain `http`, which exposes `{token_variable}` to the network");
    }
    let patience = if *decision == Decision::Sweep { MaxWait::Long } else { MaxWait::Short };
    let Config { timeout, retries, .. } = *config;
    let access = Access { root: api, token, timeout, retries, patience, cancel };
    let forge = match ci.forge {
        ForgeKind::GitHub => GitHub::new(repository, &access).map(|github| github.map(Forge::GitHub)),
        ForgeKind::GitLab => {
            GitLab::new(ci.repository_id, repository, &access).map(|gitlab| gitlab.map(Forge::GitLab))
        }
    };
    match forge {
        Ok(Some(forge)) => Some(forge),
        Ok(None) => {
            tracing::warn!("`{repository}` is not of the form `owner/repository`: {without}");
            None
        }
        Err(error) => {
            tracing::warn!("{error}: {without}");
            None
        }
    }
}

/// Logs a failure of the forge and its consequence. A missing permission is a notice that names it.
pub(super) fn warn(printer: &Printer, undone: &str, error: &ForgeError) {
    let text = format!("{undone}: {error}; {}", error.hint());
    match error {
        ForgeError::Forbidden { .. } => printer.notice(&text),
        ForgeError::GivenUp(_) => tracing::info!("{undone}: {error}"),
        _ => tracing::warn!("{text}"),
    }
}

impl<'a> Context<'a> {
    /// Returns a check that the commit is still the newest one of the branch that is published to production.
    pub(super) fn production_check(self) -> StalenessCheck<'a> {
        StalenessCheck::new(move || {
            Box::pin(async move {
                let Some(branch) = self.ci.event.branch() else { return Verdict::Unknown };
                let pull_request = self.ci.event.pull_request();
                match self.publishing_verdict(branch, pull_request).await {
                    // A pull request that is merged is closed.
                    Verdict::Stop(Stop::Closed(_)) if pull_request.is_some() => Verdict::Unknown,
                    verdict => verdict,
                }
            })
        })
    }

    /// Returns a check that the commit is still the newest one of the branch or pull request of a preview, and that this is
    /// open.
    pub(super) fn preview_check(self, target: &'a Target) -> StalenessCheck<'a> {
        StalenessCheck::new(move || Box::pin(self.publishing_verdict(&target.branch, target.pull_request)))
    }

    /// Returns a check that the branch or pull request of a preview is still closed. A preview that is deleted by hand needs
    /// no such check.
    pub(super) fn deletion_check(self, target: &'a Target) -> StalenessCheck<'a> {
        if self.config.mode != Mode::Auto {
            return StalenessCheck::none();
        }
        StalenessCheck::new(move || Box::pin(self.deletion_verdict(target)))
    }

    async fn publishing_verdict(self, branch: &Branch, pull_request: Option<u64>) -> Verdict {
        // Without a branch in the event, its commit may not belong to the branch of `GITBOOK_BRANCH`.
        let commit = self.ci.event.branch().and(self.ci.commit.as_deref());
        let Some(commit) = commit else { return Verdict::Unknown };
        let undone = "could not check for a newer commit";
        if !is_commit(commit) {
            tracing::info!("{undone}: `{commit}` is not a commit ID");
            return Verdict::Unknown;
        }
        match self.ref_state(branch, pull_request, undone).await {
            None => Verdict::Unknown,
            Some(RefState::Open { tip }) if tip.is_empty() => Verdict::Unknown,
            Some(ref_state) if ref_state.has_as_tip(commit) => Verdict::Confirmed,
            Some(RefState::Closed) => Verdict::Stop(Stop::Closed(self.closed(branch, pull_request))),
            Some(RefState::Open { tip }) => {
                let commit: String = tip.chars().take(7).collect();
                let reason =
                    format!("superseded by {commit} on `{branch}`; the run for that commit publishes it");
                Verdict::Stop(Stop::NewerCommit { commit, reason })
            }
        }
    }

    pub(super) async fn deletion_verdict(self, target: &Target) -> Verdict {
        let Target { branch, pull_request } = target;
        let undone = "could not check whether the branch is open again";
        let Some(ref_state) = self.ref_state(branch, *pull_request, undone).await else {
            return Verdict::Unknown;
        };
        // Stopping a GitLab environment deletes the preview of an open branch, too, unless another merge request shares it.
        if self.ci.stops || ref_state == RefState::Closed {
            return match self.other_pull_request(target).await {
                Some(number) => Verdict::Stop(Stop::Open(self.also_open(number))),
                None => Verdict::Confirmed,
            };
        }
        Verdict::Stop(Stop::Open(match pull_request {
            Some(number) => format!("{} is open again", self.ci.forge.pull_request(*number)),
            None => format!("branch `{branch}` exists again"),
        }))
    }
}

impl Context<'_> {
    /// Refuses the preview of a branch of the repository itself to a run on a comment, unless the forge says that the pull
    /// request comes from that branch: from a fork, it would bring foreign code under the branch's name.
    pub(super) async fn refuse_fork_of_comment(&self, target: &Target) -> Result<(), Error> {
        let Some(number) = self.ci.commented_on.filter(|_| target.branch.of_which_fork().is_none()) else {
            return Ok(());
        };
        let refused = || Error::Refused(Refusal::CommentOnPullRequest);
        let work = self.forge.ok_or_else(refused)?.pull_requests(&target.branch, true);
        match self.cancel.run_until_cancelled(work).await.map_err(Error::Cancelled)? {
            Ok(numbers) if numbers.contains(&number) => Ok(()),
            Ok(_) => Err(refused()),
            Err(error) => {
                warn(self.printer, "could not check the source branch of the pull request", &error);
                Err(refused())
            }
        }
    }

    /// Returns another open pull request from the same branch. It shares the preview.
    pub(super) async fn other_pull_request(&self, target: &Target) -> Option<u64> {
        let shared = target.pull_request.filter(|_| !self.config.preview_name.needs_pull_request())?;
        let work = self.forge?.pull_requests(&target.branch, true);
        match self.cancel.run_until_cancelled(work).await.ok()? {
            Ok(open) => open.into_iter().find(|number| *number != shared),
            Err(error) => {
                warn(self.printer, "could not check for other open pull requests from the branch", &error);
                None
            }
        }
    }

    pub(super) fn also_open(&self, number: u64) -> String {
        format!("{} is open from the same branch", self.ci.forge.pull_request(number))
    }

    pub(super) fn closed(&self, branch: &Branch, pull_request: Option<u64>) -> String {
        match pull_request {
            Some(number) => format!("{} is closed", self.ci.forge.pull_request(number)),
            None => format!("branch `{branch}` was deleted"),
        }
    }

    /// Asks the forge for the state of a branch or pull request. Logs `undone` with the error if it fails.
    pub(super) async fn ref_state(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
        undone: &str,
    ) -> Option<RefState> {
        let work = self.forge?.ref_state(branch, pull_request);
        match self.cancel.run_until_cancelled(work).await.ok()? {
            Ok(ref_state) => Some(ref_state),
            Err(error) => {
                warn(self.printer, undone, &error);
                None
            }
        }
    }
}
