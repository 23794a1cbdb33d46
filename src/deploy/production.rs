//! Publishes an integration to production.

use std::time::Instant;

use super::attempt::AttemptError;
use super::concurrent_runs::LastRead;
use super::deployment_record::{self, DeploymentDetails, RecordedVersion};
use super::guard;
use super::precondition::{Precondition, Verdict};
use super::previous_version::PreviousVersion;
use super::response_check::ExpectedIntegration;
use super::{
    DeployError, Deployer, Outcome, ProductionSnapshot, Status, Success, published_success,
    with_url_and_version,
};
use crate::gitbook::{
    Attempts, FailedAttempt, GitBookError, PublishedIntegration, RequestError, Retryable as _,
};
use crate::integration::Integration;

impl Deployer<'_> {
    /// Publishes an integration to production.
    pub(crate) async fn publish(
        &self,
        integration: &Integration,
        snapshot: ProductionSnapshot,
        precondition: &Precondition<'_>,
    ) -> Outcome {
        let name = integration.name.clone();
        self.run_and_log(name.clone(), &integration.location, false, async {
            let success = Success::for_integration(integration);
            if self.dry_run {
                return Ok(Success { note: Some("dry run: would be published".to_owned()), ..success });
            }
            let request = integration.request()?;
            // The deployments of an integration to different GitBook endpoints share one GitHub environment, so the hash includes
            // the endpoint.
            let hash = deployment_record::hash_with_endpoint(self.gitbook.endpoint(), &request.hash);
            let expected = ExpectedIntegration::for_production(integration);
            let recorded = self.last_recorded(&name).await;
            let ProductionSnapshot { existing, read_at } = snapshot;
            let last_read = match &recorded {
                Some(recorded) if recorded.hash == hash => {
                    let existing = match existing {
                        Some(existing) => existing,
                        None => self.read(&name).await?,
                    };
                    if let Some(existing) =
                        existing.as_ref().filter(|existing| matches_record(existing, &expected, recorded))
                    {
                        return Ok(Success {
                            status: Status::Unchanged,
                            ..with_url_and_version(existing, success)
                        });
                    }
                    LastRead::known(existing)
                }
                _ => existing.map_or_else(LastRead::unknown, LastRead::known),
            };
            let script_bytes = integration.script_bytes();
            let details = DeploymentDetails {
                integration: &name,
                name: &name,
                hash: &hash,
                script_bytes,
                marker: None,
            };
            let body = request.body()?;
            let request = self.send_production((&last_read, read_at), &expected, body, precondition);
            let response = self.send_and_record(&details, request).await?;
            Ok(published_success(
                &response,
                &expected,
                recorded.as_ref().and_then(PreviousVersion::of_production),
                success,
            ))
        })
        .await
    }

    async fn send_production(
        &self,
        (last_read, first_read_at): (&LastRead, Instant),
        expected: &ExpectedIntegration<'_>,
        body: Vec<u8>,
        precondition: &Precondition<'_>,
    ) -> Result<Attempts<PublishedIntegration>, DeployError> {
        let before_attempt = async |failure: Option<FailedAttempt>| {
            let Some(FailedAttempt { unanswered, .. }) = failure else {
                precondition.verdict_since(first_read_at).await.error_if_stop()?;
                return Ok(None);
            };
            let read_at = Instant::now();
            let existing = self.reread_production(expected.name).await?;
            let verdict = precondition.verdict_since(read_at).await.error_if_stop()?;
            let Some(existing) = existing else { return Ok(None) };
            if matches!(verdict, Verdict::NotChecked | Verdict::NoResponse) {
                let is_own = |existing: &PublishedIntegration| expected.differences(existing).is_empty();
                let has_succeeded = last_read.with_lock(|last| {
                    guard::has_published_to_production(existing.as_ref(), last, unanswered, is_own)
                });
                if has_succeeded.map_err(AttemptError::PublishedByOtherRun)? {
                    return Ok(existing);
                }
            }
            last_read.set(existing, unanswered);
            Ok::<_, AttemptError>(None)
        };
        let request = self.gitbook.publish(expected.name, body, before_attempt);
        let response = self.send_change("publishing", expected.name, request).await;
        let is_own =
            |existing: &PublishedIntegration| (!expected.differences(existing).is_empty()).then_some(false);
        let response = self.check_earlier_attempt(response, expected.name, last_read, is_own).await?;
        self.check_version(last_read, &response, expected, precondition).await?;
        Ok(response)
    }

    /// Reads the integration in production without retries. Returns `None` if the request fails.
    pub(super) async fn try_read_production(&self, name: &str) -> Option<Option<PublishedIntegration>> {
        match self.cancel.run_until_cancelled(self.gitbook.read_once(name)).await.ok()? {
            Ok(existing) => Some(existing),
            Err(error) => {
                self.log_unreadable(name, &error);
                None
            }
        }
    }

    /// Reads the integration in production between two attempts. Returns `None` after a permanent failure, which does not prevent
    /// publishing.
    ///
    /// # Errors
    /// Returns an error after a temporary failure or a signal.
    async fn reread_production(
        &self,
        name: &str,
    ) -> Result<Option<Option<PublishedIntegration>>, GitBookError> {
        match self.gitbook.read_once(name).await {
            Ok(existing) => Ok(Some(existing)),
            Err(error)
                if error.is_retryable()
                    || matches!(error, GitBookError::Request(RequestError::Cancelled)) =>
            {
                Err(error)
            }
            Err(error) => {
                self.log_unreadable(name, &error);
                Ok(None)
            }
        }
    }

    fn log_unreadable(&self, name: &str, error: &GitBookError) {
        let message =
            format!("could not read `{name}` before publishing, so its version is not checked: {error}");
        tracing::debug!("{message}");
        self.unreadable_notice.call_once(|| tracing::info!("{message}"));
    }

    /// Returns the version that was last published to production, according to its GitHub Deployment. Returns `None` if it is
    /// unknown, or if this run also publishes unchanged integrations.
    async fn last_recorded(&self, name: &str) -> Option<RecordedVersion> {
        self.github_deployments.filter(|_| self.skip_unchanged)?.last_recorded(name).await
    }
}

/// Returns true if the integration in production is the recorded version and has the expected fields. The fields are compared,
/// too, because another run or person may have changed the integration after the version was recorded.
fn matches_record(
    existing: &PublishedIntegration,
    expected: &ExpectedIntegration<'_>,
    recorded: &RecordedVersion,
) -> bool {
    let version = existing.version.as_ref().map(ToString::to_string);
    version.as_ref() == Some(&recorded.version) && expected.matches_published(existing)
}
