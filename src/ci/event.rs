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
    /// A merge queue tests the result of a merge before merging.
    MergeQueue,
    /// A scheduled run.
    Schedule,
    /// A run that a person started, on a branch or (`None`) on a tag.
    Manual(Option<Branch>),
    /// A release was published.
    Release,
    /// No CI system was detected, and the variables name no event.
    None,
    /// Any other event, with the CI system's name for it.
    Other(String),
}

/// A pull or merge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// The number.
    pub number: u64,
    /// The head branch.
    pub branch: Branch,
    /// The change to the pull request.
    pub activity: Activity,
    /// The origin of the pull request.
    pub author: Author,
    /// True for `pull_request_target`: the run has the base repository's secrets.
    pub has_base_secrets: bool,
}

/// A change to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// The pull request was opened, reopened, pushed to, or marked as ready for review.
    Updated,
    /// The pull request was closed or merged.
    Closed,
    /// Any other change, with the CI system's name for it.
    Other(String),
}

/// The origin of a pull request, which determines the secrets that its runs receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A branch of the repository itself.
    Own,
    /// A fork.
    Fork,
    /// Dependabot. Its runs get no secrets, like those of forks.
    Dependabot,
}

impl PullRequest {
    /// Creates a pull request with the activity `Updated`. If `owner` is set, the pull request comes from a fork of that
    /// owner.
    pub(super) fn updated(number: u64, owner: Option<&str>, branch: &str) -> Self {
        let (branch, author) = match owner {
            Some(owner) => (Branch::of_fork(owner, branch), Author::Fork),
            None => (Branch::new(branch), Author::Own),
        };
        Self { number, branch, activity: Activity::Updated, author, has_base_secrets: false }
    }
}

impl Event {
    /// Returns the event of a push. A push to a temporary branch of a merge queue is the event `MergeQueue`.
    pub(super) fn push(branch: &str) -> Self {
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
            Self::PullRequest(PullRequest { activity: Activity::Other(name), .. }) | Self::Other(name) => {
                name
            }
            Self::MergeQueue => "merge queue",
            Self::Schedule => "schedule",
            Self::Manual(_) => "manual run",
            Self::Release => "release",
            Self::None => "none",
        }
    }

    /// Returns the branch of the event.
    #[must_use]
    pub(crate) fn branch(&self) -> Option<&Branch> {
        match self {
            Self::Push(branch) | Self::BranchDeleted(branch) | Self::Manual(Some(branch)) => Some(branch),
            Self::PullRequest(pull_request) => Some(&pull_request.branch),
            _ => None,
        }
    }

    /// Returns the number of the event's pull request.
    #[must_use]
    pub(crate) fn pull_request(&self) -> Option<u64> {
        match self {
            Self::PullRequest(pull_request) => Some(pull_request.number),
            _ => None,
        }
    }
}
