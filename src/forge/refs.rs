//! One listing of a repository's branches and open pull requests.

use std::collections::HashSet;

use super::models::{MergeRequest, PullRequestResponse};
use super::{Forge, ForgeError};
use crate::repository::Branch;

/// The branches and open pull requests of a repository at one time.
#[derive(Debug)]
pub(crate) struct OpenRefs {
    branches: HashSet<String>,
    pull_requests: PullRequests,
}

#[derive(Debug)]
enum PullRequests {
    GitHub(Vec<PullRequestResponse>),
    GitLab(Vec<MergeRequest>),
}

impl Forge {
    /// Lists the branches and, if requested, the open pull requests.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn open_refs(&self, with_pull_requests: bool) -> Result<OpenRefs, ForgeError> {
        let branches = match self {
            Self::GitHub(github) => github.branches().await?,
            Self::GitLab(gitlab) => gitlab.branches().await?,
        };
        let pull_requests = match self {
            Self::GitHub(github) => PullRequests::GitHub(if with_pull_requests {
                github.open_pull_requests().await?
            } else {
                Vec::new()
            }),
            Self::GitLab(gitlab) => PullRequests::GitLab(if with_pull_requests {
                gitlab.open_merge_requests().await?
            } else {
                Vec::new()
            }),
        };
        Ok(OpenRefs { branches, pull_requests })
    }

    /// Returns true if a listing contains a branch, or a pull request if there is a number. A fork's branch counts as listed if
    /// an open pull request comes from it.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network. The check sends requests, since GitLab's list omits the owner of a fork.
    pub(crate) async fn is_listed(
        &self,
        refs: &OpenRefs,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<bool, ForgeError> {
        if pull_request.is_none() && branch.split_fork().is_none() {
            return Ok(refs.branches.contains(branch.as_str()));
        }
        match (self, &refs.pull_requests) {
            (Self::GitHub(github), PullRequests::GitHub(open)) => {
                Ok(github.has_open(open, branch, pull_request))
            }
            (Self::GitLab(gitlab), PullRequests::GitLab(open)) => {
                gitlab.has_open(open, branch, pull_request).await
            }
            // The listing is from another forge. `true` never leads to a deletion.
            _ => Ok(true),
        }
    }
}
