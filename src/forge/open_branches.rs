//! Lists the branches and the open pull requests of a repository.

use std::collections::HashSet;

use super::models::{MergeRequest, PullRequestResponse};
use super::{Forge, ForgeError};
use crate::repository::Branch;

/// The open pull requests of a repository at the time of the list request.
#[derive(Debug)]
pub(crate) struct OpenPullRequests(PullRequests);

#[derive(Debug)]
enum PullRequests {
    GitHub(Vec<PullRequestResponse>),
    GitLab(Vec<MergeRequest>),
}

impl Forge {
    /// Returns the names of all branches.
    ///
    /// # Errors
    /// Returns an error if a request to the forge fails.
    pub(crate) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        match self {
            Self::GitHub(github) => github.branches().await,
            Self::GitLab(gitlab) => gitlab.branches().await,
        }
    }

    /// Lists the open pull requests.
    ///
    /// # Errors
    /// Returns an error if a request to the forge fails.
    pub(crate) async fn open_pull_requests(&self) -> Result<OpenPullRequests, ForgeError> {
        let open = match self {
            Self::GitHub(github) => PullRequests::GitHub(github.open_pull_requests().await?),
            Self::GitLab(gitlab) => PullRequests::GitLab(gitlab.open_merge_requests().await?),
        };
        Ok(OpenPullRequests(open))
    }

    /// Returns true if the list contains a pull request with this number or, if `number` is `None`, a pull request from the branch.
    ///
    /// # Errors
    /// Returns an error if a request to GitLab fails. GitLab's list omits the owners of forks, so this function requests them.
    pub(crate) async fn has_open_pull_request(
        &self,
        OpenPullRequests(open): &OpenPullRequests,
        branch: &Branch,
        number: Option<u64>,
    ) -> Result<bool, ForgeError> {
        match (self, open) {
            (Self::GitHub(github), PullRequests::GitHub(open)) => {
                Ok(github.has_open_pull_request(open, branch, number))
            }
            (Self::GitLab(gitlab), PullRequests::GitLab(open)) => {
                gitlab.has_open_pull_request(open, branch, number).await
            }
            // Unreachable, because a list comes from the same forge. `true` is the safe result: the preview is kept.
            _ => Ok(true),
        }
    }
}
