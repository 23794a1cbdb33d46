//! What a CI system tells us: which system it is, and what happened to which branch.

mod generic;
mod github;
#[cfg(test)]
pub(crate) mod payloads;

use url::Url;

use crate::environment::Environment;
use crate::preview::Branch;

/// What is known of where and why this runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ci {
    /// The system, as it is called in the log.
    pub system: &'static str,
    /// What happened.
    pub event: Event,
    /// The branch that it is about: as the variables say, or else as the event does.
    pub branch: Option<Branch>,
    /// The pull request that it is about, in the same way.
    pub pull_request: Option<u64>,
    /// Whether this runs with the base branch's rights and secrets because of a stranger's pull request, whatever
    /// the variables say about the event.
    pub fork_as_base: bool,
    /// The repository with its host, such as `github.com/acme/integrations`.
    pub repository: Option<String>,
    /// The root of the forge's API, where it is known.
    pub api: Option<Url>,
    /// The repository's default branch.
    pub default_branch: Option<String>,
    /// The head commit; never a merge commit that the system made up.
    pub commit: Option<String>,
    /// A number that is higher for newer runs; 0 where the system gives none.
    pub run: u64,
    /// Which attempt at the run this is, from 1; 0 where the system gives no number.
    pub attempt: u64,
    /// Where the run's log can be read.
    pub run_url: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Commits came to a branch.
    Push(Branch),
    /// A branch is gone.
    BranchDeleted(Branch),
    /// A tag came or went.
    Tag {
        /// Whether it went.
        deleted: bool,
    },
    /// Something about a pull request.
    PullRequest(PullRequest),
    /// A merge queue wants its candidate checked.
    MergeQueue,
    /// A scheduled run.
    Schedule,
    /// Somebody started a run, on a branch or (`None`) on a tag.
    Manual(Option<Branch>),
    /// A release was published.
    Release,
    /// Not run by any CI system, and no event given.
    None,
    /// Something else, by the system's name for it.
    Other(String),
}

/// A pull or merge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its head branch.
    pub branch: Branch,
    /// What happened to it.
    pub activity: Activity,
    /// Who it comes from, where that matters.
    pub author: Author,
    /// Whether this runs with the base branch's rights and secrets (`pull_request_target`).
    pub runs_as_base: bool,
}

/// What happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It has new commits to show: opened, reopened, pushed to, ready for review.
    Updated,
    /// It was closed, merged or not.
    Closed,
    /// Something else, by the system's name for it.
    Other(String),
}

/// Who a pull request comes from, as far as it decides which secrets its runs are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A branch of the repository itself.
    Own,
    /// A fork.
    Fork,
    /// Dependabot, whose runs are treated as a fork's.
    Dependabot,
}

impl Event {
    /// The branch it is about.
    #[must_use]
    pub(crate) fn branch(&self) -> Option<&Branch> {
        match self {
            Self::Push(branch) | Self::BranchDeleted(branch) | Self::Manual(Some(branch)) => Some(branch),
            Self::PullRequest(pull_request) => Some(&pull_request.branch),
            _ => None,
        }
    }

    /// The number of the pull request it is about.
    #[must_use]
    pub(crate) fn pull_request(&self) -> Option<u64> {
        match self {
            Self::PullRequest(pull_request) => Some(pull_request.number),
            _ => None,
        }
    }
}

/// Why the CI system could not be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CiError {
    /// The system says that there is an event file, and there is none.
    #[error("the event file that `GITHUB_EVENT_PATH` names can't be read")]
    EventFile(#[source] std::io::Error),
    /// The event file is larger than any event.
    #[error("the event file that `GITHUB_EVENT_PATH` names has {0} bytes, 32 MiB are the most")]
    EventFileTooLarge(u64),
    /// The event file is not what the system documents.
    #[error("the event file that `GITHUB_EVENT_PATH` names is no `{event}` event")]
    Payload {
        /// The event that it should hold.
        event: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A value that says what happened is not understood.
    #[error("`{variable}` is {problem}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl CiError {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::EventFile(_) => "in a container, mount it: `-v \"$GITHUB_EVENT_PATH:$GITHUB_EVENT_PATH:ro\"`; or say what happened with `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned(),
            Self::EventFileTooLarge(_) | Self::Payload { .. } => {
                "say what happened with `GITBOOK_EVENT` and `GITBOOK_BRANCH`".to_owned()
            }
            Self::Variable { variable, .. } => match *variable {
                "GITBOOK_EVENT" => format!("accepted: {}", generic::EVENTS.join(", ")),
                "GITBOOK_BRANCH" => "give the branch's name, without `refs/heads/`".to_owned(),
                "GITBOOK_PULL_REQUEST" => "give the pull request's number".to_owned(),
                "GITBOOK_REPOSITORY" => "such as `github.com/acme/integrations`".to_owned(),
                _ => "see `gitbook-deploy --help`".to_owned(),
            },
        }
    }
}

/// Finds out what happened. What the generic variables say goes before what was detected.
///
/// # Errors
/// When the CI system's own event can't be read, or a variable makes no sense.
pub(crate) fn detect(environment: &Environment) -> Result<Ci, CiError> {
    let detected = if environment.get("GITHUB_ACTIONS") == Some("true") {
        github::detect(environment)?
    } else {
        generic::nothing_detected(environment)
    };
    generic::apply(detected, environment)
}

/// A branch's name without the `refs/heads/` that some put before it.
fn short(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}
