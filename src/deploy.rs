//! Publishes and deletes integrations. Before each request, checks that the run is allowed to make the change.

mod attempt;
mod concurrent_runs;
mod deletion;
mod deployment_record;
mod environment_name;
mod field_comparison;
mod guard;
mod log_outcome;
mod outcome;
mod precondition;
mod preview;
mod previous_version;
mod production;
#[cfg(test)]
mod property_tests;
mod quota;
mod response_check;
mod sweep;

pub(crate) use crate::integration::PackageSize;
pub(crate) use deployment_record::GitHubDeployments;
use outcome::EarlierAttempt;
pub(crate) use outcome::{DeployError, Outcome, Status, Success};
pub(crate) use precondition::{Precondition, Stop, Verdict};
pub(crate) use sweep::{Sweep, SweepCandidate, SweepError, UncheckedPreviews};

use std::sync::Once;
use std::time::Instant;

use crate::cancel::{Cancel, Signal};
use crate::diagnostic::SourceLocation;
use crate::gitbook::{Attempts, GitBook, PublishedIntegration};
use crate::integration::Identity;
use crate::plan::PreviewRef;
use crate::preview::{OwnershipMarker, Template};
use crate::untrusted::web_or_file_link;
use attempt::AttemptError;
use deployment_record::DeploymentDetails;
use previous_version::PreviousVersion;
use response_check::{Difference, ExpectedIntegration};

/// The clients and settings for publishing and deleting integrations.
#[derive(Debug)]
pub(crate) struct Deployer<'a> {
    /// The client for the GitBook API.
    pub gitbook: &'a GitBook,
    /// The receiver of the signals that cancel the run.
    pub cancel: &'a Cancel,
    /// The recorder of GitHub Deployments; `None` if they are disabled.
    pub github_deployments: Option<&'a GitHubDeployments<'a>>,
    /// True if this run must not send requests that change an integration.
    pub dry_run: bool,
    /// True if this run does not publish integrations that have not changed since they were last published.
    pub skip_unchanged: bool,
    /// A guard against repeated log lines. At the default log level, a run logs only the first integration in production that it
    /// cannot read.
    pub unreadable_notice: Once,
}

/// The data that all previews of a run share.
#[derive(Debug)]
pub(crate) struct PreviewContext<'a> {
    /// The branch or pull request of the previews.
    pub target: &'a PreviewRef,
    /// The repository as `host/owner/name`.
    pub repository: &'a str,
    /// The ID that the forge has assigned to the repository.
    pub repository_id: Option<u64>,
    /// The ID of the commit that this run publishes.
    pub commit: Option<&'a str>,
    /// The run number, which is higher for newer runs; 0 if the CI system has none.
    pub run: u64,
    /// The name of the counter that the run number comes from. Numbers from different counters cannot be compared.
    pub counter: &'a str,
    /// The template for preview names.
    pub template: &'a Template,
    /// `private` or `unlisted`.
    pub visibility: &'static str,
}

/// The names of a preview and of its integration.
#[derive(Debug)]
pub(crate) struct NamedPreview {
    /// The name of the integration in production.
    pub integration: String,
    /// The location of the integration's manifest.
    pub location: SourceLocation,
    /// The preview's name.
    pub name: String,
}

/// The integration in production before this run changes it.
#[derive(Debug)]
pub(crate) struct ProductionSnapshot {
    /// The integration. `Some(None)` means that it did not exist; `None` means that it could not be read.
    existing: Option<Option<PublishedIntegration>>,
    /// The time directly before the integration was read.
    read_at: Instant,
}

impl PreviewContext<'_> {
    /// Returns the name of an integration's preview.
    #[must_use]
    pub(crate) fn name(&self, integration: &str) -> String {
        self.template.name(integration, &self.target.branch, self.target.pull_request)
    }

    /// Returns the preview of an integration.
    #[must_use]
    pub(crate) fn named_preview(&self, identity: Identity) -> NamedPreview {
        let Identity { name: integration, location, .. } = identity;
        NamedPreview { name: self.name(&integration), integration, location }
    }

    /// Returns the name of the integration that `existing` is a preview of, or `None` if `existing` is not a preview of this
    /// branch.
    #[must_use]
    pub(crate) fn integration_of(&self, existing: &PublishedIntegration) -> Option<String> {
        let marker = existing.summary.as_deref().and_then(OwnershipMarker::parse)?;
        let is_same_preview = marker.is_same_preview(&self.marker(&marker.integration));
        (is_same_preview && self.name(&marker.integration) == existing.name).then_some(marker.integration)
    }

    fn marker(&self, integration: &str) -> OwnershipMarker {
        OwnershipMarker {
            integration: integration.to_owned(),
            repository: self.repository.to_owned(),
            repository_id: self.repository_id,
            branch: self.target.branch.as_str().to_owned(),
            pull_request: self.target.pull_request.filter(|_| self.template.needs_pull_request()),
            commit: self.commit.unwrap_or_default().to_owned(),
            run: self.run,
            counter: self.counter.to_owned(),
            hash: String::new(),
            script_bytes: None,
        }
    }
}

impl Deployer<'_> {
    /// Sends a publish request and, if enabled, records it as a GitHub Deployment.
    async fn send_and_record(
        &self,
        details: &DeploymentDetails<'_>,
        request: impl Future<Output = Result<Attempts<PublishedIntegration>, DeployError>>,
    ) -> Result<Attempts<PublishedIntegration>, DeployError> {
        match self.github_deployments {
            Some(github_deployments) => github_deployments.send_and_record(details, request).await,
            None => request.await,
        }
    }

    /// Reads the integration in production. Call this before the check for newer commits: a run for a newer commit may have
    /// published the version that is read here, and only a later check is certain to find that commit.
    ///
    /// If reading fails, this run publishes anyway, but does not know which version it replaces.
    pub(crate) async fn read_production(&self, name: &str) -> ProductionSnapshot {
        let read_at = Instant::now();
        let existing = match self.cancel.signal() {
            None if !self.dry_run => self.try_read_production(name).await,
            _ => None,
        };
        ProductionSnapshot { existing, read_at }
    }

    /// Reads an integration from GitBook. Returns `None` if it does not exist.
    async fn read(&self, name: &str) -> Result<Option<PublishedIntegration>, DeployError> {
        let response = self.run_with_grace(self.gitbook.read(name)).await?;
        // Reading changes nothing, so a signal during the request has the same error as a signal before the first request.
        response.map_err(DeployError::CancelledBefore)?.map_err(|source| {
            let (action, name) = ("reading", name.to_owned());
            DeployError::Api { action, name, may_have_succeeded: false, source }
        })
    }

    /// Sends a request that changes an integration. If the request fails, the error states whether it may have taken effect.
    async fn send_change<T>(
        &self,
        action: &'static str,
        name: &str,
        request: impl Future<Output = Attempts<Result<T, AttemptError>>>,
    ) -> Result<Attempts<T>, DeployError> {
        let name = name.to_owned();
        let Ok(Attempts { last, unanswered }) = self.run_with_grace(request).await? else {
            return Err(DeployError::CancelledInFlight { action, name });
        };
        let may_have_succeeded = unanswered > 0;
        let earlier_attempt = may_have_succeeded.then(|| EarlierAttempt { action, name: name.clone() });
        match last {
            Ok(last) => Ok(Attempts { last, unanswered }),
            Err(AttemptError::Api(source)) => {
                Err(DeployError::Api { action, name, may_have_succeeded, source })
            }
            Err(AttemptError::Guard(error)) => Err(DeployError::Guard { error, earlier_attempt }),
            Err(AttemptError::Stop(stop)) => Err(DeployError::Stopped { stop, earlier_attempt }),
            Err(AttemptError::PublishedByOtherRun(version)) => {
                Err(DeployError::PublishedByOtherRun { name, version })
            }
        }
    }

    /// Returns true if no integration has this name, or `None` if GitBook could not be asked.
    pub(crate) async fn is_missing(&self, name: &str) -> Option<bool> {
        match self.read(name).await {
            Ok(existing) => Some(existing.is_none()),
            Err(error) => {
                tracing::warn!("could not check whether `{name}` still exists: {error}");
                None
            }
        }
    }

    /// Sends a request. If a signal arrives during the request, waits for a grace period and then returns the signal as the inner
    /// error. Returns the outer error, and sends nothing, if the run is already cancelled.
    async fn run_with_grace<T>(
        &self,
        request: impl Future<Output = T>,
    ) -> Result<Result<T, Signal>, DeployError> {
        match self.cancel.signal() {
            Some(signal) => Err(DeployError::CancelledBefore(signal)),
            None => Ok(self.cancel.run_with_grace(request).await),
        }
    }

    /// Runs the work for one integration, measures its time and logs the outcome.
    async fn run_and_log(
        &self,
        name: String,
        location: &SourceLocation,
        is_preview: bool,
        work: impl Future<Output = Result<Success, DeployError>>,
    ) -> Outcome {
        let started = Instant::now();
        let cancelled = self.cancel.signal().map(|signal| Err(DeployError::CancelledBefore(signal)));
        let result = match cancelled {
            // The future is boxed, because it is large and several of them run at the same time.
            None => Box::pin(work).await,
            Some(result) => result,
        };
        let result = result.or_else(DeployError::into_skipped);
        let outcome = Outcome {
            name,
            location: location.clone(),
            is_preview,
            result,
            duration: started.elapsed(),
            packaging_time: None,
        };
        outcome.log();
        outcome
    }
}

/// Adds the URL and the version from a response to `success`.
fn with_url_and_version(response: &PublishedIntegration, success: Success) -> Success {
    Success {
        url: response.urls.app.as_deref().and_then(web_or_file_link),
        version: response.version.as_ref().map(ToString::to_string),
        ..success
    }
}

/// Creates the [`Success`] of a publish request. Logs a warning for each difference between the request and the response. Omits
/// the URL and the version if the response is about another integration.
fn published_success(
    response: &Attempts<PublishedIntegration>,
    expected: &ExpectedIntegration<'_>,
    previous_version: Option<PreviousVersion>,
    success: Success,
) -> Success {
    let last = &response.last;
    expected.differences(last).iter().for_each(Difference::log_warning);
    let success = Success { status: Status::Published, ..success };
    if expected.other_name(last).is_some() {
        return success;
    }
    let script_bytes_before =
        previous_version.and_then(|previous_version| previous_version.script_bytes(response));
    with_url_and_version(last, Success { script_bytes_before, ..success })
}
