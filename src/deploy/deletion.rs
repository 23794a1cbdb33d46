//! Deletes a branch's preview of an integration.

use std::time::Instant;

use super::attempt::AttemptError;
use super::recheck::{Recheck, Stop};
use super::{DeployError, Deployment, Done, NamedPreview, Outcome, Previews, What};
use crate::gitbook::{Deletion, Failure, Published, Tried};
use crate::preview::Mark;

impl Deployment<'_> {
    /// Deletes a branch's preview of an integration, unless what stands there is not ours, or newer.
    pub(crate) async fn delete(
        &self,
        preview: &NamedPreview,
        previews: &Previews<'_>,
        recheck: &Recheck<'_>,
    ) -> Outcome {
        let NamedPreview { integration, place, name } = preview;
        self.timed(name.clone(), place, true, async {
            let ours = previews.mark(integration);
            let done = self.delete_ours(name, &ours, recheck).await?;
            if let Some(records) = self.records.filter(|_| done.what == What::Deleted) {
                records.gone(&ours).await;
            }
            Ok(done)
        })
        .await
    }

    async fn delete_ours(&self, name: &str, ours: &Mark, recheck: &Recheck<'_>) -> Result<Done, DeployError> {
        let noted = |what, note: String| Done { what, note: Some(note), ..Done::default() };
        let absent = || noted(What::Deleted, "it was not there".to_owned());
        let Some(existing) = self.read(name).await? else {
            return Ok(absent());
        };
        self.may_change(name, &existing, ours, recheck).await?;
        if self.dry_run {
            return Ok(noted(What::Checked, "dry run: would be deleted".to_owned()));
        }
        let check = async |there: &Published| {
            self.may_change(name, there, ours, recheck).await.map(drop).map_err(AttemptError::from)
        };
        Ok(match self.delete_read(name, recheck, check).await? {
            Deletion::Deleted => Done { what: What::Deleted, ..Done::default() },
            Deletion::DidNotExist => absent(),
        })
    }

    /// Deletes an integration that was just read and checked. Each further attempt reads and checks it again.
    pub(super) async fn delete_read(
        &self,
        name: &str,
        recheck: &Recheck<'_>,
        check: impl AsyncFn(&Published) -> Result<(), AttemptError>,
    ) -> Result<Deletion, DeployError> {
        let before = async |failure: Option<Failure>| {
            // What was read just now needs not be read again.
            if failure.is_none() && recheck.is_recent().await {
                recheck.recent().await.check()?;
                return Ok(None);
            }
            recheck.since(failure.map_or_else(Instant::now, |failure| failure.at)).await.check()?;
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
            Tried { last: Deletion::DidNotExist, unanswered: 1.. } => Deletion::Deleted,
            Tried { last, .. } => last,
        })
    }
}
