//! The forge: what only it can tell of branches and pull requests, and what is written there about previews.

mod answer;
mod comment;
mod deployments;
mod error;
mod github;

pub(crate) use comment::{Found, Kept, Wish};
pub(crate) use deployments::{Intent, State, Status};
pub(crate) use error::{ForgeError, Permission};
pub(crate) use github::GitHub as Forge;

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
        /// Git abbreviates to no less.
        const SHORTEST: usize = 7;
        match self {
            Self::Open { tip } => *tip == commit || commit.len() >= SHORTEST && tip.starts_with(commit),
            Self::Gone => false,
        }
    }
}
