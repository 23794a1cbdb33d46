//! Deletes a branch's preview of an integration.

use std::time::Instant;

use super::attempt::AttemptError;
use super::staleness::{StalenessCheck, Stop};
use super::{DeployError, Deployment, NamedPreview, Outcome, Previews, Status, Success};
use crate::gitbook::{Attempts, Deletion, FailedAttempt, Published};
use crate::preview::OwnershipMarker;

impl Deployment<'_> {
    /// Deletes a branch's preview of an integration, unless what stands there is not ours, or newer.
    pub(crate) async fn delete(
        &self,
        preview: &NamedPreview,
        previews: &Previews<'_>,
        staleness: &StalenessCheck<'_>,
    ) -> Outcome {
        let NamedPreview { integration, place, name } = preview;
        self.timed(name.clone(), place, true, async {
            let ours = previews.mark(integration);
            let done = self.delete_ours(name, &ours, staleness).await?;
            if let Some(records) = self.records.filter(|_| done.status == Status::Deleted) {
                records.gone(&ours).await;
            }
            Ok(done)
        })
        .await
    }

    async fn delete_ours(
        &self,
        name: &str,
        ours: &OwnershipMarker,
        staleness: &StalenessCheck<'_>,
    ) -> Result<Success, DeployError> {
        let noted = |status, note: String| Success { status, note: Some(note), ..Success::default() };
        let absent = || noted(Status::Deleted, "it was not there".to_owned());
        let Some(existing) = self.read(name).await? else {
            return Ok(absent());
        };
        self.may_change(name, &existing, ours, staleness).await?;
        if self.dry_run {
            return Ok(noted(Status::Checked, "dry run: would be deleted".to_owned()));
        }
        let check = async |there: &Published| {
            self.may_change(name, there, ours, staleness).await.map(drop).map_err(AttemptError::from)
        };
        Ok(match self.delete_read(name, staleness, check).await? {
            Deletion::Deleted => Success { status: Status::Deleted, ..Success::default() },
            Deletion::DidNotExist => absent(),
        })
    }

    /// Deletes an integration that was just read and checked. Each further attempt reads and checks it again.
    pub(super) async fn delete_read(
        &self,
        name: &str,
        staleness: &StalenessCheck<'_>,
        check: impl AsyncFn(&Published) -> Result<(), AttemptError>,
    ) -> Result<Deletion, DeployError> {
        let before = async |failure: Option<FailedAttempt>| {
            // What was read just now needs not be read again.
            if failure.is_none() && staleness.is_recent().await {
                staleness.recent().await.check()?;
                return Ok(None);
            }
            staleness.since(failure.map_or_else(Instant::now, |failure| failure.at)).await.check()?;
            let Some(there) = self.gitbook.read_once(name).await? else {
                return Ok(Some(Deletion::DidNotExist));
            };
            check(&there).await.map(|()| None)
        };
        let deletion = match self.change("deleting", name, self.gitbook.delete(name, before)).await {
            // An earlier attempt has deleted it, and by now it is wanted again.
            Err(DeployError::Stopped { stop: Stop::Open(reason), tried: Some(_) })
                if self.is_gone(name).await == Some(true) =>
            {
                Err(DeployError::Reopened { name: name.to_owned(), reason })
            }
            deletion => deletion,
        };
        Ok(match deletion? {
            // An earlier attempt has deleted it, and its answer was lost.
            Attempts { last: Deletion::DidNotExist, unanswered: 1.. } => Deletion::Deleted,
            Attempts { last, .. } => last,
        })
    }
}
