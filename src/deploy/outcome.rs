//! What came of an integration: what was done, or why it failed.

use std::time::Duration;

use super::guard::GuardError;
use super::quota::PreviewCount;
use super::staleness::Stop;
use crate::cancel::Signal;
use crate::diagnostic::SourceLocation;
use crate::gitbook::ApiError;
use crate::integration::{Integration, PackageSize, SourceChanged};

/// What came of one integration.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The name that was published or deleted.
    pub name: String,
    /// Where the integration is.
    pub place: SourceLocation,
    /// Whether it is a preview.
    pub preview: bool,
    /// What came of it.
    pub result: Result<Success, DeployError>,
    /// How long it took; what was packaged before anything was sent does not count.
    pub time: Duration,
    /// How long that took, where there was something to package.
    pub packaging: Option<Duration>,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Success {
    /// In one word.
    pub status: Status,
    /// More to say about it.
    pub note: Option<String>,
    /// Whether an attempt without an answer may have published it although it was left as it is.
    pub may_be_published: bool,
    /// The page in the GitBook app.
    pub url: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// Length of the script in bytes.
    pub script_bytes: Option<usize>,
    /// The same of what stood there before and was replaced, where that is known.
    pub script_bytes_before: Option<usize>,
    /// Whose the script is, the largest part first; nothing where that is not known.
    pub parts: Vec<PackageSize>,
}

impl Success {
    /// Nothing yet, but that there is something to send.
    #[must_use]
    pub(super) fn with(integration: &Integration) -> Self {
        let (script_bytes, parts) = (Some(integration.script_bytes()), integration.parts().to_vec());
        Self { script_bytes, parts, ..Self::default() }
    }
}

/// What was done, in one word: the output `result`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Status {
    /// It was published.
    Published,
    /// It was deleted, or was not there.
    Deleted,
    /// It is there already.
    Unchanged,
    /// It was built and validated.
    #[default]
    Checked,
    /// It was left as it is.
    Skipped,
}

impl Status {
    /// The word.
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

/// Why an integration failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeployError {
    /// The API, or the way to it.
    #[error("{doing} `{name}` failed{}", if *may_have_happened { ", but it may have happened" } else { "" })]
    Api {
        /// What was tried.
        doing: &'static str,
        /// On which integration.
        name: String,
        /// Whether one of its tries may have taken effect all the same.
        may_have_happened: bool,
        /// Why it failed.
        source: ApiError,
    },
    /// The API takes no more integrations.
    #[error("GitBook takes no more integrations, so the preview `{name}` is not published; {count}")]
    Quota {
        /// The preview that is one too many.
        name: String,
        /// How many there are.
        count: PreviewCount,
        /// What the API said.
        source: ApiError,
    },
    /// What is there is not ours, or newer.
    #[error("{error}{}", earlier(*.tried))]
    Guard {
        /// What is there.
        error: GuardError,
        /// What was tried before that was found, and may have happened.
        tried: Option<&'static str>,
    },
    /// The checkout was written to meanwhile.
    #[error(transparent)]
    SourceChanged(#[from] SourceChanged),
    /// The mark of a preview takes more room than a summary has.
    #[error(
        "the preview `{0}` has no room for its mark: the names of its branch and repository are too long"
    )]
    MarkTooLong(String),
    /// The run is too late, or a check without which nothing is deleted has failed.
    #[error("{stop}{}", earlier(*.tried))]
    Stopped {
        /// The reason.
        stop: Stop,
        /// What was tried before, and may have happened.
        tried: Option<&'static str>,
    },
    /// Another run has published to production while this one waited, and the forge cannot be asked which is newer.
    #[error(
        "another run published version {version} of `{name}` while this one waited, so it was not published again"
    )]
    Overtaken {
        /// The integration.
        name: String,
        /// The other run's version.
        version: serde_json::Number,
    },
    /// This run has overwritten the work of a newer commit's run.
    #[error(
        "`{name}` went from {before} to {after}: this run {} overwritten what the run of a newer commit, {commit}, had published",
        if *is_certain { "has" } else { "may have" }
    )]
    Overwrote {
        /// The integration.
        name: String,
        /// The version before.
        before: String,
        /// The version in the answer.
        after: String,
        /// The newer commit.
        commit: String,
        /// False if the order of the two is not known.
        is_certain: bool,
    },
    /// A preview was deleted, and its branch or pull request is open again.
    #[error("`{name}` was deleted, but {reason}")]
    Reopened {
        /// The preview.
        name: String,
        /// What is open.
        reason: String,
    },
    /// GitBook has not kept the mark of a preview.
    #[error(
        "GitBook did not keep the ownership mark of the preview `{name}`{}",
        if *is_removed { ", so it was deleted again" } else { "" }
    )]
    MarkLost {
        /// The preview.
        name: String,
        /// True if this run has deleted it again.
        is_removed: bool,
    },
    /// The name in a mark is none that a forge can be asked about.
    #[error("`{name}` is kept: Git allows no branch named `{branch}`, so the forge cannot be asked about it")]
    NoBranch {
        /// The preview.
        name: String,
        /// The branch in its mark.
        branch: String,
    },
    /// A signal came while a request was under way.
    #[error("cancelled while {doing} `{name}`, which may or may not have happened")]
    CancelledInFlight {
        /// What was tried.
        doing: &'static str,
        /// On which integration.
        name: String,
    },
    /// A signal came before a request was started.
    #[error("not started: cancelled by {0}")]
    CancelledBefore(Signal),
}

/// What is said beside the reason why something is left as it is, where it was tried to change it before.
pub(super) fn earlier(tried: Option<&'static str>) -> String {
    tried.map(|doing| format!("; an earlier try of {doing} it may have happened")).unwrap_or_default()
}

impl From<Stop> for DeployError {
    fn from(stop: Stop) -> Self {
        Self::Stopped { stop, tried: None }
    }
}

impl From<GuardError> for DeployError {
    fn from(error: GuardError) -> Self {
        Self::Guard { error, tried: None }
    }
}

impl DeployError {
    /// That something was left alone is no failure where a signal or a newer run is the reason.
    pub(super) fn or_skipped(self) -> Result<Success, Self> {
        match self {
            Self::CancelledBefore(_)
            | Self::Guard { error: GuardError::Newer(_), .. }
            | Self::Stopped {
                stop: Stop::NewerCommit { .. } | Stop::Closed(_) | Stop::Open(_) | Stop::Changed(_),
                ..
            } => {
                let may_be_published = matches!(self, Self::Stopped { tried: Some(_), .. });
                let note = Some(self.to_string());
                Ok(Success { status: Status::Skipped, note, may_be_published, ..Success::default() })
            }
            error => Err(error),
        }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Api { source, .. } => source.hint(),
            Self::Quota { .. } => {
                "nothing was lost: delete the previews of branches that are gone with `GITBOOK_MODE=sweep` or a scheduled run, then run again".to_owned()
            }
            Self::Guard { error, .. } => error.hint(),
            Self::SourceChanged(_) => {
                "run again, and let nothing write into the checkout while this step runs".to_owned()
            }
            Self::NoBranch { .. } => "delete it by hand in GitBook, if it is yours".to_owned(),
            Self::Stopped { stop: Stop::Undecided { hint, .. }, .. } => hint.clone(),
            Self::Stopped { .. } => "nothing is to be done".to_owned(),
            Self::Overtaken { .. } => {
                "run the job of the newest commit again; with a forge token this step finds out which commit is newer".to_owned()
            }
            Self::Overwrote { commit, .. } => format!("run the job of commit {commit} again"),
            Self::Reopened { .. } => "publish the preview again: run the job of the branch's newest commit again".to_owned(),
            Self::MarkLost { is_removed: true, .. } => {
                "check that no proxy changes GitBook's answers, then run again".to_owned()
            }
            Self::MarkLost { name, .. } => {
                format!("look at the summary of `{name}` in GitBook; nothing but you can delete a preview without its mark")
            }
            Self::MarkTooLong(_) => "use a shorter name for the branch".to_owned(),
            Self::CancelledInFlight { .. } | Self::CancelledBefore(_) => {
                "run again; publishing and deleting can be repeated safely".to_owned()
            }
        }
    }
}

impl Outcome {
    /// An integration that was only built and validated.
    #[must_use]
    pub(crate) fn checked(integration: &Integration, time: Duration) -> Self {
        let outcome = Self {
            name: integration.name.clone(),
            place: integration.place.clone(),
            preview: false,
            result: Ok(Success::with(integration)),
            time,
            packaging: Some(time),
        };
        outcome.log();
        outcome
    }

    /// An integration that was left as it is.
    #[must_use]
    pub(crate) fn skipped(name: String, place: &SourceLocation, preview: bool, why: &str) -> Self {
        let done = Success { status: Status::Skipped, note: Some(why.to_owned()), ..Success::default() };
        let outcome = Self {
            name,
            place: place.clone(),
            preview,
            result: Ok(done),
            time: Duration::ZERO,
            packaging: None,
        };
        outcome.log();
        outcome
    }

    /// The same of what took so long to package.
    #[must_use]
    pub(crate) fn packaged_in(self, packaging: Duration) -> Self {
        Self { packaging: Some(packaging), ..self }
    }

    /// The output `result`.
    #[must_use]
    pub(crate) fn status_name(&self) -> &'static str {
        self.result.as_ref().map_or("failed", |done| done.status.name())
    }

    /// Returns whether something may be published now.
    #[must_use]
    pub(crate) fn may_be_published(&self) -> bool {
        match &self.result {
            Ok(done) => matches!(done.status, Status::Published | Status::Unchanged) || done.may_be_published,
            Err(DeployError::Api { may_have_happened, .. }) => *may_have_happened,
            Err(DeployError::Overwrote { .. } | DeployError::MarkLost { is_removed: false, .. }) => true,
            Err(_) => false,
        }
    }

    /// Whether something was there, and was deleted.
    #[must_use]
    pub(crate) fn has_deleted(&self) -> bool {
        matches!(&self.result, Ok(Success { status: Status::Deleted, note: None, .. }))
    }

    pub(super) fn log(&self) {
        if let Ok(done) = &self.result {
            let milliseconds = u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX);
            let note = done.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            let url = done.url.as_deref();
            let version = done.version.as_deref();
            tracing::info!(
                milliseconds,
                script_bytes = done.script_bytes,
                version,
                url,
                "{} `{}`{note}",
                done.status.name(),
                self.name
            );
        }
    }
}
