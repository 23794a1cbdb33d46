//! Carries a plan out, one integration at a time or several at once.

mod answer;
mod former;
mod guard;
#[cfg(test)]
mod histories;
mod outcome;
mod quota;
mod records;
mod sweep;

pub(crate) use crate::integration::Part;
pub(crate) use outcome::{DeployError, Done, Outcome, What};
pub(crate) use records::Records;
pub(crate) use sweep::{Sweep, SweepError};

use std::time::Instant;

use crate::cancel::{Cancel, Signal};
use crate::diagnostic::Place;
use crate::foreign::link_or_folder;
use crate::gitbook::{ApiError, Deletion, GitBook, Published, Tried};
use crate::integration::{Identity, Integration, PreviewIdentity};
use crate::plan::Target;
use crate::preview::{self, Mark, Template};
use answer::{Difference, Sent};
use former::Former;
use records::{Publishing, Recorded};

/// All that carrying out a plan needs to know.
#[derive(Debug)]
pub(crate) struct Deployment<'a> {
    /// The API.
    pub gitbook: &'a GitBook,
    /// Whether a signal came.
    pub cancel: &'a Cancel,
    /// Where deployments are recorded, if anywhere.
    pub records: Option<&'a Records<'a>>,
    /// Change nothing.
    pub dry_run: bool,
    /// Leave a preview that is there already as it is.
    pub skip_unchanged: bool,
}

/// All that previews need to know.
#[derive(Debug)]
pub(crate) struct Previews<'a> {
    /// The branch and pull request.
    pub target: &'a Target,
    /// The repository, with its host.
    pub repository: &'a str,
    /// The head commit.
    pub commit: Option<&'a str>,
    /// The run, higher for newer ones.
    pub run: u64,
    /// The source of the run number, such as a CI system.
    pub counter: &'a str,
    /// True if the forge has confirmed that the commit is the newest of its branch.
    pub is_tip: bool,
    /// What they are called.
    pub template: &'a Template,
    /// `private` or `unlisted`.
    pub visibility: &'static str,
}

/// A preview that is known by name only, to be deleted.
#[derive(Debug)]
pub(crate) struct NamedPreview {
    /// The production name of its integration.
    pub integration: String,
    /// Where the integration is.
    pub place: Place,
    /// The preview's name.
    pub name: String,
}

impl Previews<'_> {
    /// The name of an integration's preview.
    #[must_use]
    pub(crate) fn name(&self, integration: &str) -> String {
        self.template.name(integration, &self.target.branch, self.target.pull_request)
    }

    /// The preview of an integration that is known by its manifest only.
    #[must_use]
    pub(crate) fn named(&self, identity: Identity) -> NamedPreview {
        let Identity { name: integration, place, .. } = identity;
        NamedPreview { name: self.name(&integration), integration, place }
    }

    /// The integration of which something is the preview, if it is one of this branch.
    #[must_use]
    pub(crate) fn integration_of(&self, existing: &Published) -> Option<String> {
        let mark = existing.summary.as_deref().and_then(Mark::find)?;
        let is_ours = mark.is_of_the_same_preview(&self.mark(&mark.integration));
        (is_ours && self.name(&mark.integration) == existing.name).then_some(mark.integration)
    }

    fn mark(&self, integration: &str) -> Mark {
        Mark {
            integration: integration.to_owned(),
            repository: self.repository.to_owned(),
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

impl Deployment<'_> {
    /// Publishes an integration to production.
    pub(crate) async fn publish(&self, integration: &Integration) -> Outcome {
        let name = integration.name.clone();
        self.timed(name.clone(), &integration.place, false, async {
            let done = Done::with(integration);
            if self.dry_run {
                return Ok(Done { note: Some("dry run: would be published".to_owned()), ..done });
            }
            let request = integration.request()?;
            // The forge keeps one record, wherever this is published to.
            let hash = records::hash_at(self.gitbook.endpoint(), &request.hash);
            let sent = Sent::production(integration);
            let recorded = self.on_record(&name).await;
            if let Some(existing) = self.unchanged(&sent, &hash, recorded.as_ref()).await? {
                return Ok(Done { what: What::Unchanged, ..seen(&existing, done) });
            }
            let script_bytes = integration.script_bytes();
            let publishing =
                Publishing { integration: &name, name: &name, hash: &hash, script_bytes, mark: None };
            // What stands there is the name's owner's, so that a further try needs no look at it.
            let request = self.gitbook.publish(&name, request.body()?);
            let request = self.change("publishing", &name, request);
            let answer = self.recorded(&publishing, request).await?;
            Ok(published(&answer, &sent, recorded.as_ref().and_then(Former::of_production), done))
        })
        .await
    }

    /// The forge's record of what was published to production last, which is asked for where it may spare publishing.
    async fn on_record(&self, name: &str) -> Option<Recorded> {
        self.records.filter(|_| self.skip_unchanged)?.recorded(name).await
    }

    /// What stands in production, if it is what would be sent: by the record, and as far as GitBook tells.
    async fn unchanged(
        &self,
        sent: &Sent<'_>,
        hash: &str,
        recorded: Option<&Recorded>,
    ) -> Result<Option<Published>, DeployError> {
        let Some(recorded) = recorded.filter(|recorded| recorded.hash == hash) else { return Ok(None) };
        // It may be gone meanwhile, or have been published by other hands.
        let version = |existing: &Published| existing.version.as_ref().map(ToString::to_string);
        let is_that = |existing: &Published| {
            version(existing).as_ref() == Some(&recorded.version) && sent.differences(existing).is_empty()
        };
        Ok(self.read(sent.name).await?.filter(is_that))
    }

    /// Publishes a branch's preview of an integration, unless what stands there is not ours, or newer.
    pub(crate) async fn preview(&self, integration: &Integration, previews: &Previews<'_>) -> Outcome {
        let name = previews.name(&integration.name);
        self.timed(name.clone(), &integration.place, true, async {
            let done = self.preview_named(&name, integration, previews).await;
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
        let existing = self.read(name).await?;
        let mut former = None;
        if let Some(existing) = &existing {
            let theirs = guard::may_change(name, existing, mark, previews.is_tip)?;
            if self.skip_unchanged && theirs.hash == marked.hash {
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
        let further = |there| guard::publish_again(there, existing.as_ref(), &marked);
        let body = request.body()?;
        let request = async {
            let request = self.gitbook.publish_guarded(name, body, further);
            self.change("publishing", name, request).await.map_err(|error| error.guarded(mark))
        };
        let answer = match self.recorded(&publishing, request).await {
            // What is there already is not one more.
            Err(error) if existing.is_none() => Err(self.quota(error, integration, previews).await),
            answer => answer,
        }?;
        let (title, visibility) = (&*identity.title, identity.visibility);
        let sent = Sent { name, title, visibility, ..Sent::production(integration) };
        former::warn_of_overlap(existing.as_ref(), &answer, &sent);
        Ok(published(&answer, &sent, former, Done::default()))
    }

    /// Deletes a branch's preview of an integration, unless what stands there is not ours, or newer.
    pub(crate) async fn delete(&self, preview: &NamedPreview, previews: &Previews<'_>) -> Outcome {
        let NamedPreview { integration, place, name } = preview;
        self.timed(name.clone(), place, true, async {
            let ours = previews.mark(integration);
            let done = self.delete_ours(name, &ours).await?;
            if let Some(records) = self.records.filter(|_| done.what == What::Deleted) {
                records.gone(&ours).await;
            }
            Ok(done)
        })
        .await
    }

    async fn delete_ours(&self, name: &str, ours: &Mark) -> Result<Done, DeployError> {
        let noted = |what, note: String| Done { what, note: Some(note), ..Done::default() };
        let absent = || noted(What::Deleted, "it was not there".to_owned());
        let Some(existing) = self.read(name).await? else {
            return Ok(absent());
        };
        guard::may_change(name, &existing, ours, false)?;
        if self.dry_run {
            return Ok(noted(What::Checked, "dry run: would be deleted".to_owned()));
        }
        let may_be_deleted = |there: &Published| guard::may_change(name, there, ours, false).is_ok();
        let deletion = self.delete_known(name, may_be_deleted).await;
        Ok(match deletion.map_err(|error| error.guarded(ours))? {
            Deletion::Deleted => Done { what: What::Deleted, ..Done::default() },
            Deletion::DidNotExist => absent(),
        })
    }

    /// Deletes what was there just now, and where that fails, only what may be deleted by then.
    async fn delete_known(
        &self,
        name: &str,
        may_be_deleted: impl Fn(&Published) -> bool,
    ) -> Result<Deletion, DeployError> {
        let further = |there| guard::delete_again(there, &may_be_deleted);
        Ok(match self.change("deleting", name, self.gitbook.delete(name, further)).await? {
            // An earlier try has deleted it, and its answer was lost.
            Tried { last: Deletion::DidNotExist, unanswered: 1.. } => Deletion::Deleted,
            Tried { last, .. } => last,
        })
    }

    async fn recorded(
        &self,
        publishing: &Publishing<'_>,
        request: impl Future<Output = Result<Tried<Published>, DeployError>>,
    ) -> Result<Tried<Published>, DeployError> {
        match self.records {
            Some(records) => records.of(publishing, request).await,
            None => request.await,
        }
    }

    /// Reads what stands at a name.
    async fn read(&self, name: &str) -> Result<Option<Published>, DeployError> {
        let answer = self.unless_cancelled(self.gitbook.read(name)).await?;
        // A signal that came while it was read has kept it from being changed.
        answer.map_err(DeployError::CancelledBefore)?.map_err(|source| {
            let (doing, name) = ("reading", name.to_owned());
            DeployError::Api { doing, name, may_have_happened: false, source }
        })
    }

    /// Changes something, which may have happened even where it fails.
    async fn change<T>(
        &self,
        doing: &'static str,
        name: &str,
        request: impl Future<Output = Tried<Result<T, ApiError>>>,
    ) -> Result<Tried<T>, DeployError> {
        let name = name.to_owned();
        let Ok(Tried { last, unanswered }) = self.unless_cancelled(request).await? else {
            return Err(DeployError::CancelledInFlight { doing, name });
        };
        match last {
            Ok(last) => Ok(Tried { last, unanswered }),
            Err(source) => Err(DeployError::Api { doing, name, may_have_happened: unanswered > 0, source }),
        }
    }

    /// Starts nothing after a signal, not even the next request of an integration that was begun. The signal of the
    /// inner result came while it was under way, and it did not end soon after.
    async fn unless_cancelled<T>(
        &self,
        request: impl Future<Output = T>,
    ) -> Result<Result<T, Signal>, DeployError> {
        match self.cancel.signal() {
            Some(signal) => Err(DeployError::CancelledBefore(signal)),
            None => Ok(self.cancel.or_after_grace(request).await),
        }
    }

    async fn timed(
        &self,
        name: String,
        place: &Place,
        preview: bool,
        work: impl Future<Output = Result<Done, DeployError>>,
    ) -> Outcome {
        let started = Instant::now();
        let before = self.cancel.signal().map(|signal| Err(DeployError::CancelledBefore(signal)));
        let result = match before {
            // A request with its retries and records is large, and several are held at once.
            None => Box::pin(work).await,
            Some(result) => result,
        };
        let result = result.or_else(DeployError::or_skipped);
        let outcome =
            Outcome { name, place: place.clone(), preview, result, time: started.elapsed(), packaging: None };
        outcome.log();
        outcome
    }
}

fn seen(answer: &Published, done: Done) -> Done {
    Done {
        url: answer.urls.app.as_deref().and_then(link_or_folder),
        version: answer.version.as_ref().map(ToString::to_string),
        ..done
    }
}

/// What was published; a difference to what was sent is worth a warning. What is said of another integration is no link
/// to this one.
fn published(answer: &Tried<Published>, sent: &Sent<'_>, former: Option<Former>, done: Done) -> Done {
    let last = &answer.last;
    sent.differences(last).iter().for_each(Difference::warn);
    let done = Done { what: What::Published, ..done };
    if sent.another(last).is_some() {
        return done;
    }
    let script_bytes_before = former.and_then(|former| former.script_bytes(answer));
    seen(last, Done { script_bytes_before, ..done })
}
