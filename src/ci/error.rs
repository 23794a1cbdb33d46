//! Errors that occur during the detection of the CI system or its event.

use super::generic;
use crate::repository::Branch;

/// An error during the detection of the CI system or its event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CiError {
    /// A missing or unreadable event file.
    #[error("could not read the event file named by `GITHUB_EVENT_PATH`")]
    UnreadableEventFile(#[source] std::io::Error),
    /// An unset path of the event file, for an event that needs the file.
    #[error("could not read the event file: `GITHUB_EVENT_PATH` is not set")]
    NoEventFile,
    /// An event file that is larger than any event from GitHub. The value is the size in bytes.
    #[error("the event file named by `GITHUB_EVENT_PATH` is {0} bytes; the limit is 32 MiB")]
    EventFileTooLarge(u64),
    /// An event file that is not JSON, or that lacks a field that the event requires.
    #[error("the event file named by `GITHUB_EVENT_PATH` is not a valid `{event}` event")]
    InvalidEventFile {
        /// The name of the expected event.
        event: String,
        /// The JSON error.
        source: serde_json::Error,
    },
    /// Variables of two different CI systems.
    #[error("both `{0}` and `{1}` are set, so the CI system is ambiguous")]
    AmbiguousSystem(&'static str, &'static str),
    /// An event with a branch name that Git does not allow.
    #[error("`{0}` is not a valid branch name")]
    InvalidBranch(Branch),
    /// A pull request number for a push. A fork's branch may have the same name as the production branch, so a pull request must
    /// not count as a push.
    #[error("`GITBOOK_PULL_REQUEST` is set, but `GITBOOK_EVENT` is `push`")]
    PullRequestOnPush,
    /// An invalid value of a variable that describes the event.
    #[error("`{variable}` is {problem}")]
    InvalidVariable {
        /// The name of the variable.
        variable: &'static str,
        /// The problem, worded to follow "is".
        problem: String,
    },
}

impl CiError {
    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::UnreadableEventFile(_) => "in a container, mount the file with `-v \"$GITHUB_EVENT_PATH:$GITHUB_EVENT_PATH:ro\"`; or set `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned(),
            Self::NoEventFile => "in a container, pass the variable with `docker run -e GITHUB_EVENT_PATH` and mount the file; or set `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned(),
            Self::EventFileTooLarge(_) | Self::InvalidEventFile { .. } => {
                "set `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned()
            }
            Self::AmbiguousSystem(first, second) => format!(
                "unset `{first}` or `{second}`, whichever does not belong to this CI system; or set `GITBOOK_EVENT` and `GITBOOK_BRANCH`"
            ),
            Self::PullRequestOnPush => "unset `GITBOOK_PULL_REQUEST`, or set `GITBOOK_EVENT=pull_request`".to_owned(),
            Self::InvalidBranch(_) => "set `GITBOOK_BRANCH` to the branch of this run".to_owned(),
            Self::InvalidVariable { variable, .. } => match *variable {
                "GITBOOK_EVENT" => format!("set `GITBOOK_EVENT` to one of {}", generic::EVENT_NAMES.join(", ")),
                "GITBOOK_BRANCH" => "set `GITBOOK_BRANCH` to a branch name such as `feature/x`".to_owned(),
                "GITBOOK_PULL_REQUEST" => "set `GITBOOK_PULL_REQUEST` to the pull request number".to_owned(),
                "GITBOOK_REPOSITORY" => "set `GITBOOK_REPOSITORY` to a name such as `github.com/acme/integrations`".to_owned(),
                _ => "run `gitbook-deploy --help`".to_owned(),
            },
        }
    }
}
