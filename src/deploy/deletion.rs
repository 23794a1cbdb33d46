//! Deletes a branch's preview of an integration.

use std::time::Instant;

use super::attempt::AttemptError;
use super::precondition::{Precondition, Stop};
use super::{DeployError, Deployer, NamedPreview, Outcome, PreviewContext, Status, Success};
use crate::gitbook::{Attempts, Deletion, FailedAttempt, PublishedIntegration};
use crate::preview::OwnershipMarker;

impl Deployer<'_> {
    /// Deletes a branch's preview of an integration. Keeps the existing integration if it is public or not a preview, or if it
    /// belongs to another branch, another repository or a newer run.
    pub(crate) async fn delete(
        &self,
        preview: &NamedPreview,
        previews: &PreviewContext<'_>,
        precondition: &Precondition<'_>,
    ) -> Outcome {
        let NamedPreview { integration, location, name } = preview;
        self.run_and_log(name.clone(), location, true, async {
            let expected = previews.marker(integration);
            let success = self.delete_owned(name, &expected, precondition).await?;
            if let Some(github_deployments) =
                self.github_deployments.filter(|_| success.status == Status::Deleted)
            {
                github_deployments.record_deletion(&expected).await;
            }
            Ok(success)
        })
        .await
    }

    async fn delete_owned(
        &self,
        name: &str,
        expected: &OwnershipMarker,
        precondition: &Precondition<'_>,
    ) -> Result<Success, DeployError> {
        let with_note = |status, note: String| Success { status, note: Some(note), ..Success::default() };
        let missing = || with_note(Status::Deleted, "already deleted".to_owned());
        let Some(existing) = self.read(name).await? else {
            return Ok(missing());
        };
        self.check_may_change(name, &existing, expected, precondition).await?;
        if self.dry_run {
            return Ok(with_note(Status::Checked, "dry run: would be deleted".to_owned()));
        }
        let check = async |existing: &PublishedIntegration| {
            self.check_may_change(name, existing, expected, precondition)
                .await
                .map(drop)
                .map_err(AttemptError::from)
        };
        Ok(match self.delete_after_read(name, precondition, check).await? {
            Deletion::Deleted => Success { status: Status::Deleted, ..Success::default() },
            Deletion::DidNotExist => missing(),
        })
    }

    /// Deletes an integration that the caller has just read and checked. Calls `check` again before each further attempt.
    pub(super) async fn delete_after_read(
        &self,
        name: &str,
        precondition: &Precondition<'_>,
        check: impl AsyncFn(&PublishedIntegration) -> Result<(), AttemptError>,
    ) -> Result<Deletion, DeployError> {
        let before_attempt = async |failure: Option<FailedAttempt>| {
            // The caller has just read the integration, so the first attempt does not read it again.
            if failure.is_none() && precondition.has_recent_verdict().await {
                precondition.recent_verdict().await.error_if_stop()?;
                return Ok(None);
            }
            precondition
                .verdict_since(failure.map_or_else(Instant::now, |failure| failure.at))
                .await
                .error_if_stop()?;
            let Some(existing) = self.gitbook.read_once(name).await? else {
                return Ok(Some(Deletion::DidNotExist));
            };
            check(&existing).await.map(|()| None)
        };
        let deletion =
            match self.send_change("deleting", name, self.gitbook.delete(name, before_attempt)).await {
                // An earlier attempt has deleted the preview, and then the branch was reopened.
                Err(DeployError::Stopped { stop: Stop::Open(reason), earlier_attempt: Some(_) })
                    if self.is_missing(name).await == Some(true) =>
                {
                    Err(DeployError::Reopened { name: name.to_owned(), reason })
                }
                deletion => deletion,
            };
        Ok(match deletion? {
            // An earlier attempt has deleted the integration, but its response was lost.
            Attempts { last: Deletion::DidNotExist, unanswered: 1.. } => Deletion::Deleted,
            Attempts { last, .. } => last,
        })
    }
}
