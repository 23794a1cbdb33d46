//! The reasons why the CI system or its event cannot be determined.

use super::generic;
use crate::repository::Branch;

/// The reason why the CI system or its event cannot be determined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CiError {
    /// The variable names an event file that does not exist or cannot be read.
    #[error("could not read the event file named by `GITHUB_EVENT_PATH`")]
    EventFile(#[source] std::io::Error),
    /// The event file is larger than any event that GitHub sends.
    #[error("the event file named by `GITHUB_EVENT_PATH` is {0} bytes; the limit is 32 MiB")]
    EventFileTooLarge(u64),
    /// The event file is not JSON, or lacks a field that the event requires.
    #[error("the event file named by `GITHUB_EVENT_PATH` is not a valid `{event}` event")]
    Payload {
        /// The expected event.
        event: String,
        /// The problem.
        source: serde_json::Error,
    },
    /// Variables of two CI systems are set, so at least one of them does not belong to this CI system.
    #[error("both `{0}` and `{1}` are set, so the CI system is ambiguous")]
    TwoSystems(&'static str, &'static str),
    /// Git does not allow the name of the event's branch.
    #[error("`{0}` is not a valid branch name")]
    Branch(Branch),
    /// A variable that describes the event has an invalid value.
    #[error("`{variable}` is {problem}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// The problem.
        problem: String,
    },
}

impl CiError {
    /// Returns the remedy.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::EventFile(_) => "in a container, mount it with `-v \"$GITHUB_EVENT_PATH:$GITHUB_EVENT_PATH:ro\"`; or set `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned(),
            Self::EventFileTooLarge(_) | Self::Payload { .. } => {
                "set `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned()
            }
            Self::TwoSystems(first, second) => format!(
                "unset `{first}` or `{second}`, whichever does not belong to this CI system; or set `GITBOOK_EVENT` and `GITBOOK_BRANCH`"
            ),
            Self::Branch(_) => "set `GITBOOK_BRANCH` to the branch of this run".to_owned(),
            Self::Variable { variable, .. } => match *variable {
                "GITBOOK_EVENT" => format!("set it to one of {}", generic::EVENT_NAMES.join(", ")),
                "GITBOOK_BRANCH" => "set it to the branch name as `git branch` prints it".to_owned(),
                "GITBOOK_PULL_REQUEST" => "set it to the pull request number, and only for the events `pull_request` and `closed`".to_owned(),
                "GITBOOK_REPOSITORY" => "set it to a name such as `github.com/acme/integrations`".to_owned(),
                _ => "run `gitbook-deploy --help`".to_owned(),
            },
        }
    }
}
