//! Clients for the forge (GitHub, GitLab and others): branches, pull requests, comments and deployments.

mod circuit_breaker;
mod client;
mod error;
mod find_own_comments;
mod github;
mod github_deployments;
mod gitlab;
mod models;
mod open_branches;
mod rate_limit_budget;
mod write_comment;

pub(crate) use client::Access;
pub(crate) use error::{ForgeError, Permission};
pub(crate) use github::GitHub;
pub(crate) use github_deployments::{DeploymentState, NewDeployment, NewStatus, SuccessfulDeployment};
pub(crate) use gitlab::GitLab;
pub(crate) use open_branches::OpenPullRequests;
pub(crate) use rate_limit_budget::{RequestCost, Reservation};
pub(crate) use write_comment::{CommentResult, CommentUpdate, ExistingComments};

use std::time::{Duration, Instant};

use client::Client;

use crate::repository::{Branch, ForgeKind};

/// The timeout of a probe: a short request that checks whether a forge has recovered from a failure.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A client for one repository on its forge.
#[derive(Clone, Debug)]
pub(crate) enum Forge {
    /// GitHub, GitHub Enterprise, Gitea or Forgejo.
    GitHub(GitHub),
    /// GitLab.
    GitLab(GitLab),
}

impl Forge {
    /// Returns the state of the pull request `pull_request` or, if it is `None`, of the branch. A branch in a fork counts as open
    /// while it has an open pull request.
    ///
    /// # Errors
    /// Returns an error if the request to the forge fails, or if the token cannot read the repository.
    pub(crate) async fn ref_state(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<RefState, ForgeError> {
        match self {
            Self::GitHub(github) => github.ref_state(branch, pull_request).await,
            Self::GitLab(gitlab) => gitlab.ref_state(branch, pull_request).await,
        }
    }

    /// Returns the state of a branch or pull request like [`ref_state`](Self::ref_state). If the circuit breaker is open, sends a
    /// probe: one request with a short timeout, to check whether the forge has recovered. Returns `None` if the last probe is too
    /// recent.
    ///
    /// # Errors
    /// Returns an error if the request to the forge fails.
    pub(crate) async fn ref_state_with_probe(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<Option<RefState>, ForgeError> {
        let circuit = &self.client().circuit;
        if circuit.failure().is_none() {
            return self.ref_state(branch, pull_request).await.map(Some);
        }
        let began = Instant::now();
        if !circuit.begin_probe(PROBE_TIMEOUT) {
            return Ok(None);
        }
        let probe = self.with_own_circuit_breaker().single_attempt(PROBE_TIMEOUT);
        let state = probe.ref_state(branch, pull_request).await;
        let failure = state.as_ref().err().filter(|error| error.opens_circuit()).map(ToString::to_string);
        circuit.end_probe(began, failure.is_none());
        failure.map_or_else(|| state.map(Some), |failure| Err(ForgeError::CircuitOpen(failure)))
    }

    /// Lists the numbers of a branch's pull requests, newest first. With `open_only`, lists all open pull requests; otherwise lists
    /// the newest pull requests in any state.
    ///
    /// # Errors
    /// Returns an error if a request to the forge fails.
    pub(crate) async fn pull_request_numbers(
        &self,
        branch: &Branch,
        open_only: bool,
    ) -> Result<Vec<u64>, ForgeError> {
        match self {
            Self::GitHub(github) => github.pull_request_numbers(branch, open_only).await,
            Self::GitLab(gitlab) => gitlab.merge_request_numbers(branch, open_only).await,
        }
    }

    /// Returns the GitHub client, which records deployments. Returns `None` on GitLab, because GitLab itself records a deployment
    /// for each job with an `environment`.
    pub(crate) fn github(&self) -> Option<&GitHub> {
        match self {
            Self::GitHub(github) => Some(github),
            Self::GitLab(_) => None,
        }
    }

    /// Returns a copy of the client with its own circuit breaker, so that a failed request of the copy does not stop requests of the
    /// original client, and vice versa.
    #[must_use]
    pub(crate) fn with_own_circuit_breaker(&self) -> Self {
        match self {
            Self::GitHub(github) => Self::GitHub(github.with_own_circuit_breaker()),
            Self::GitLab(gitlab) => Self::GitLab(gitlab.with_own_circuit_breaker()),
        }
    }

    /// Returns a copy of the client that uses `timeout` and never retries a request. A cancelled run sends its last requests with
    /// this copy.
    #[must_use]
    pub(crate) fn single_attempt(&self, timeout: Duration) -> Self {
        match self {
            Self::GitHub(github) => Self::GitHub(github.single_attempt(timeout)),
            Self::GitLab(gitlab) => Self::GitLab(gitlab.single_attempt(timeout)),
        }
    }

    pub(crate) fn kind(&self) -> ForgeKind {
        self.client().kind
    }

    fn client(&self) -> &Client {
        match self {
            Self::GitHub(github) => &github.client,
            Self::GitLab(gitlab) => &gitlab.client,
        }
    }
}

/// The maximum time to wait until a rate limit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxWait {
    /// At most 15 s, for optional requests.
    Short,
    /// At most 90 s, for requests that the command needs.
    Long,
}

impl MaxWait {
    fn duration(self) -> Duration {
        match self {
            Self::Short => Duration::from_secs(15),
            // GitHub's secondary rate limit lasts 60 s.
            Self::Long => Duration::from_secs(90),
        }
    }
}

/// The state of a branch or pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefState {
    /// The branch exists, or the pull request is open.
    Open {
        /// The ID of the newest commit; empty if the forge has not processed this commit yet.
        tip: String,
    },
    /// The branch was deleted, or the pull request is closed.
    Closed,
}

impl RefState {
    /// Returns true if `commit` (a full or abbreviated ID) is the newest commit of the branch, or if the newest commit is unknown.
    #[must_use]
    pub(crate) fn may_be_at_commit(&self, commit: &str) -> bool {
        match self {
            Self::Open { tip } => tip.is_empty() || tip.starts_with(&commit.to_ascii_lowercase()),
            Self::Closed => false,
        }
    }
}

/// Returns true for a full or abbreviated commit ID, and false for other names such as a tag or `HEAD`.
#[must_use]
pub(crate) fn is_commit_id(text: &str) -> bool {
    /// The shortest abbreviation that Git accepts.
    const MIN_LENGTH: usize = 4;
    text.len() >= MIN_LENGTH && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}
