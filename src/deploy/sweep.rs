//! Sweeps an organization: deletes the previews of deleted branches and closed pull requests, and reports the reason for each
//! preview that it keeps.

pub(crate) use error::SweepError;
use forge_failures::ForgeFailures;
use others::OtherRepositoryPreviews;

use super::attempt::AttemptError;
use super::guard;
use super::precondition::{Precondition, Stop, Verdict};
use super::{DeployError, Deployer, Outcome, Status, Success};
use crate::diagnostic::SourceLocation;
use crate::forge::{Forge, ForgeError, OpenPullRequests, RefState};
use crate::gitbook::{Deletion, PublishedIntegration};
use crate::plan::PreviewRef;
use crate::preview::{OwnershipMarker, Template};
use crate::repository::Branch;

mod error;
mod forge_failures;
mod others;
mod reopened;

#[cfg(test)]
mod property_tests;

/// The maximum number of deletions per run. This limits the damage if an error makes open branches look closed.
const MAX_DELETIONS: usize = 50;

/// The clients and settings for a sweep.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    /// The deployer that reads and deletes integrations.
    pub deployer: &'a Deployer<'a>,
    /// The client for the forge.
    pub forge: &'a Forge,
    /// The repository as `host/owner/name`.
    pub repository: &'a str,
    /// The ID that the forge has assigned to the repository.
    pub repository_id: Option<u64>,
    /// The template for preview names.
    pub template: &'a Template,
    /// The names of integrations in production. The sweep never deletes an integration with one of these names.
    pub production: &'a [String],
}

/// The previews of this repository in GitBook, before the sweep has checked their branches.
#[derive(Debug, Default)]
pub(crate) struct UncheckedPreviews(Vec<SweepCandidate>);

impl Extend<SweepCandidate> for UncheckedPreviews {
    fn extend<T: IntoIterator<Item = SweepCandidate>>(&mut self, candidates: T) {
        self.0.extend(candidates);
    }
}

impl IntoIterator for UncheckedPreviews {
    type Item = SweepCandidate;
    type IntoIter = std::vec::IntoIter<SweepCandidate>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A preview of this repository that the sweep may delete.
#[derive(Debug)]
pub(crate) struct SweepCandidate {
    /// The name of the preview.
    pub name: String,
    /// The location of the manifest or variable that names the preview's organization.
    location: SourceLocation,
    marker: OwnershipMarker,
    /// The reason to keep the preview; `None` to delete it.
    keep_reason: Option<KeepReason>,
}

/// The reason to keep a preview.
#[derive(Debug)]
enum KeepReason {
    /// The branch is open, or the preview must not be deleted for another reason.
    Decided(String),
    /// The state of the branch or pull request could not be checked.
    Undecided(DeployError),
}

impl Sweep<'_> {
    /// Lists the previews of this repository in an organization. `organization` is an ID or a subdomain.
    ///
    /// # Errors
    /// Returns an error if the organization does not exist or a request to GitBook fails.
    pub(crate) async fn list(
        &self,
        organization: &str,
        location: &SourceLocation,
    ) -> Result<UncheckedPreviews, SweepError> {
        let to_error = |source| SweepError::List(organization.to_owned(), source);
        let gitbook = self.deployer.gitbook;
        let Some(id) = gitbook.organization_id(organization).await.map_err(to_error)? else {
            return Err(SweepError::OrganizationNotFound(organization.to_owned()));
        };
        let mut others = OtherRepositoryPreviews::default();
        let candidate = |integration| self.to_candidate(&integration, location, &mut others);
        let candidates = gitbook.list(&id, candidate).await.map_err(to_error)?;
        others.log();
        Ok(UncheckedPreviews(candidates))
    }

    /// Asks the forge for the open branches and pull requests, and decides which previews to keep. Keeps a preview if the state
    /// of its pull request is unknown.
    ///
    /// # Errors
    /// Returns an error if the forge's list of branches cannot be read.
    pub(crate) async fn decide(
        &self,
        UncheckedPreviews(mut candidates): UncheckedPreviews,
    ) -> Result<Vec<SweepCandidate>, SweepError> {
        let undecided = candidates.iter_mut().filter(|candidate| candidate.keep_reason.is_none());
        let undecided: Vec<_> =
            undecided.map(|candidate| (self.target(&candidate.marker), candidate)).collect();
        if undecided.is_empty() {
            return Ok(candidates);
        }
        let branches = self.forge.branches().await.map_err(SweepError::Forge)?;
        let is_of_pull_request =
            |target: &PreviewRef| target.pull_request.is_some() || target.branch.split_fork().is_some();
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
        let failures = ForgeFailures::new(self.forge);
        for (target, candidate) in of_pull_requests {
            candidate.keep_reason =
                match self.is_open(open.as_ref(), &candidate.name, &target, &failures).await {
                    Ok(is_open) => is_open.then(|| self.open_reason(&target)),
                    Err(stop) => Some(KeepReason::Undecided(stop.into())),
                };
        }
        Ok(candidates)
    }

    /// Returns true if the target's pull request is open. If the target has no pull request, returns true if a pull request from
    /// its branch is open.
    async fn is_open(
        &self,
        open: Result<&OpenPullRequests, &ForgeError>,
        name: &str,
        target: &PreviewRef,
        failures: &ForgeFailures<'_>,
    ) -> Result<bool, Stop> {
        let open = open.map_err(|error| self.undecided_stop(name, target, error))?;
        let PreviewRef { branch, pull_request } = target;
        let is_open = match failures.next_client() {
            Ok(forge) => failures.count(forge.has_open_pull_request(open, branch, *pull_request).await),
            Err(error) => Err(error),
        };
        is_open.map_err(|error| self.undecided_stop(name, target, &error))
    }

    /// Deletes up to 50 candidates without a reason to keep them. Returns an outcome for each candidate.
    ///
    /// Calls `on_deleted` after each deletion with the outcome and the preview's branch or pull request.
    pub(crate) async fn execute(
        &self,
        mut candidates: Vec<SweepCandidate>,
        mut on_deleted: impl AsyncFnMut(&Outcome, &PreviewRef),
    ) -> Vec<Outcome> {
        candidates.sort_by(|a, b| a.name.cmp(&b.name));
        // If the manifests name an organization both by its ID and by its subdomain, its previews are listed twice.
        candidates.dedup_by(|a, b| a.name == b.name);
        let mut outcomes = Vec::new();
        let mut remaining = MAX_DELETIONS;
        let failures = ForgeFailures::new(self.forge);
        for SweepCandidate { name, location, marker, keep_reason } in candidates {
            let limit = || {
                format!("this sweep has reached the limit of {MAX_DELETIONS} deletions; run another sweep")
            };
            let limit_reason = || (remaining == 0).then(|| KeepReason::Decided(limit()));
            match keep_reason.or_else(limit_reason) {
                Some(KeepReason::Decided(reason)) => {
                    outcomes.push(Outcome::skipped(name, &location, true, &format!("kept: {reason}")));
                    continue;
                }
                Some(KeepReason::Undecided(error)) => {
                    outcomes
                        .push(self.deployer.run_and_log(name, &location, true, async { Err(error) }).await);
                    continue;
                }
                None => {}
            }
            remaining -= 1;
            let delete = self.delete(&name, &marker, &failures);
            let outcome = self.deployer.run_and_log(name.clone(), &location, true, delete).await;
            if outcome.result.as_ref().is_ok_and(|success| success.status == Status::Deleted) {
                on_deleted(&outcome, &self.target(&marker)).await;
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Returns a candidate if the integration is a preview of this repository. Counts the previews of other repositories in `others`.
    fn to_candidate(
        &self,
        integration: &PublishedIntegration,
        location: &SourceLocation,
        others: &mut OtherRepositoryPreviews,
    ) -> Option<SweepCandidate> {
        let summary = integration.summary.as_deref()?;
        let Some(marker) = OwnershipMarker::parse(summary) else {
            if OwnershipMarker::resembles(summary) {
                tracing::info!(
                    "kept `{}`: its ownership marker is damaged; if no branch uses this preview, delete it in GitBook",
                    integration.name
                );
            }
            return None;
        };
        if !marker.belongs_to_repository(self.repository, self.repository_id) {
            tracing::debug!("`{}` is a preview of `{}`", integration.name, marker.repository);
            others.add(&marker, self);
            return None;
        }
        let name = integration.name.clone();
        let keep_reason = self.keep_reason(integration, &marker).map(KeepReason::Decided);
        // The program never asks the forge for a branch with an invalid name, so the state of such a branch is unknown.
        let invalid_branch = || {
            let branch = marker.branch.clone();
            let is_valid = Branch::new(&branch).is_valid();
            (!is_valid)
                .then(|| KeepReason::Undecided(DeployError::InvalidBranch { name: name.clone(), branch }))
        };
        let keep_reason = keep_reason.or_else(invalid_branch);
        Some(SweepCandidate { name, location: location.clone(), marker, keep_reason })
    }

    /// Returns the reason to keep a preview even if its branch is closed, or `None` if it may then be deleted.
    fn keep_reason(&self, integration: &PublishedIntegration, marker: &OwnershipMarker) -> Option<String> {
        let name = &integration.name;
        let expected =
            self.template.name(&marker.integration, &Branch::new(&marker.branch), marker.pull_request);
        let lacks_number = self.template.needs_pull_request() && marker.pull_request.is_none();
        if *name != expected || lacks_number {
            let reason = "its name does not match `GITBOOK_PREVIEW_NAME`; delete the preview in GitBook if no branch uses it";
            return Some(reason.to_owned());
        }
        let production = self.production.iter().map(String::as_str);
        let protection = guard::protection(name, integration, production.chain([&*marker.integration]))?;
        Some(format!("{protection}; {}", protection.hint()))
    }

    /// Returns the branch or pull request that a preview belongs to. A preview belongs to a pull request only if its name
    /// contains the number.
    fn target(&self, marker: &OwnershipMarker) -> PreviewRef {
        let pull_request = marker.pull_request.filter(|_| self.template.needs_pull_request());
        PreviewRef { branch: Branch::new(&marker.branch), pull_request }
    }

    /// Asks the forge if the branch or pull request of a preview is still closed.
    async fn deletion_verdict(
        &self,
        name: &str,
        target: &PreviewRef,
        failures: &ForgeFailures<'_>,
    ) -> Verdict {
        match self.ref_state(target, failures).await {
            Ok(RefState::Closed) => Verdict::Confirmed,
            Ok(RefState::Open { .. }) => {
                Verdict::Stop(Stop::Open(format!("kept: {} is open again", self.describe_target(target))))
            }
            Err(error) => Verdict::Stop(self.undecided_stop(name, target, &error)),
        }
    }

    async fn ref_state(
        &self,
        target: &PreviewRef,
        failures: &ForgeFailures<'_>,
    ) -> Result<RefState, ForgeError> {
        let forge = failures.next_client()?;
        failures.count(forge.ref_state(&target.branch, target.pull_request).await)
    }

    fn open_reason(&self, target: &PreviewRef) -> KeepReason {
        KeepReason::Decided(format!("{} is open", self.describe_target(target)))
    }

    fn undecided_stop(&self, name: &str, target: &PreviewRef, error: &ForgeError) -> Stop {
        let target = self.describe_target(target);
        let reason = format!("`{name}` was kept: could not check whether {target} is still open: {error}");
        Stop::Undecided { reason, hint: error.hint() }
    }

    /// Deletes a preview. Before the deletion, reads the preview and the state of its branch again, because both may have changed
    /// since the previews were listed.
    async fn delete(
        &self,
        name: &str,
        marker: &OwnershipMarker,
        failures: &ForgeFailures<'_>,
    ) -> Result<Success, DeployError> {
        let Deployer { cancel, dry_run, .. } = *self.deployer;
        let success = |status, note: String| Ok(Success { status, note: Some(note), ..Success::default() });
        let missing = || "already deleted".to_owned();
        let target = &self.target(marker);
        let reason = match target.pull_request {
            Some(_) => format!("{} is closed", self.describe_target(target)),
            None => format!("{} was deleted", self.describe_target(target)),
        };
        // Each preview belongs to another branch or pull request, so the deletions cannot share a check.
        let precondition = Precondition::new(|| {
            Box::pin(async move {
                let verdict = cancel.run_until_cancelled(self.deletion_verdict(name, target, failures)).await;
                verdict.unwrap_or_else(|_| Verdict::Stop(Stop::Changed("kept: cancelled".to_owned())))
            })
        });
        let Some(existing) = self.deployer.read(name).await? else {
            self.record_deletion(marker).await;
            return success(Status::Deleted, missing());
        };
        let check = |existing: &PublishedIntegration| {
            let is_same =
                existing.summary.as_deref().and_then(OwnershipMarker::parse).as_ref() == Some(marker);
            let changed = || Stop::Changed("kept: it was changed during the sweep".to_owned());
            if is_same && self.keep_reason(existing, marker).is_none() { Ok(()) } else { Err(changed()) }
        };
        check(&existing)?;
        if dry_run {
            return success(Status::Checked, format!("dry run: would be deleted, {reason}"));
        }
        let check = async |existing: &PublishedIntegration| check(existing).map_err(AttemptError::from);
        let deletion = self.deployer.delete_after_read(name, &precondition, check).await?;
        self.record_deletion(marker).await;
        match deletion {
            Deletion::DidNotExist => success(Status::Deleted, missing()),
            Deletion::Deleted => {
                self.check_reopened(name, target, failures).await?;
                success(Status::Deleted, reason)
            }
        }
    }

    /// Describes a pull request or branch, such as "pull request #12".
    fn describe_target(&self, target: &PreviewRef) -> String {
        match target.pull_request {
            Some(number) => self.forge.kind().describe_pull_request(number),
            None => format!("branch `{}`", target.branch),
        }
    }

    /// Records the deletion of a preview in its GitHub Deployments, if they are enabled.
    async fn record_deletion(&self, marker: &OwnershipMarker) {
        if let Some(github_deployments) = self.deployer.github_deployments {
            github_deployments.record_deletion(marker).await;
        }
    }
}
