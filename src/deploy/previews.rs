//! Publishes a branch's preview of an integration.

use std::time::Instant;

use super::attempt::AttemptError;
use super::github_deployments::Publishing;
use super::guard::{self, GuardError};
use super::previous_version::PreviousVersion;
use super::response_check::ExpectedIntegration;
use super::staleness::{StalenessCheck, Stop, Verdict};
use super::version::{self, LastRead};
use super::{DeployError, Deployment, Outcome, Previews, Status, Success, published, seen};
use crate::gitbook::{Attempts, Deletion, FailedAttempt, Published};
use crate::integration::{Integration, PreviewIdentity};
use crate::preview::{self, OwnershipMarker};

impl Deployment<'_> {
    /// Publishes a branch's preview of an integration, unless what stands there is not ours, or newer.
    pub(crate) async fn preview(
        &self,
        integration: &Integration,
        previews: &Previews<'_>,
        staleness: &StalenessCheck<'_>,
    ) -> Outcome {
        let name = previews.name(&integration.name);
        self.timed(name.clone(), &integration.place, true, async {
            let done = self.preview_named(&name, integration, previews, staleness).await;
            let done = done.or_else(DeployError::or_skipped)?;
            let Success { script_bytes, parts, .. } = Success::with(integration);
            Ok(Success { script_bytes, parts, ..done })
        })
        .await
    }

    async fn preview_named(
        &self,
        name: &str,
        integration: &Integration,
        previews: &Previews<'_>,
        staleness: &StalenessCheck<'_>,
    ) -> Result<Success, DeployError> {
        let identity = PreviewIdentity {
            name: name.to_owned(),
            title: preview::title(integration.title(), &previews.target.branch),
            visibility: previews.visibility,
            mark: previews.mark(&integration.name),
        };
        let too_long = || DeployError::MarkTooLong(name.to_owned());
        let (request, marked) = integration.preview_request(&identity)?.ok_or_else(too_long)?;
        let mark = &identity.mark;
        let (title, visibility) = (&*identity.title, identity.visibility);
        let sent = ExpectedIntegration {
            name,
            title,
            visibility,
            summary: "",
            ..ExpectedIntegration::production(integration)
        };
        let read_at = Instant::now();
        let existing = self.read(name).await?;
        let mut previous_version = None;
        if let Some(existing) = &existing {
            let theirs = self.may_change(name, existing, mark, staleness).await?;
            if !theirs.is_older_than(mark) {
                // Only the forge knows whether this is of a newer commit. Its last answer may be from before that.
                staleness.since(read_at).await.check()?;
            }
            if self.skip_unchanged && theirs.hash == marked.hash && sent.is_repeated_in(existing) {
                return Ok(Success { status: Status::Unchanged, ..seen(existing, Success::default()) });
            }
            previous_version = PreviousVersion::of_preview(existing, &theirs);
        }
        if self.dry_run {
            return Ok(Success {
                note: Some("dry run: would be published".to_owned()),
                ..Success::default()
            });
        }
        let publishing = Publishing {
            integration: &integration.name,
            name,
            hash: &marked.hash,
            script_bytes: integration.script_bytes(),
            mark: Some(mark),
        };
        let is_new = existing.is_none();
        let body = request.body()?;
        let request = self.publish_marked(existing, &marked, &sent, body, staleness);
        let answer = match self.recorded(&publishing, request).await {
            // What is there already is not one more.
            Err(error) if is_new => Err(self.count_at_quota(error, integration, previews).await),
            answer => answer,
        }?;
        Ok(published(&answer, &sent, previous_version, Success::default()))
    }

    async fn publish_marked(
        &self,
        existing: Option<Published>,
        marked: &OwnershipMarker,
        sent: &ExpectedIntegration<'_>,
        body: Vec<u8>,
        staleness: &StalenessCheck<'_>,
    ) -> Result<Attempts<Published>, DeployError> {
        let name = sent.name;
        let is_new = existing.is_none();
        let last_read = LastRead::known(existing);
        let before = async |failure: Option<FailedAttempt>| {
            // Recording the deployment may have taken a while. What was read before is as old as that.
            if failure.is_none() && staleness.is_recent().await {
                staleness.recent().await.check()?;
                return Ok(None);
            }
            let (at, unanswered) =
                failure.map_or((Instant::now(), 0), |FailedAttempt { at, unanswered }| (at, unanswered));
            staleness.since(at).await.check()?;
            let there = self.gitbook.read_once(name).await?;
            if last_read.with(|last| guard::publish_again(name, there.as_ref(), last, marked))? {
                return Ok(there);
            }
            last_read.set(there, unanswered);
            Ok::<_, AttemptError>(None)
        };
        let request = self.gitbook.publish(name, body, before);
        let answer = self.change("publishing", name, request).await;
        let is_ours = |there: &Published| {
            Some(there.summary.as_deref().and_then(OwnershipMarker::find).as_ref() == Some(marked))
        };
        let answer = self.check_unanswered(answer, name, &last_read, is_ours).await?;
        if answer.last.summary.as_deref().and_then(OwnershipMarker::find).as_ref() != Some(marked) {
            let is_removed = is_new && self.remove_unmarked(&answer.last, sent).await;
            return Err(DeployError::MarkLost { name: name.to_owned(), is_removed });
        }
        self.check_version(&last_read, &answer, sent, staleness).await?;
        Ok(answer)
    }

    /// Deletes a preview that this run has created without its mark: nothing else would ever delete it. Returns whether it
    /// is gone.
    async fn remove_unmarked(&self, created: &Published, sent: &ExpectedIntegration<'_>) -> bool {
        if !version::is_first(created) {
            return false;
        }
        let before = async |_: Option<FailedAttempt>| {
            let changed = || Stop::Changed("it was changed meanwhile".to_owned());
            match self.gitbook.read_once(sent.name).await? {
                None => Ok(Some(Deletion::DidNotExist)),
                Some(there)
                    if there.version == created.version
                        && there.title == sent.title
                        && there.summary == created.summary =>
                {
                    Ok(None)
                }
                Some(_) => Err(AttemptError::from(changed())),
            }
        };
        let request = self.gitbook.delete(sent.name, before);
        self.change("deleting", sent.name, request).await.is_ok()
    }

    /// Returns the mark of an existing preview that this run may overwrite or delete.
    ///
    /// Earlier versions of this program wrote marks without a counter, whose numbers may be another CI system's. The forge's
    /// verdict on this run decides then.
    pub(super) async fn may_change(
        &self,
        name: &str,
        existing: &Published,
        ours: &OwnershipMarker,
        staleness: &StalenessCheck<'_>,
    ) -> Result<OwnershipMarker, GuardError> {
        match guard::may_change(name, existing, ours) {
            Err(GuardError::Newer(theirs))
                if theirs.counter.is_empty()
                    && theirs.commit != ours.commit
                    && staleness.since(Instant::now()).await == Verdict::Confirmed =>
            {
                Ok(*theirs)
            }
            result => result,
        }
    }
}
