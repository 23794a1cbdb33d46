//! The forge: what only it can tell of branches and pull requests, and what is written there about previews.

mod answer;
mod comment;
mod deployments;
mod error;
mod github;
mod login;

pub(crate) use comment::{Found, Kept, Wish};
pub(crate) use deployments::{Intent, State, Status};
pub(crate) use error::{ForgeError, Permission};
pub(crate) use github::GitHub as Forge;

use std::time::Duration;

/// How long a rate limit is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As the answer is wanted, but not needed.
    Short,
    /// As nothing can be done without it.
    Long,
}

impl Patience {
    fn longest_wait(self) -> Duration {
        match self {
            Self::Short => Duration::from_secs(15),
            // A little more than GitHub's secondary limit takes.
            Self::Long => Duration::from_secs(90),
        }
    }
}

/// Where a branch or pull request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The branch exists, or the pull request is open.
    Open {
        /// Its newest commit.
        tip: String,
    },
    /// The branch does not exist any more, or the pull request is closed.
    Gone,
}

impl Standing {
    /// Whether a commit, whole or abbreviated, is the newest one.
    #[must_use]
    pub(crate) fn has_as_tip(&self, commit: &str) -> bool {
        match self {
            Self::Open { tip } => tip.starts_with(&commit.to_ascii_lowercase()),
            Self::Gone => false,
        }
    }
}

/// Whether a text is the name of a commit, whole or abbreviated, and not that of a tag or `HEAD`.
#[must_use]
pub(crate) fn is_commit(text: &str) -> bool {
    /// Git abbreviates to no less.
    const SHORTEST: usize = 4;
    text.len() >= SHORTEST && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}
