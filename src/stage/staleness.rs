//! Asks the forge whether a run is still the newest of its branch, and whether the branch is open.

use super::Stage;
use crate::cancel::Cancel;
use crate::ci::{Ci, Event, ForgeKind};
use crate::config::{Config, Mode};
use crate::deploy::{Recheck, Stop, Verdict};
use crate::error::Error;
use crate::forge::{Access, Forge, ForgeError, GitHub, GitLab, Patience, Standing, is_commit};
use crate::http::is_loopback;
use crate::plan::{Decision, Refusal, Target};
use crate::preview::Branch;
use crate::report::Printer;

/// The forge's client; `None`, and a line in the log that says what will not be done, where it can't be asked.
pub(crate) fn forge(config: &Config, ci: &Ci, decision: &Decision, cancel: &Cancel) -> Option<Forge> {
    let (token, without) = match ci.forge {
        ForgeKind::GitHub => (&config.github_token, "no comment, no deployments"),
        ForgeKind::GitLab => (&config.gitlab_token, "no note on the merge request"),
    };
    let (token_variable, api_variable) = (ci.forge.token_variable(), ci.forge.api_variable());
    let without = format!("not asked whether a newer commit came or a branch is gone; {without}");
    let Some(token) = token else {
        // Who tries it out by hand has no forge in mind.
        if ci.event != Event::None {
            tracing::info!("no `{token_variable}`, so the forge is {without}");
        }
        return None;
    };
    // The first segment of a repository's name is its host.
    let repository = ci.repository.as_deref().and_then(|name| Some(name.split_once('/')?.1));
    let (Some(api), Some(repository)) = (&ci.api, repository) else {
        tracing::info!(
            "`{api_variable}` is no address of an API where the repository is, so the forge is {without}"
        );
        return None;
    };
    if api.scheme() == "http" && !is_loopback(api) {
        tracing::warn!("`{api_variable}` is plain `http`, which shows `{token_variable}` to the network");
    }
    let patience = if *decision == Decision::Sweep { Patience::Long } else { Patience::Short };
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
            tracing::warn!("`{repository}` is no repository of an owner, so the forge is {without}");
            None
        }
        Err(error) => {
            tracing::warn!("{error}, so the forge is {without}");
            None
        }
    }
}

/// Says that something of the forge's was not done. That the token may not is a notice, which names the permission.
pub(super) fn tell(printer: &Printer, undone: &str, error: &ForgeError) {
    let text = format!("{undone}: {error}; {}", error.hint());
    match error {
        ForgeError::Forbidden { .. } => printer.notice(&text),
        ForgeError::GivenUp(_) => tracing::info!("{undone}: {error}"),
        _ => tracing::warn!("{text}"),
    }
}

impl<'a> Stage<'a> {
    /// Returns a check that the commit is still the newest one of the branch that is published to production.
    pub(super) fn production_check(self) -> Recheck<'a> {
        Recheck::new(move || {
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
    pub(super) fn preview_check(self, target: &'a Target) -> Recheck<'a> {
        Recheck::new(move || Box::pin(self.publishing_verdict(&target.branch, target.pull_request)))
    }

    /// Returns a check that the branch or pull request of a preview is still closed. A preview that is deleted by hand needs
    /// no such check.
    pub(super) fn deletion_check(self, target: &'a Target) -> Recheck<'a> {
        if self.config.mode != Mode::Auto {
            return Recheck::none();
        }
        Recheck::new(move || Box::pin(self.deletion_verdict(target)))
    }

    async fn publishing_verdict(self, branch: &Branch, pull_request: Option<u64>) -> Verdict {
        // The commit of an event that is about no branch is not that of a branch which was named by hand.
        let commit = self.ci.event.branch().and(self.ci.commit.as_deref());
        let Some(commit) = commit else { return Verdict::Unknown };
        let undone = "could not check for a newer commit";
        if !is_commit(commit) {
            tracing::info!("{undone}: `{commit}` is no commit's name");
            return Verdict::Unknown;
        }
        match self.standing(branch, pull_request, undone).await {
            Err(unknown) => unknown,
            Ok(Standing::Open { tip }) if tip.is_empty() => Verdict::Unknown,
            Ok(standing) if standing.has_as_tip(commit) => Verdict::Confirmed,
            Ok(Standing::Gone) => Verdict::Stop(Stop::Closed(self.gone(branch, pull_request))),
            Ok(Standing::Open { tip }) => {
                let commit: String = tip.chars().take(7).collect();
                let reason =
                    format!("`{branch}` has moved on to {commit}, whose own run publishes it, if it has one");
                Verdict::Stop(Stop::NewerCommit { commit, reason })
            }
        }
    }

    pub(super) async fn deletion_verdict(self, target: &Target) -> Verdict {
        let Target { branch, pull_request } = target;
        let undone = "could not check whether the branch is open again";
        let standing = match self.standing(branch, *pull_request, undone).await {
            Ok(standing) => standing,
            Err(unknown) => return unknown,
        };
        // What is open goes, too, where somebody stopped its environment, or its time was up; not so what another shares.
        if self.ci.stops || standing == Standing::Gone {
            return match self.other_pull_request(target).await {
                Some(number) => Verdict::Stop(Stop::Open(self.also_open(number))),
                None => Verdict::Confirmed,
            };
        }
        Verdict::Stop(Stop::Open(match pull_request {
            Some(number) => format!("{} is open again", self.ci.forge.pull_request(*number)),
            None => format!("branch `{branch}` is there again"),
        }))
    }
}

impl Stage<'_> {
    /// Refuses the preview of a branch of the repository itself to a run on a comment, unless the forge says that the pull
    /// request comes from that branch: from a fork, it would bring a stranger's code under the branch's name.
    pub(super) async fn refuse_fork_of_comment(&self, target: &Target) -> Result<(), Error> {
        let Some(number) = self.ci.commented_on.filter(|_| target.branch.of_which_fork().is_none()) else {
            return Ok(());
        };
        let refused = || Error::Refused(Refusal::CommentOnPullRequest);
        let work = self.forge.ok_or_else(refused)?.pull_requests(&target.branch, true);
        match self.cancel.or_at_once(work).await.map_err(Error::Cancelled)? {
            Ok(numbers) if numbers.contains(&number) => Ok(()),
            Ok(_) => Err(refused()),
            Err(error) => {
                tell(self.printer, "could not check where the pull request comes from", &error);
                Err(refused())
            }
        }
    }

    /// Another pull request that is open from the same branch, whose preview it is, too.
    pub(super) async fn other_pull_request(&self, target: &Target) -> Option<u64> {
        let shared = target.pull_request.filter(|_| !self.config.preview_name.needs_pull_request())?;
        let work = self.forge?.pull_requests(&target.branch, true);
        match self.cancel.or_at_once(work).await.ok()? {
            Ok(open) => open.into_iter().find(|number| *number != shared),
            Err(error) => {
                tell(
                    self.printer,
                    "whether another pull request is open from the branch is not known",
                    &error,
                );
                None
            }
        }
    }

    pub(super) fn also_open(&self, number: u64) -> String {
        format!("{} is open from the same branch", self.ci.forge.pull_request(number))
    }

    pub(super) fn gone(&self, branch: &Branch, pull_request: Option<u64>) -> String {
        match pull_request {
            Some(number) => format!("{} is closed", self.ci.forge.pull_request(number)),
            None => format!("branch `{branch}` is gone"),
        }
    }

    /// Asks the forge. Logs `undone` and the reason if it does not answer.
    ///
    /// # Errors
    /// Returns [`Verdict::Unanswered`] if the forge failed to answer, and [`Verdict::Unknown`] if it cannot be asked.
    pub(super) async fn standing(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
        undone: &str,
    ) -> Result<Standing, Verdict> {
        let forge = self.forge.ok_or(Verdict::Unknown)?;
        let work = forge.recheck(branch, pull_request);
        match self.cancel.or_at_once(work).await.map_err(|_| Verdict::Unknown)? {
            Ok(Some(standing)) => Ok(standing),
            Ok(None) => {
                tracing::debug!("{undone}: the forge was given up, and is not asked again yet");
                Err(Verdict::Unanswered)
            }
            Err(error) => {
                tell(self.printer, undone, &error);
                let is_unanswered = error.is_final() || matches!(error, ForgeError::GivenUp(_));
                Err(if is_unanswered { Verdict::Unanswered } else { Verdict::Unknown })
            }
        }
    }
}
