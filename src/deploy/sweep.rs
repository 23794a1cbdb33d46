//! The sweep: deletes the previews of closed branches and pull requests, and reports the reason for each preview that it
//! keeps.

use std::time::Instant;

use super::attempt::AttemptError;
use super::guard;
use super::staleness::{StalenessCheck, Stop, Verdict};
use super::{DeployError, Deployer, Outcome, Status, Success};
use crate::diagnostic::SourceLocation;
use crate::forge::{Forge, ForgeError, RefState};
use crate::gitbook::{ApiError, Deletion, Published};
use crate::plan::Target;
use crate::preview::{OwnershipMarker, Template};
use crate::repository::Branch;

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
    /// The forge does not list the open branches and pull requests.
    #[error("could not list the open branches and pull requests, so nothing was deleted")]
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
    keep_reason: Option<String>,
}

impl SweepCandidate {
    /// Returns whether the branch in the marker has an invalid name. The forge cannot be checked then.
    fn has_invalid_branch(&self) -> bool {
        !Branch::new(&self.marker.branch).is_valid()
    }
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
        let listed = gitbook.list(&id).await.map_err(failed)?;
        let markers =
            listed.iter().filter_map(|integration| OwnershipMarker::parse(integration.summary.as_deref()?));
        let others = markers.filter(|marker| !self.is_of_repository(marker)).count();
        if others > 0 {
            tracing::info!("skipped {others} previews of other repositories");
        }
        let candidates = listed.iter().filter_map(|integration| self.candidate(integration, location));
        Ok(Listed(candidates.collect()))
    }

    /// Decides to keep the previews of all branches and pull requests that the forge lists as open.
    ///
    /// # Errors
    /// Returns an error if the forge does not list them.
    pub(crate) async fn decide(
        &self,
        Listed(mut candidates): Listed,
    ) -> Result<Vec<SweepCandidate>, SweepError> {
        let is_undecided = |candidate: &&mut SweepCandidate| {
            candidate.keep_reason.is_none() && !candidate.has_invalid_branch()
        };
        let undecided: Vec<_> = candidates.iter_mut().filter(is_undecided).collect();
        let targets: Vec<_> = undecided.iter().map(|candidate| self.target(&candidate.marker)).collect();
        if targets.is_empty() {
            return Ok(candidates);
        }
        let is_in_pull_requests =
            |target: &Target| target.pull_request.is_some() || target.branch.split_fork().is_some();
        let refs = self.forge.open_refs(targets.iter().any(is_in_pull_requests)).await;
        let refs = refs.map_err(SweepError::Forge)?;
        for (candidate, target) in undecided.into_iter().zip(&targets) {
            let is_open = self.forge.is_listed(&refs, &target.branch, target.pull_request).await;
            if is_open.map_err(SweepError::Forge)? {
                candidate.keep_reason = Some(format!("{} is open", self.describe(target)));
            }
        }
        Ok(candidates)
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
        for candidate in candidates {
            let has_invalid_branch = candidate.has_invalid_branch();
            let SweepCandidate { name, location, marker, keep_reason } = candidate;
            let keep_reason = keep_reason.or_else(|| {
                (remaining == 0).then(|| format!("the limit is {MAX_DELETIONS} deletions per run"))
            });
            if let Some(reason) = keep_reason {
                outcomes.push(Outcome::skipped(name, &location, true, &format!("kept: {reason}")));
                continue;
            }
            if has_invalid_branch {
                let error = DeployError::NoBranch { name: name.clone(), branch: marker.branch };
                let outcome = self.deployer.timed(name, &location, true, async { Err(error) }).await;
                outcomes.push(outcome);
                continue;
            }
            remaining -= 1;
            let outcome =
                self.deployer.timed(name.clone(), &location, true, self.delete(&name, &marker)).await;
            if outcome.result.as_ref().is_ok_and(|success| success.status == Status::Deleted) {
                deleted(&outcome, &self.target(&marker)).await;
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Returns an integration as a candidate if it is a preview of this repository.
    fn candidate(&self, integration: &Published, location: &SourceLocation) -> Option<SweepCandidate> {
        let summary = integration.summary.as_deref()?;
        let Some(marker) = OwnershipMarker::parse(summary) else {
            if OwnershipMarker::resembles(summary) {
                tracing::info!("kept `{}`: its ownership marker is damaged", integration.name);
            }
            return None;
        };
        if !self.is_of_repository(&marker) {
            tracing::debug!("`{}` is a preview of `{}`", integration.name, marker.repository);
            return None;
        }
        let keep_reason = self.keep_reason(integration, &marker);
        Some(SweepCandidate {
            name: integration.name.clone(),
            location: location.clone(),
            marker,
            keep_reason,
        })
    }

    fn is_of_repository(&self, marker: &OwnershipMarker) -> bool {
        marker.belongs_to(self.repository, self.repository_id)
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
    async fn verdict(&self, name: &str, target: &Target) -> Verdict {
        match self.forge.ref_state(&target.branch, target.pull_request).await {
            Ok(RefState::Closed) => Verdict::Confirmed,
            Ok(RefState::Open { .. }) => {
                Verdict::Stop(Stop::Open(format!("kept: {} is open again", self.describe(target))))
            }
            Err(error) => Verdict::Stop(Stop::Undecided {
                reason: format!(
                    "`{name}` was kept: could not check that {} is gone: {error}",
                    self.describe(target)
                ),
                hint: error.hint(),
            }),
        }
    }

    /// Deletes a preview. It reads the preview and checks the forge again before, because the preview or the state of the
    /// branch may have changed since the listing.
    async fn delete(&self, name: &str, marker: &OwnershipMarker) -> Result<Success, DeployError> {
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
                let verdict = cancel.run_until_cancelled(self.verdict(name, target)).await;
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
            // If the branch was opened again, its run may have found the preview before it was deleted.
            Deletion::Deleted => match staleness.since(Instant::now()).await {
                Verdict::Stop(Stop::Open(_)) => {
                    let reason = format!("{} is open again", self.describe(target));
                    Err(DeployError::Reopened { name: name.to_owned(), reason })
                }
                _ => success(Status::Deleted, reason),
            },
        }
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
