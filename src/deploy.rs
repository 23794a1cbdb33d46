//! Carries a plan out, one integration at a time or several at once.

mod attempt;
mod deletion;
mod github_deployments;
mod guard;
mod outcome;
mod previews;
mod previous_version;
mod production;
#[cfg(test)]
mod property_tests;
mod quota;
mod response_check;
mod staleness;
mod sweep;
mod unchanged;
mod version;

pub(crate) use crate::integration::PackageSize;
pub(crate) use github_deployments::GitHubDeployments;
pub(crate) use outcome::{DeployError, Outcome, Status, Success};
pub(crate) use staleness::{StalenessCheck, Stop, Verdict};
pub(crate) use sweep::{Listed, Sweep, SweepCandidate, SweepError};

use std::sync::Once;
use std::time::Instant;

use crate::cancel::{Cancel, Signal};
use crate::diagnostic::SourceLocation;
use crate::gitbook::{Attempts, GitBook, Published};
use crate::integration::Identity;
use crate::plan::Target;
use crate::preview::{OwnershipMarker, Template};
use crate::untrusted::web_or_file_link;
use attempt::AttemptError;
use github_deployments::Publishing;
use previous_version::PreviousVersion;
use response_check::{Difference, ExpectedIntegration};

/// All that carrying out a plan needs to know.
#[derive(Debug)]
pub(crate) struct Deployment<'a> {
    /// The API.
    pub gitbook: &'a GitBook,
    /// Whether a signal came.
    pub cancel: &'a Cancel,
    /// Where deployments are recorded, if anywhere.
    pub records: Option<&'a GitHubDeployments<'a>>,
    /// Change nothing.
    pub dry_run: bool,
    /// Leave a preview that is there already as it is.
    pub skip_unchanged: bool,
    /// Keeps the log from saying more than once that production cannot be read.
    pub unread: Once,
}

/// All that previews need to know.
#[derive(Debug)]
pub(crate) struct Previews<'a> {
    /// The branch and pull request.
    pub target: &'a Target,
    /// The repository, with its host.
    pub repository: &'a str,
    /// The forge's id of the repository.
    pub repository_id: Option<u64>,
    /// The head commit.
    pub commit: Option<&'a str>,
    /// The run, higher for newer ones.
    pub run: u64,
    /// The source of the run number, such as a CI system.
    pub counter: &'a str,
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
    pub place: SourceLocation,
    /// The preview's name.
    pub name: String,
}

/// What was in production, if that could be read, and the time before that.
#[derive(Debug)]
pub(crate) struct Look {
    there: Option<Option<Published>>,
    at: Instant,
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
        let mark = existing.summary.as_deref().and_then(OwnershipMarker::find)?;
        let is_ours = mark.is_of_the_same_preview(&self.mark(&mark.integration));
        (is_ours && self.name(&mark.integration) == existing.name).then_some(mark.integration)
    }

    fn mark(&self, integration: &str) -> OwnershipMarker {
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

impl Deployment<'_> {
    async fn recorded(
        &self,
        publishing: &Publishing<'_>,
        request: impl Future<Output = Result<Attempts<Published>, DeployError>>,
    ) -> Result<Attempts<Published>, DeployError> {
        match self.records {
            Some(records) => records.of(publishing, request).await,
            None => request.await,
        }
    }

    /// Looks at what is in production, before the forge is asked whether this run is still the newest: what a newer run has
    /// published by then is the work of a commit that the forge knows.
    ///
    /// A failure must not keep anybody from publishing: it only leaves open which version is replaced.
    pub(crate) async fn look(&self, name: &str) -> Look {
        let at = Instant::now();
        let there = match self.cancel.signal() {
            None if !self.dry_run => self.read_live(name).await,
            _ => None,
        };
        Look { there, at }
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

    /// Changes something. A change that fails may have happened all the same.
    async fn change<T>(
        &self,
        doing: &'static str,
        name: &str,
        request: impl Future<Output = Attempts<Result<T, AttemptError>>>,
    ) -> Result<Attempts<T>, DeployError> {
        let name = name.to_owned();
        let Ok(Attempts { last, unanswered }) = self.unless_cancelled(request).await? else {
            return Err(DeployError::CancelledInFlight { doing, name });
        };
        let may_have_happened = unanswered > 0;
        let tried = may_have_happened.then_some(doing);
        match last {
            Ok(last) => Ok(Attempts { last, unanswered }),
            Err(AttemptError::Api(source)) => {
                Err(DeployError::Api { doing, name, may_have_happened, source })
            }
            Err(AttemptError::Guard(error)) => Err(DeployError::Guard { error, tried }),
            Err(AttemptError::Stop(stop)) => Err(DeployError::Stopped { stop, tried }),
            Err(AttemptError::Published(version)) => Err(DeployError::Overtaken { name, version }),
        }
    }

    /// Returns whether there is no integration of a name; `None` if it cannot be read.
    pub(crate) async fn is_gone(&self, name: &str) -> Option<bool> {
        match self.read(name).await {
            Ok(there) => Some(there.is_none()),
            Err(error) => {
                tracing::warn!("could not check that `{name}` is still there: {error}");
                None
            }
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
            None => Ok(self.cancel.run_with_grace(request).await),
        }
    }

    async fn timed(
        &self,
        name: String,
        place: &SourceLocation,
        preview: bool,
        work: impl Future<Output = Result<Success, DeployError>>,
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

fn seen(answer: &Published, done: Success) -> Success {
    Success {
        url: answer.urls.app.as_deref().and_then(web_or_file_link),
        version: answer.version.as_ref().map(ToString::to_string),
        ..done
    }
}

/// What was published; a difference to what was sent is worth a warning. What is said of another integration is no link
/// to this one.
fn published(
    answer: &Attempts<Published>,
    sent: &ExpectedIntegration<'_>,
    previous_version: Option<PreviousVersion>,
    done: Success,
) -> Success {
    let last = &answer.last;
    sent.differences(last).iter().for_each(Difference::warn);
    let done = Success { status: Status::Published, ..done };
    if sent.another(last).is_some() {
        return done;
    }
    let script_bytes_before =
        previous_version.and_then(|previous_version| previous_version.script_bytes(answer));
    seen(last, Success { script_bytes_before, ..done })
}
