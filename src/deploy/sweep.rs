//! The sweep: deletes the previews of closed branches and pull requests, and reports the reason for each preview that it
//! keeps.

use others::OtherPreviews;
use questions::Questions;

use super::attempt::AttemptError;
use super::guard;
use super::staleness::{StalenessCheck, Stop, Verdict};
use super::{DeployError, Deployer, Outcome, Status, Success};
use crate::diagnostic::SourceLocation;
use crate::forge::{Forge, ForgeError, OpenPullRequests, RefState};
use crate::gitbook::{ApiError, Deletion, Published};
use crate::plan::Target;
use crate::preview::{OwnershipMarker, Template};
use crate::repository::Branch;

mod others;
mod questions;

#[cfg(test)]
mod property_tests;

/// The maximum number of deletions of a run. It limits the damage of a mistake.
const MAX_DELETIONS: usize = 50;

/// Lists and deletes the previews of a repository.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    /// Reads and deletes integrations.
    pub deployer: &'a Deployer<'a>,
    /// The client of the forge.
    pub forge: &'a Forge,
    /// The repository, with its host.
    pub repository: &'a str,
    /// The forge's ID of the repository.
    pub repository_id: Option<u64>,
    /// The template of the previews' names.
    pub template: &'a Template,
    /// The names of integrations in production. The sweep never deletes these.
    pub production: &'a [String],
}

/// The reason why a sweep failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    /// GitBook does not list the integrations.
    #[error("could not list the integrations of the organization `{0}`")]
    List(String, #[source] ApiError),
    /// The organization does not exist, or the token has no access to it.
    #[error("organization `{0}` not found among those of the token's user")]
    NoOrganization(String),
    /// The forge does not list the branches.
    #[error("could not list the branches, so nothing was deleted")]
    Forge(#[source] ForgeError),
}

impl SweepError {
    /// Returns the remedy.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::List(_, source) => source.hint(),
            Self::NoOrganization(_) => {
                "check `organization` in the manifest or `GITBOOK_ORGANIZATION` (an ID or a subdomain), and the token".to_owned()
            }
            Self::Forge(source) => source.hint(),
        }
    }
}

/// The previews of this repository in an organization, before the check of their branches.
#[derive(Debug, Default)]
pub(crate) struct Listed(Vec<SweepCandidate>);

impl Extend<SweepCandidate> for Listed {
    fn extend<T: IntoIterator<Item = SweepCandidate>>(&mut self, candidates: T) {
        self.0.extend(candidates);
    }
}

impl IntoIterator for Listed {
    type Item = SweepCandidate;
    type IntoIter = std::vec::IntoIter<SweepCandidate>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A preview of this repository that the sweep may delete.
#[derive(Debug)]
pub(crate) struct SweepCandidate {
    /// The name.
    pub name: String,
    /// The location that names the organization.
    location: SourceLocation,
    marker: OwnershipMarker,
    /// The reason to keep it; `None` to delete it.
    keep_reason: Option<KeepReason>,
}

/// The reason to keep a preview.
#[derive(Debug)]
enum KeepReason {
    /// The preview is open, or it must not be deleted.
    Known(String),
    /// The state of its branch or pull request is unknown.
    Undecided(DeployError),
}

impl Sweep<'_> {
    /// Lists the previews of this repository in an organization, given by its ID or subdomain.
    ///
    /// # Errors
    /// Returns an error if GitBook does not list the organization's integrations.
    pub(crate) async fn list(
        &self,
        organization: &str,
        location: &SourceLocation,
    ) -> Result<Listed, SweepError> {
        let failed = |source| SweepError::List(organization.to_owned(), source);
        let gitbook = self.deployer.gitbook;
        let Some(id) = gitbook.organization_id(organization).await.map_err(failed)? else {
            return Err(SweepError::NoOrganization(organization.to_owned()));
        };
        let mut others = OtherPreviews::default();
        let candidate = |integration| self.candidate(&integration, location, &mut others);
        let candidates = gitbook.list(&id, candidate).await.map_err(failed)?;
        others.log();
        Ok(Listed(candidates))
    }

    /// Decides to keep the previews of all branches and pull requests that the forge lists as open or whose state is
    /// unknown.
    ///
    /// # Errors
    /// Returns an error if the forge does not list the branches.
    pub(crate) async fn decide(
        &self,
        Listed(mut candidates): Listed,
    ) -> Result<Vec<SweepCandidate>, SweepError> {
        let undecided = candidates.iter_mut().filter(|candidate| candidate.keep_reason.is_none());
        let undecided: Vec<_> =
            undecided.map(|candidate| (self.target(&candidate.marker), candidate)).collect();
        if undecided.is_empty() {
            return Ok(candidates);
        }
        let branches = self.forge.branches().await.map_err(SweepError::Forge)?;
        let is_of_pull_request =
            |target: &Target| target.pull_request.is_some() || target.branch.split_fork().is_some();
        let (of_pull_requests, of_branches): (Vec<_>, Vec<_>) =
            undecided.into_iter().partition(|(target, _)| is_of_pull_request(target));
        for (target, candidate) in of_branches {
            candidate.keep_reason =
                branches.contains(target.branch.as_str()).then(|| self.open_reason(&target));
        }
        if of_pull_requests.is_empty() {
            return Ok(candidates);
        }
        let open = self.forge.open_pull_requests().await;
        let questions = Questions::new(self.forge);
        for (target, candidate) in of_pull_requests {
            candidate.keep_reason =
                match self.is_open(open.as_ref(), &candidate.name, &target, &questions).await {
                    Ok(true) => Some(self.open_reason(&target)),
                    Ok(false) => None,
                    Err(undecided) => Some(KeepReason::Undecided(undecided.into())),
                };
        }
        Ok(candidates)
    }

    /// Returns whether the pull request of a preview is open, or one from its branch.
    async fn is_open(
        &self,
        open: Result<&OpenPullRequests, &ForgeError>,
        name: &str,
        target: &Target,
        questions: &Questions<'_>,
    ) -> Result<bool, Stop> {
        let open = open.map_err(|error| self.undecided(name, target, error))?;
        let is_open = match questions.next() {
            Ok(forge) => questions.count(forge.has_open(open, &target.branch, target.pull_request).await),
            Err(error) => Err(error),
        };
        is_open.map_err(|error| self.undecided(name, target, &error))
    }

    /// Deletes the previews that are not kept, up to the limit. Returns an outcome for each candidate.
    ///
    /// Calls `deleted` for each deleted preview with its branch or pull request.
    pub(crate) async fn carry_out(
        &self,
        mut candidates: Vec<SweepCandidate>,
        mut deleted: impl AsyncFnMut(&Outcome, &Target),
    ) -> Vec<Outcome> {
        candidates.sort_by(|a, b| a.name.cmp(&b.name));
        // The same organization may be listed by its ID and by its subdomain.
        candidates.dedup_by(|a, b| a.name == b.name);
        let mut outcomes = Vec::new();
        let mut remaining = MAX_DELETIONS;
        let questions = Questions::new(self.forge);
        for SweepCandidate { name, location, marker, keep_reason } in candidates {
            let limit_reason = || {
                (remaining == 0)
                    .then(|| KeepReason::Known(format!("the limit is {MAX_DELETIONS} deletions per run")))
            };
            match keep_reason.or_else(limit_reason) {
                Some(KeepReason::Known(reason)) => {
                    outcomes.push(Outcome::skipped(name, &location, true, &format!("kept: {reason}")));
                    continue;
                }
                Some(KeepReason::Undecided(error)) => {
                    outcomes.push(self.deployer.timed(name, &location, true, async { Err(error) }).await);
                    continue;
                }
                None => {}
            }
            remaining -= 1;
            let delete = self.delete(&name, &marker, &questions);
            let outcome = self.deployer.timed(name.clone(), &location, true, delete).await;
            if outcome.result.as_ref().is_ok_and(|success| success.status == Status::Deleted) {
                deleted(&outcome, &self.target(&marker)).await;
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Returns an integration as a candidate if it is a preview of this repository. Counts the previews of others.
    fn candidate(
        &self,
        integration: &Published,
        location: &SourceLocation,
        others: &mut OtherPreviews,
    ) -> Option<SweepCandidate> {
        let summary = integration.summary.as_deref()?;
        let Some(marker) = OwnershipMarker::parse(summary) else {
            if OwnershipMarker::resembles(summary) {
                tracing::info!("kept `{}`: its ownership marker is damaged", integration.name);
            }
            return None;
        };
        if !marker.belongs_to(self.repository, self.repository_id) {
            tracing::debug!("`{}` is a preview of `{}`", integration.name, marker.repository);
            others.add(&marker, self);
            return None;
        }
        let name = integration.name.clone();
        let keep_reason = self.keep_reason(integration, &marker).map(KeepReason::Known);
        // The forge cannot be checked for a branch with an invalid name.
        let invalid_branch = || {
            let branch = marker.branch.clone();
            let is_valid = Branch::new(&branch).is_valid();
            (!is_valid).then(|| KeepReason::Undecided(DeployError::NoBranch { name: name.clone(), branch }))
        };
        let keep_reason = keep_reason.or_else(invalid_branch);
        Some(SweepCandidate { name, location: location.clone(), marker, keep_reason })
    }

    /// Returns the reason to keep a preview regardless of its branch.
    fn keep_reason(&self, integration: &Published, marker: &OwnershipMarker) -> Option<String> {
        let name = &integration.name;
        let expected =
            self.template.name(&marker.integration, &Branch::new(&marker.branch), marker.pull_request);
        let lacks_number = self.template.needs_pull_request() && marker.pull_request.is_none();
        if *name != expected || lacks_number {
            let reason =
                "its name does not match `GITBOOK_PREVIEW_NAME`; delete it in GitBook if it is yours";
            return Some(reason.to_owned());
        }
        let production = self.production.iter().map(String::as_str);
        let protection = guard::protection(name, integration, production.chain([&*marker.integration]))?;
        Some(format!("{protection}; {}", protection.hint()))
    }

    /// Returns the branch or pull request of a preview. The preview belongs to the pull request only if the name contains
    /// its number.
    fn target(&self, marker: &OwnershipMarker) -> Target {
        let pull_request = marker.pull_request.filter(|_| self.template.needs_pull_request());
        Target { branch: Branch::new(&marker.branch), pull_request }
    }

    /// Checks that the branch or pull request of a preview is still closed.
    async fn verdict(&self, name: &str, target: &Target, questions: &Questions<'_>) -> Verdict {
        match self.ref_state(target, questions).await {
            Ok(RefState::Closed) => Verdict::Confirmed,
            Ok(RefState::Open { .. }) => {
                Verdict::Stop(Stop::Open(format!("kept: {} is open again", self.describe(target))))
            }
            Err(error) => Verdict::Stop(self.undecided(name, target, &error)),
        }
    }

    async fn ref_state(&self, target: &Target, questions: &Questions<'_>) -> Result<RefState, ForgeError> {
        let forge = questions.next()?;
        questions.count(forge.ref_state(&target.branch, target.pull_request).await)
    }

    fn open_reason(&self, target: &Target) -> KeepReason {
        KeepReason::Known(format!("{} is open", self.describe(target)))
    }

    fn undecided(&self, name: &str, target: &Target, error: &ForgeError) -> Stop {
        let target = self.describe(target);
        let reason = format!("`{name}` was kept: could not check that {target} is gone: {error}");
        Stop::Undecided { reason, hint: error.hint() }
    }

    /// Deletes a preview. It reads the preview and checks the forge again before, because the preview or the state of the
    /// branch may have changed since the listing.
    async fn delete(
        &self,
        name: &str,
        marker: &OwnershipMarker,
        questions: &Questions<'_>,
    ) -> Result<Success, DeployError> {
        let Deployer { cancel, dry_run, .. } = *self.deployer;
        let success = |status, note: String| Ok(Success { status, note: Some(note), ..Success::default() });
        let missing = || "it no longer existed".to_owned();
        let target = &self.target(marker);
        let reason = match target.pull_request {
            Some(_) => format!("{} is closed", self.describe(target)),
            None => format!("{} is gone", self.describe(target)),
        };
        // Each deletion has its own check.
        let staleness = StalenessCheck::new(|| {
            Box::pin(async move {
                let verdict = cancel.run_until_cancelled(self.verdict(name, target, questions)).await;
                verdict.unwrap_or_else(|_| Verdict::Stop(Stop::Changed("kept: cancelled".to_owned())))
            })
        });
        let Some(existing) = self.deployer.read(name).await? else {
            self.record_deletion(marker).await;
            return success(Status::Deleted, missing());
        };
        let check = |existing: &Published| {
            let is_same =
                existing.summary.as_deref().and_then(OwnershipMarker::parse).as_ref() == Some(marker);
            let changed = || Stop::Changed("kept: it was changed during the sweep".to_owned());
            if is_same && self.keep_reason(existing, marker).is_none() { Ok(()) } else { Err(changed()) }
        };
        check(&existing)?;
        if dry_run {
            return success(Status::Checked, format!("dry run: would be deleted, {reason}"));
        }
        let check = async |existing: &Published| check(existing).map_err(AttemptError::from);
        let deletion = self.deployer.delete_read(name, &staleness, check).await?;
        self.record_deletion(marker).await;
        match deletion {
            Deletion::DidNotExist => success(Status::Deleted, missing()),
            Deletion::Deleted => {
                self.check_reopened(name, target, questions).await?;
                success(Status::Deleted, reason)
            }
        }
    }

    /// Checks the forge again after a deletion. If the branch was opened again, its run may have found the preview before it
    /// was deleted.
    async fn check_reopened(
        &self,
        name: &str,
        target: &Target,
        questions: &Questions<'_>,
    ) -> Result<(), DeployError> {
        let ref_state = self.deployer.cancel.run_until_cancelled(self.ref_state(target, questions)).await;
        let target = self.describe(target);
        match ref_state {
            Ok(Ok(RefState::Open { .. })) => {
                let reason = format!("{target} is open again");
                return Err(DeployError::Reopened { name: name.to_owned(), reason });
            }
            Ok(Err(error)) => {
                let hint = error.hint();
                tracing::warn!(
                    "`{name}` was deleted, but could not check whether {target} is open again: {error}; {hint}"
                );
            }
            Ok(Ok(RefState::Closed)) | Err(_) => {}
        }
        Ok(())
    }

    /// Describes the pull request or branch of a preview.
    fn describe(&self, target: &Target) -> String {
        match target.pull_request {
            Some(number) => self.forge.kind().pull_request(number),
            None => format!("branch `{}`", target.branch),
        }
    }

    /// Records the deletion of a preview.
    async fn record_deletion(&self, marker: &OwnershipMarker) {
        if let Some(github_deployments) = self.deployer.github_deployments {
            github_deployments.record_deletion(marker).await;
        }
    }
}
