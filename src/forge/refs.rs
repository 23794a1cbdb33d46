//! Lists of a repository's branches and open pull requests.

use std::collections::HashSet;

use super::answer::{MergeRequest, PullRequest};
use super::{Forge, ForgeError};
use crate::preview::Branch;

/// The open pull requests of a repository at one time.
#[derive(Debug)]
pub(crate) struct OpenPullRequests(PullRequests);

#[derive(Debug)]
enum PullRequests {
    GitHub(Vec<PullRequest>),
    GitLab(Vec<MergeRequest>),
}

impl Forge {
    /// Lists the names of the branches.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        match self {
            Self::GitHub(github) => github.branches().await,
            Self::GitLab(gitlab) => gitlab.branches().await,
        }
    }

    /// Lists the open pull requests.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn open_pull_requests(&self) -> Result<OpenPullRequests, ForgeError> {
        let open = match self {
            Self::GitHub(github) => PullRequests::GitHub(github.open_pull_requests().await?),
            Self::GitLab(gitlab) => PullRequests::GitLab(gitlab.open_merge_requests().await?),
        };
        Ok(OpenPullRequests(open))
    }

    /// Returns whether one of the pull requests has a number or, without a number, comes from a branch.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network: GitLab names a fork's owner elsewhere.
    pub(crate) async fn has_open(
        &self,
        OpenPullRequests(open): &OpenPullRequests,
        branch: &Branch,
        number: Option<u64>,
    ) -> Result<bool, ForgeError> {
        match (self, open) {
            (Self::GitHub(github), PullRequests::GitHub(open)) => Ok(github.has_open(open, branch, number)),
            (Self::GitLab(gitlab), PullRequests::GitLab(open)) => gitlab.has_open(open, branch, number).await,
            // A list of another forge says nothing, and nothing is deleted for a guess.
            _ => Ok(true),
        }
    }
}
