//! Lists of a repository's branches and open pull requests.

use std::collections::HashSet;

use super::models::{MergeRequest, PullRequestResponse};
use super::{Forge, ForgeError};
use crate::repository::Branch;

/// The open pull requests of a repository at one time.
#[derive(Debug)]
pub(crate) struct OpenPullRequests(PullRequests);

#[derive(Debug)]
enum PullRequests {
    GitHub(Vec<PullRequestResponse>),
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

    /// Returns true if one of the pull requests has a number or, without a number, comes from a branch.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network. The check sends requests, since GitLab's list omits the owner of a fork.
    pub(crate) async fn has_open(
        &self,
        OpenPullRequests(open): &OpenPullRequests,
        branch: &Branch,
        number: Option<u64>,
    ) -> Result<bool, ForgeError> {
        match (self, open) {
            (Self::GitHub(github), PullRequests::GitHub(open)) => Ok(github.has_open(open, branch, number)),
            (Self::GitLab(gitlab), PullRequests::GitLab(open)) => gitlab.has_open(open, branch, number).await,
            // The list is from another forge. `true` never leads to a deletion.
            _ => Ok(true),
        }
    }
}
