//! The events that can start a run.

use crate::repository::Branch;

/// The event that started the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Commits were pushed to a branch.
    Push(Branch),
    /// A branch was deleted.
    BranchDeleted(Branch),
    /// A tag was pushed or deleted.
    Tag { deleted: bool },
    /// A pull request changed.
    PullRequest(PullRequest),
    /// A merge queue tests a pull request before the merge.
    MergeQueue,
    /// A scheduled run.
    Schedule,
    /// A run that a user or an API request started on a branch, or on a tag (`None`).
    Manual(Option<Branch>),
    /// A release was published.
    Release,
    /// No known event: no CI system was detected, or its variables name no event.
    Unknown,
    /// An event with missing variables, and a description of it.
    Incomplete(String),
    /// Any other event, with the name that the CI system uses.
    Other(String),
}

/// A pull or merge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// The number of the pull request.
    pub number: u64,
    /// The source branch.
    pub branch: Branch,
    /// The change to the pull request.
    pub activity: Activity,
    /// The origin of the pull request.
    pub origin: PullRequestOrigin,
    /// True if the run has the base repository's secrets, as with GitHub's event `pull_request_target`.
    pub has_base_secrets: bool,
}

/// A change to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// The pull request was opened, reopened, pushed to, or marked as ready for review.
    Updated,
    /// The pull request was closed or merged.
    Closed,
    /// Any other change, with the name that the CI system uses.
    Other(String),
    /// An unknown activity, because the event file has no `action`.
    Unnamed,
}

/// The origin of a pull request. It determines which secrets the CI system passes to the pull request's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullRequestOrigin {
    /// A branch of the repository itself.
    SameRepository,
    /// A fork.
    Fork,
    /// A branch that Dependabot created. Runs for Dependabot get no secrets, just like runs for forks.
    Dependabot,
}

impl PullRequest {
    /// Creates a pull request with the activity `Updated`. If `fork_owner` is set, the pull request comes from a fork of that
    /// owner.
    pub(super) fn updated(number: u64, fork_owner: Option<&str>, branch: &str) -> Self {
        let (branch, origin) = match fork_owner {
            Some(owner) => (Branch::of_fork(owner, branch), PullRequestOrigin::Fork),
            None => (Branch::new(branch), PullRequestOrigin::SameRepository),
        };
        Self { number, branch, activity: Activity::Updated, origin, has_base_secrets: false }
    }
}

impl Event {
    /// Returns the event of a run without the variable that names the event.
    pub(super) fn without_name(variable: &str) -> Self {
        Self::Incomplete(format!("`{variable}` is not set"))
    }

    /// Returns the event of a pull request without a number or branch. `variables` are the variables of the number and the branch.
    pub(super) fn incomplete(noun: &str, has_number: bool, variables: [&str; 2]) -> Self {
        let [number, branch] = variables;
        Self::Incomplete(if has_number {
            format!("{noun}, but `{branch}` is not set")
        } else {
            format!("{noun}, but `{number}` is not set to a number")
        })
    }

    /// Returns the event for a push. A push to a temporary branch of a merge queue is the event `MergeQueue`.
    pub(super) fn from_pushed_branch(branch: &str) -> Self {
        if branch.starts_with("gh-readonly-queue/") {
            Self::MergeQueue
        } else {
            Self::Push(Branch::new(branch))
        }
    }

    /// Returns the name of the event for the log.
    #[must_use]
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Push(_) => "push",
            Self::BranchDeleted(_) => "branch deleted",
            Self::Tag { deleted: false } => "tag",
            Self::Tag { deleted: true } => "tag deleted",
            Self::PullRequest(PullRequest { activity: Activity::Updated, .. }) => "pull request updated",
            Self::PullRequest(PullRequest { activity: Activity::Closed, .. }) => "pull request closed",
            Self::PullRequest(PullRequest { activity: Activity::Unnamed, .. }) => "pull request",
            Self::PullRequest(PullRequest { activity: Activity::Other(name), .. }) | Self::Other(name) => {
                name
            }
            Self::MergeQueue => "merge queue",
            Self::Schedule => "schedule",
            Self::Manual(_) => "manual run",
            Self::Release => "release",
            Self::Incomplete(_) => "incomplete",
            Self::Unknown => "none",
        }
    }

    /// Returns the branch of the event, or `None` if the event has no branch.
    #[must_use]
    pub(crate) fn branch(&self) -> Option<&Branch> {
        match self {
            Self::Push(branch) | Self::BranchDeleted(branch) | Self::Manual(Some(branch)) => Some(branch),
            Self::PullRequest(pull_request) => Some(&pull_request.branch),
            _ => None,
        }
    }

    /// Returns the number of the pull request, or `None` if the event is not about a pull request.
    #[must_use]
    pub(crate) fn pull_request_number(&self) -> Option<u64> {
        match self {
            Self::PullRequest(pull_request) => Some(pull_request.number),
            _ => None,
        }
    }
}
