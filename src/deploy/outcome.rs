//! The outcome of publishing, deleting or checking an integration: a success or an error.

use std::time::Duration;

use super::guard::GuardError;
use super::precondition::Stop;
use super::quota::PreviewCount;
use crate::cancel::Signal;
use crate::diagnostic::SourceLocation;
use crate::gitbook::GitBookError;
use crate::integration::{Integration, PackageSize, SourceChanged};
use crate::preview::MAX_SUMMARY_LENGTH;

/// The outcome of one integration.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The name of the integration or preview.
    pub name: String,
    /// The location of the integration's manifest.
    pub location: SourceLocation,
    /// True for a preview.
    pub is_preview: bool,
    /// The success or the error.
    pub result: Result<Success, DeployError>,
    /// The time that publishing or deleting took, without packaging. For a check, the time that packaging took.
    pub duration: Duration,
    /// The time that packaging took, if the integration was packaged.
    pub packaging_time: Option<Duration>,
}

/// A successful outcome.
#[derive(Debug, Default)]
pub(crate) struct Success {
    /// The action that the run has taken.
    pub status: Status,
    /// A remark on the action, such as the reason for skipping the integration.
    pub note: Option<String>,
    /// True if the integration was skipped, but an earlier attempt without a response may have published it.
    pub may_be_published: bool,
    /// The URL of the integration in the GitBook app.
    pub url: Option<String>,
    /// The version in GitBook.
    pub version: Option<String>,
    /// The size of the script in bytes.
    pub script_bytes: Option<usize>,
    /// The size of the replaced script, if known.
    pub script_bytes_before: Option<usize>,
    /// The packages in the script, the largest first; empty if unknown.
    pub packages: Vec<PackageSize>,
}

impl Success {
    /// Creates a success with the size and the packages of the script. The status is [`Status::Checked`].
    #[must_use]
    pub(super) fn for_integration(integration: &Integration) -> Self {
        let (script_bytes, packages) = (Some(integration.script_bytes()), integration.packages().to_vec());
        Self { script_bytes, packages, ..Self::default() }
    }
}

/// The action that a run has taken for an integration. The output `result` contains its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Status {
    /// The integration was published.
    Published,
    /// The integration was deleted or did not exist.
    Deleted,
    /// The integration was already published with the same content.
    Unchanged,
    /// The integration was only built and validated.
    #[default]
    Checked,
    /// The integration was not changed. [`Success::note`] contains the reason.
    Skipped,
}

impl Status {
    /// Returns the status as it appears in the outputs, such as `published`.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Deleted => "deleted",
            Self::Unchanged => "unchanged",
            Self::Checked => "checked",
            Self::Skipped => "skipped",
        }
    }
}

/// The reason why publishing or deleting an integration failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeployError {
    /// The request to GitBook failed.
    #[error("{action} `{name}` failed{}", if *may_have_succeeded { ", but may have taken effect" } else { "" })]
    Api {
        /// The attempted action.
        action: &'static str,
        /// The name of the integration.
        name: String,
        /// True if one of the attempts may have taken effect.
        may_have_succeeded: bool,
        /// The error of the request.
        source: GitBookError,
    },
    /// GitBook has rejected a new preview, because the organization has reached the maximum number of integrations.
    #[error("publishing the preview `{name}` failed: GitBook plan limit reached; {count}")]
    Quota {
        /// The name of the preview.
        name: String,
        /// The number of existing previews.
        count: PreviewCount,
        /// The response from GitBook.
        source: Box<GitBookError>,
    },
    /// The existing integration must not be changed.
    #[error("{error}{}", describe_earlier_attempt(.earlier_attempt.as_ref()))]
    Guard {
        /// The reason why the integration must not be changed.
        error: GuardError,
        /// The action of an earlier attempt that may have taken effect.
        earlier_attempt: Option<EarlierAttempt>,
    },
    /// Files in the checkout changed during the run.
    #[error(transparent)]
    SourceChanged(#[from] SourceChanged),
    /// The ownership marker of a preview is longer than the limit for summaries.
    #[error(
        "the preview `{name}` was not published: its ownership marker is {length} characters; the limit is {MAX_SUMMARY_LENGTH}"
    )]
    MarkerTooLong {
        /// The name of the preview.
        name: String,
        /// The length of the marker in UTF-16 code units.
        length: usize,
    },
    /// A check before the request has stopped the change, or the check itself has failed.
    #[error("{stop}{}", describe_earlier_attempt(.earlier_attempt.as_ref()))]
    Stopped {
        /// The reason to stop.
        stop: Stop,
        /// The action of an earlier attempt that may have taken effect.
        earlier_attempt: Option<EarlierAttempt>,
    },
    /// Another run has published to production between two attempts of this run, and it is unknown which run has the newer
    /// commit.
    #[error(
        "`{name}` was not published: another run published version {version} while this run waited to try again"
    )]
    PublishedByOtherRun {
        /// The name of the integration.
        name: String,
        /// The version that the other run has published.
        version: serde_json::Number,
    },
    /// This run has overwritten the version of a newer commit.
    #[error(
        "this run {} the newer commit `{commit}` of `{name}`: GitBook had {before} and now has {after}",
        if *is_certain { "overwrote" } else { "may have overwritten" }
    )]
    OverwroteNewerCommit {
        /// The name of the integration.
        name: String,
        /// The version before publishing.
        before: String,
        /// The version after publishing.
        after: String,
        /// The abbreviated ID of the newer commit.
        commit: String,
        /// True if this run has certainly overwritten the newer commit's version; false if the other run may have published after
        /// this run.
        is_certain: bool,
    },
    /// A preview was deleted although its branch or pull request is open again.
    #[error("`{name}` was deleted, but {reason}")]
    Reopened {
        /// The name of the preview.
        name: String,
        /// A clause that names the open branch or pull request, such as “branch `main` exists again”.
        reason: String,
    },
    /// GitBook has published a preview without its ownership marker.
    #[error(
        "GitBook did not keep the ownership marker of the preview `{name}`{}",
        if *is_removed { ", so the preview was deleted" } else { "" }
    )]
    MarkerLost {
        /// The name of the preview.
        name: String,
        /// True if this run has deleted the preview.
        is_removed: bool,
    },
    /// The marker of a preview contains an invalid branch name.
    #[error(
        "`{name}` was kept: the branch `{branch}` in its ownership marker is not a valid Git branch name"
    )]
    InvalidBranch {
        /// The name of the preview.
        name: String,
        /// The branch in the marker.
        branch: String,
    },
    /// A signal arrived during a request.
    #[error("cancelled while {action} `{name}`; the request may have taken effect")]
    CancelledInFlight {
        /// The attempted action.
        action: &'static str,
        /// The name of the integration.
        name: String,
    },
    /// A signal arrived before the first request.
    #[error("not started: cancelled by {0}")]
    CancelledBefore(Signal),
}

/// An earlier request that may have published or deleted an integration.
#[derive(Debug)]
pub(crate) struct EarlierAttempt {
    /// The action: "publishing" or "deleting".
    pub action: &'static str,
    pub name: String,
}

/// Returns the end of an error message if an earlier request may have taken effect, and otherwise an empty string.
fn describe_earlier_attempt(attempt: Option<&EarlierAttempt>) -> String {
    let Some(EarlierAttempt { action, name }) = attempt else { return String::new() };
    let done = if *action == "deleting" { "deleted" } else { "published" };
    format!("; an earlier request may have {done} `{name}`")
}

impl From<Stop> for DeployError {
    fn from(stop: Stop) -> Self {
        Self::Stopped { stop, earlier_attempt: None }
    }
}

impl From<GuardError> for DeployError {
    fn from(error: GuardError) -> Self {
        Self::Guard { error, earlier_attempt: None }
    }
}

impl DeployError {
    /// Converts an error that is not a failure to a success with the status “skipped”. These errors are a signal before the first
    /// request, a newer run, a newer commit, a branch or pull request that was closed or reopened, and an integration that
    /// someone else has changed.
    pub(super) fn into_skipped(self) -> Result<Success, Self> {
        match self {
            Self::CancelledBefore(_)
            | Self::Guard { error: GuardError::Newer(_), .. }
            | Self::Stopped {
                stop: Stop::NewerCommit { .. } | Stop::Closed(_) | Stop::Open(_) | Stop::Changed(_),
                ..
            } => {
                let may_be_published = matches!(self, Self::Stopped { earlier_attempt: Some(_), .. });
                let note = Some(self.to_string());
                Ok(Success { status: Status::Skipped, note, may_be_published, ..Success::default() })
            }
            error => Err(error),
        }
    }

    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Api { source, .. } => source.hint(),
            Self::Quota { count, .. } => count.hint().to_owned(),
            Self::Guard { error, .. } => error.hint(),
            Self::SourceChanged(_) => {
                "re-run the job, and make sure that nothing writes to the checkout during this step".to_owned()
            }
            Self::InvalidBranch { .. } => "delete the preview in GitBook if no branch uses it".to_owned(),
            Self::Stopped { stop: Stop::Undecided { hint, .. }, .. } => hint.clone(),
            Self::Stopped { .. } => "no action needed".to_owned(),
            Self::PublishedByOtherRun { .. } => {
                "re-run the job of the newest commit; pass a GitHub or GitLab token so that this step can find the newest commit".to_owned()
            }
            Self::OverwroteNewerCommit { commit, .. } => format!("re-run the job of commit `{commit}`"),
            Self::Reopened { .. } => "re-run the job of the branch's newest commit to publish the preview".to_owned(),
            Self::MarkerLost { is_removed: true, .. } => {
                "check that no proxy changes GitBook's responses, then re-run the job".to_owned()
            }
            Self::MarkerLost { name, .. } => {
                format!("check the summary of `{name}` in GitBook and delete the preview there; this program never deletes a preview without its ownership marker")
            }
            Self::MarkerTooLong { .. } => "use a shorter branch or repository name".to_owned(),
            Self::CancelledInFlight { .. } | Self::CancelledBefore(_) => {
                "re-run the job; publishing and deleting are safe to repeat".to_owned()
            }
        }
    }
}

impl Outcome {
    /// Creates and logs the outcome of an integration that was only built and validated.
    #[must_use]
    pub(crate) fn checked(integration: &Integration, time: Duration) -> Self {
        let outcome = Self {
            name: integration.name.clone(),
            location: integration.location.clone(),
            is_preview: false,
            result: Ok(Success::for_integration(integration)),
            duration: time,
            packaging_time: Some(time),
        };
        outcome.log();
        outcome
    }

    /// Creates and logs the outcome of an integration that was skipped for `reason`.
    #[must_use]
    pub(crate) fn skipped(name: String, location: &SourceLocation, preview: bool, reason: &str) -> Self {
        let success =
            Success { status: Status::Skipped, note: Some(reason.to_owned()), ..Success::default() };
        let outcome = Self {
            name,
            location: location.clone(),
            is_preview: preview,
            result: Ok(success),
            duration: Duration::ZERO,
            packaging_time: None,
        };
        outcome.log();
        outcome
    }

    /// Adds the time that packaging took.
    #[must_use]
    pub(crate) fn with_packaging_time(self, packaging: Duration) -> Self {
        Self { packaging_time: Some(packaging), ..self }
    }

    /// Returns the value of the output `result`.
    #[must_use]
    pub(crate) fn status_name(&self) -> &'static str {
        self.result.as_ref().map_or("failed", |success| success.status.name())
    }

    /// Returns true if this run has published the integration, may have published it, or found it unchanged.
    #[must_use]
    pub(crate) fn may_be_published(&self) -> bool {
        match &self.result {
            Ok(success) => {
                matches!(success.status, Status::Published | Status::Unchanged) || success.may_be_published
            }
            Err(DeployError::Api { may_have_succeeded, .. }) => *may_have_succeeded,
            Err(
                DeployError::OverwroteNewerCommit { .. } | DeployError::MarkerLost { is_removed: false, .. },
            ) => true,
            Err(_) => false,
        }
    }

    /// Returns true if this run has deleted the integration. Returns false if the integration did not exist.
    #[must_use]
    pub(crate) fn has_deleted(&self) -> bool {
        matches!(&self.result, Ok(Success { status: Status::Deleted, note: None, .. }))
    }
}
