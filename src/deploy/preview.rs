//! Publishes a branch's preview of an integration.

use std::time::Instant;

use super::attempt::AttemptError;
use super::concurrent_runs::{self, LastRead};
use super::deployment_record::DeploymentDetails;
use super::guard::{self, GuardError};
use super::precondition::{Precondition, Stop, Verdict};
use super::previous_version::PreviousVersion;
use super::response_check::ExpectedIntegration;
use super::{
    DeployError, Deployer, Outcome, PreviewContext, Status, Success, published_success, with_url_and_version,
};
use crate::gitbook::{Attempts, Deletion, FailedAttempt, PublishedIntegration};
use crate::integration::{Integration, PreviewIdentity};
use crate::preview::{self, OwnershipMarker};

impl Deployer<'_> {
    /// Publishes a branch's preview of an integration. Never overwrites an integration that is public or not a preview, or a
    /// preview of another branch, another repository or a newer run.
    pub(crate) async fn preview(
        &self,
        integration: &Integration,
        previews: &PreviewContext<'_>,
        precondition: &Precondition<'_>,
    ) -> Outcome {
        let name = previews.name(&integration.name);
        self.run_and_log(name.clone(), &integration.location, true, async {
            let success = self.publish_preview(&name, integration, previews, precondition).await;
            let success = success.or_else(DeployError::into_skipped)?;
            let Success { script_bytes, packages, .. } = Success::for_integration(integration);
            Ok(Success { script_bytes, packages, ..success })
        })
        .await
    }

    async fn publish_preview(
        &self,
        name: &str,
        integration: &Integration,
        previews: &PreviewContext<'_>,
        precondition: &Precondition<'_>,
    ) -> Result<Success, DeployError> {
        let identity = PreviewIdentity {
            name: name.to_owned(),
            title: preview::title(integration.title(), &previews.target.branch),
            visibility: previews.visibility,
            marker: previews.marker(&integration.name),
        };
        let (request, marker_with_hash) = integration.preview_request(&identity)?;
        let request = request.ok_or_else(|| {
            let length = marker_with_hash.to_string().encode_utf16().count();
            DeployError::MarkerTooLong { name: name.to_owned(), length }
        })?;
        let marker = &identity.marker;
        let expected = ExpectedIntegration::for_preview(integration, &identity);
        let read_at = Instant::now();
        let existing = self.read(name).await?;
        let mut previous_version = None;
        if let Some(existing) = &existing {
            let existing_marker = self.check_may_change(name, existing, marker, precondition).await?;
            if !existing_marker.has_same_commit_or_older_run(marker) {
                // If the commits differ and the run numbers cannot be compared, only the forge knows which commit is newer. Ask
                // it again, since its last response may be older than the preview.
                precondition.verdict_since(read_at).await.error_if_stop()?;
            }
            let summary = preview::summary(integration.text("summary"), &existing_marker);
            if self.skip_unchanged
                && (&existing_marker.hash, &existing.summary) == (&marker_with_hash.hash, &summary)
                && expected.matches_published(existing)
            {
                return Ok(Success {
                    status: Status::Unchanged,
                    ..with_url_and_version(existing, Success::default())
                });
            }
            previous_version = PreviousVersion::of_preview(existing, &existing_marker);
        }
        if self.dry_run {
            return Ok(Success {
                note: Some("dry run: would be published".to_owned()),
                ..Success::default()
            });
        }
        let details = DeploymentDetails {
            integration: &integration.name,
            name,
            hash: &marker_with_hash.hash,
            script_bytes: integration.script_bytes(),
            marker: Some(marker),
        };
        let is_new = existing.is_none();
        let body = request.body()?;
        let unmarked_summary =
            preview::unmarked_summary(integration.text("summary"), &marker_with_hash).unwrap_or_default();
        let marker_and_summary = (&marker_with_hash, unmarked_summary.as_str());
        let request = self.send_preview(existing, marker_and_summary, &expected, body, precondition);
        let response = match self.send_and_record(&details, request).await {
            // The GitBook plan limits the number of integrations. Only a new preview can exceed this limit.
            Err(error) if is_new => Err(self.add_preview_count(error, integration, previews).await),
            response => response,
        }?;
        Ok(published_success(&response, &expected, previous_version, Success::default()))
    }

    /// Sends the publish request for a preview, with a check before each attempt. The preview's summary consists of `unmarked_summary`
    /// and the marker.
    async fn send_preview(
        &self,
        existing: Option<PublishedIntegration>,
        (marker, unmarked_summary): (&OwnershipMarker, &str),
        expected: &ExpectedIntegration<'_>,
        body: Vec<u8>,
        precondition: &Precondition<'_>,
    ) -> Result<Attempts<PublishedIntegration>, DeployError> {
        let name = expected.name;
        let is_new = existing.is_none();
        let last_read = LastRead::known(existing);
        let before_attempt = async |failure: Option<FailedAttempt>| {
            // The caller has just read the preview, so the first attempt reads it again only if creating the deployment took
            // long.
            if failure.is_none() && precondition.has_recent_verdict().await {
                precondition.recent_verdict().await.error_if_stop()?;
                return Ok(None);
            }
            let (at, unanswered) =
                failure.map_or((Instant::now(), 0), |FailedAttempt { at, unanswered }| (at, unanswered));
            precondition.verdict_since(at).await.error_if_stop()?;
            let existing = self.gitbook.read_once(name).await?;
            if last_read
                .with_lock(|last| guard::has_published_preview(name, existing.as_ref(), last, marker))?
            {
                return Ok(existing);
            }
            last_read.set(existing, unanswered);
            Ok::<_, AttemptError>(None)
        };
        let request = self.gitbook.publish(name, body, before_attempt);
        let response = self.send_change("publishing", name, request).await;
        let is_own = |existing: &PublishedIntegration| {
            Some(existing.summary.as_deref().and_then(OwnershipMarker::parse).as_ref() == Some(marker))
        };
        let response = match self.check_earlier_attempt(response, name, &last_read, is_own).await {
            Err(error) => {
                return Err(self.delete_if_unmarked(error, is_new, expected, unmarked_summary).await);
            }
            Ok(response) => response,
        };
        if response.last.summary.as_deref().and_then(OwnershipMarker::parse).as_ref() != Some(marker) {
            let is_created = concurrent_runs::is_first_version(&response.last)
                || is_unmarked_preview(&response.last, expected, unmarked_summary);
            let is_removed = is_new && is_created && self.delete_unmarked(&response.last, expected).await;
            return Err(DeployError::MarkerLost { name: name.to_owned(), is_removed });
        }
        self.check_version(&last_read, &response, expected, precondition).await?;
        Ok(response)
    }

    /// Deletes the preview if an attempt without a response has created it and GitBook has removed its marker. Returns the error
    /// to report.
    async fn delete_if_unmarked(
        &self,
        error: DeployError,
        is_new: bool,
        expected: &ExpectedIntegration<'_>,
        unmarked_summary: &str,
    ) -> DeployError {
        let is_unmarked = matches!(
            error,
            DeployError::Guard { error: GuardError::NotMarked { .. }, earlier_attempt: Some(_) }
        );
        if is_new
            && is_unmarked
            && let Ok(Some(existing)) = self.gitbook.read_once(expected.name).await
            && is_unmarked_preview(&existing, expected, unmarked_summary)
            && self.delete_unmarked(&existing, expected).await
        {
            return DeployError::MarkerLost { name: expected.name.to_owned(), is_removed: true };
        }
        error
    }

    /// Deletes a preview that this run has created and that has lost its marker. Without this deletion, the preview would remain,
    /// since later runs never delete a preview without a marker. Returns true if the deletion succeeded.
    async fn delete_unmarked(
        &self,
        created: &PublishedIntegration,
        expected: &ExpectedIntegration<'_>,
    ) -> bool {
        let before_attempt = async |_: Option<FailedAttempt>| {
            let changed = || Stop::Changed("it was changed by another run".to_owned());
            match self.gitbook.read_once(expected.name).await? {
                None => Ok(Some(Deletion::DidNotExist)),
                Some(existing)
                    if existing.version == created.version
                        && existing.title == expected.title
                        && existing.summary == created.summary =>
                {
                    Ok(None)
                }
                Some(_) => Err(AttemptError::from(changed())),
            }
        };
        let request = self.gitbook.delete(expected.name, before_attempt);
        self.send_change("deleting", expected.name, request).await.is_ok()
    }

    /// Checks that this run may overwrite or delete an existing preview, and returns the preview's marker.
    ///
    /// Earlier versions of this program did not store a counter in the marker, so the marker's run number may be from another CI
    /// system. If such a marker has a higher run number, the preview may still be changed if the forge confirms that this run has
    /// the newest commit.
    pub(super) async fn check_may_change(
        &self,
        name: &str,
        existing: &PublishedIntegration,
        expected: &OwnershipMarker,
        precondition: &Precondition<'_>,
    ) -> Result<OwnershipMarker, GuardError> {
        match guard::check_may_change(name, existing, expected) {
            Err(GuardError::Newer(marker))
                if marker.counter.is_empty()
                    && marker.commit != expected.commit
                    && precondition.verdict_since(Instant::now()).await == Verdict::Confirmed =>
            {
                Ok(*marker)
            }
            result => result,
        }
    }
}

/// Returns true if an integration has version 1 or no version, and equals the expected preview except for its marker. If no
/// integration had this name before, this run has created the integration.
fn is_unmarked_preview(
    existing: &PublishedIntegration,
    expected: &ExpectedIntegration<'_>,
    unmarked_summary: &str,
) -> bool {
    (existing.version.is_none() || concurrent_runs::is_first_version(existing))
        && existing.summary.as_deref().unwrap_or_default().trim() == unmarked_summary.trim()
        && expected.matches_published(existing)
}
