//! Publishes a branch's preview of an integration.

use std::time::Instant;

use super::answer::Sent;
use super::attempt::AttemptError;
use super::former::Former;
use super::guard::{self, GuardError};
use super::recheck::{Recheck, Stop, Verdict};
use super::records::Publishing;
use super::version::{self, LastRead};
use super::{DeployError, Deployment, Done, Outcome, Previews, What, published, seen};
use crate::gitbook::{Deletion, Failure, Published, Tried};
use crate::integration::{Integration, PreviewIdentity};
use crate::preview::{self, Mark};

impl Deployment<'_> {
    /// Publishes a branch's preview of an integration, unless what stands there is not ours, or newer.
    pub(crate) async fn preview(
        &self,
        integration: &Integration,
        previews: &Previews<'_>,
        recheck: &Recheck<'_>,
    ) -> Outcome {
        let name = previews.name(&integration.name);
        self.timed(name.clone(), &integration.place, true, async {
            let done = self.preview_named(&name, integration, previews, recheck).await;
            let done = done.or_else(DeployError::or_skipped)?;
            let Done { script_bytes, parts, .. } = Done::with(integration);
            Ok(Done { script_bytes, parts, ..done })
        })
        .await
    }

    async fn preview_named(
        &self,
        name: &str,
        integration: &Integration,
        previews: &Previews<'_>,
        recheck: &Recheck<'_>,
    ) -> Result<Done, DeployError> {
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
        let sent = Sent { name, title, visibility, summary: None, ..Sent::production(integration) };
        let read_at = Instant::now();
        let existing = self.read(name).await?;
        let mut former = None;
        if let Some(existing) = &existing {
            let theirs = self.may_change(name, existing, mark, recheck).await?;
            if !theirs.is_older_than(mark) {
                // Only the forge knows whether this is of a newer commit. Its last answer may be from before that.
                recheck.since(read_at).await.check()?;
            }
            let is_unchanged = || {
                let summary = preview::summary(integration.text("summary"), &theirs);
                existing.summary == summary && sent.is_unchanged_in(existing)
            };
            if self.skip_unchanged && theirs.hash == marked.hash && is_unchanged() {
                return Ok(Done { what: What::Unchanged, ..seen(existing, Done::default()) });
            }
            former = Former::of_preview(existing, &theirs);
        }
        if self.dry_run {
            return Ok(Done { note: Some("dry run: would be published".to_owned()), ..Done::default() });
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
        let text = preview::unmarked_summary(integration.text("summary"), &marked).unwrap_or_default();
        let request = self.publish_marked(existing, &marked, &sent, &text, body, recheck);
        let answer = match self.recorded(&publishing, request).await {
            // What is there already is not one more.
            Err(error) if is_new => Err(self.quota(error, integration, previews).await),
            answer => answer,
        }?;
        Ok(published(&answer, &sent, former, Done::default()))
    }

    /// Publishes a preview with its mark after a text.
    async fn publish_marked(
        &self,
        existing: Option<Published>,
        marked: &Mark,
        sent: &Sent<'_>,
        text: &str,
        body: Vec<u8>,
        recheck: &Recheck<'_>,
    ) -> Result<Tried<Published>, DeployError> {
        let name = sent.name;
        let is_new = existing.is_none();
        let last_read = LastRead::known(existing);
        let before = async |failure: Option<Failure>| {
            // Recording the deployment may have taken a while. What was read before is as old as that.
            if failure.is_none() && recheck.is_recent().await {
                recheck.recent().await.check()?;
                return Ok(None);
            }
            let (at, unanswered) =
                failure.map_or((Instant::now(), 0), |Failure { at, unanswered }| (at, unanswered));
            recheck.since(at).await.check()?;
            let there = self.gitbook.read_once(name).await?;
            if last_read.with(|last| guard::publish_again(name, there.as_ref(), last, marked))? {
                return Ok(there);
            }
            last_read.set(there, unanswered);
            Ok::<_, AttemptError>(None)
        };
        let request = self.gitbook.publish(name, body, before);
        let answer = self.change("publishing", name, request).await;
        let is_ours =
            |there: &Published| Some(there.summary.as_deref().and_then(Mark::find).as_ref() == Some(marked));
        let answer = match self.check_unanswered(answer, name, &last_read, is_ours).await {
            Err(error) => return Err(self.check_unmarked(error, is_new, sent, text).await),
            Ok(answer) => answer,
        };
        if answer.last.summary.as_deref().and_then(Mark::find).as_ref() != Some(marked) {
            let is_created = version::is_first(&answer.last) || is_as_sent(&answer.last, sent, text);
            let is_removed = is_new && is_created && self.remove_unmarked(&answer.last, sent).await;
            return Err(DeployError::MarkLost { name: name.to_owned(), is_removed });
        }
        self.check_version(&last_read, &answer, sent, recheck).await?;
        Ok(answer)
    }

    /// Deletes the preview if an attempt without an answer has created it without its mark. Returns the error of the
    /// integration.
    async fn check_unmarked(
        &self,
        error: DeployError,
        is_new: bool,
        sent: &Sent<'_>,
        text: &str,
    ) -> DeployError {
        let is_unmarked =
            matches!(error, DeployError::Guard { error: GuardError::NotMarked { .. }, tried: Some(_) });
        if is_new
            && is_unmarked
            && let Ok(Some(there)) = self.gitbook.read_once(sent.name).await
            && is_as_sent(&there, sent, text)
            && self.remove_unmarked(&there, sent).await
        {
            return DeployError::MarkLost { name: sent.name.to_owned(), is_removed: true };
        }
        error
    }

    /// Deletes a preview that this run has created without its mark: nothing else would ever delete it. Returns whether it
    /// is gone.
    async fn remove_unmarked(&self, created: &Published, sent: &Sent<'_>) -> bool {
        let before = async |_: Option<Failure>| {
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
        ours: &Mark,
        recheck: &Recheck<'_>,
    ) -> Result<Mark, GuardError> {
        match guard::may_change(name, existing, ours) {
            Err(GuardError::Newer(theirs))
                if theirs.counter.is_empty()
                    && theirs.commit != ours.commit
                    && recheck.since(Instant::now()).await == Verdict::Confirmed =>
            {
                Ok(*theirs)
            }
            result => result,
        }
    }
}

/// Returns whether an integration has everything of a preview but its mark. If there was nothing under its name before, the
/// run has created it.
fn is_as_sent(there: &Published, sent: &Sent<'_>, text: &str) -> bool {
    (there.version.is_none() || version::is_first(there))
        && there.summary.as_deref().unwrap_or_default().trim() == text.trim()
        && sent.is_unchanged_in(there)
}
