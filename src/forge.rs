//! Clients of the forge: branches, pull requests, comments and deployments.

mod budget;
mod circuit;
mod client;
mod comment;
mod deployments;
mod error;
mod github;
mod gitlab;
mod login;
mod models;
mod refs;

pub(crate) use budget::{Cost, Reservation};
pub(crate) use client::Access;
pub(crate) use comment::{CommentResult, CommentUpdate, ExistingComments};
pub(crate) use deployments::{DeploymentState, NewDeployment, NewStatus, SuccessfulDeployment};
pub(crate) use error::{ForgeError, Permission};
pub(crate) use github::GitHub;
pub(crate) use gitlab::GitLab;
pub(crate) use refs::OpenPullRequests;

use std::time::{Duration, Instant};

use client::Client;

use crate::repository::{Branch, ForgeKind};

/// The timeout of a probe: a request to a forge after its circuit opened.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A client of one repository on its forge.
#[derive(Clone, Debug)]
pub(crate) enum Forge {
    /// GitHub, GitHub Enterprise, Gitea or Forgejo.
    GitHub(GitHub),
    /// GitLab.
    GitLab(GitLab),
}

impl Forge {
    /// Returns the state of a branch, or of a pull request if there is a number. A fork's branch counts as open if an open pull
    /// request comes from it.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network. A repository that the token cannot read is an error, never `Closed`.
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

    /// Returns the state of a branch or pull request like [`ref_state`](Self::ref_state). If the circuit is open, probes the forge
    /// with one short attempt, or returns `None` before the next probe is due.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn recheck(
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
        let probe = self.own_circuit_breaker().single_attempt(PROBE_TIMEOUT);
        let state = probe.ref_state(branch, pull_request).await;
        let failure = state.as_ref().err().filter(|error| error.opens_circuit()).map(ToString::to_string);
        circuit.end_probe(began, failure.is_none());
        failure.map_or_else(|| state.map(Some), |failure| Err(ForgeError::CircuitOpen(failure)))
    }

    /// Lists the numbers of pull requests from a branch, newest first: all open ones, or the newest ones in any state.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn pull_requests(
        &self,
        branch: &Branch,
        open_only: bool,
    ) -> Result<Vec<u64>, ForgeError> {
        match self {
            Self::GitHub(github) => github.pull_requests(branch, open_only).await,
            Self::GitLab(gitlab) => gitlab.merge_requests(branch, open_only).await,
        }
    }

    /// Returns the client that records deployments. GitLab records the deployment of a job by its `environment`.
    pub(crate) fn github(&self) -> Option<&GitHub> {
        match self {
            Self::GitHub(github) => Some(github),
            Self::GitLab(_) => None,
        }
    }

    /// Returns the client with its own circuit breaker: failures of one client do not stop the other.
    #[must_use]
    pub(crate) fn own_circuit_breaker(&self) -> Self {
        match self {
            Self::GitHub(github) => Self::GitHub(github.own_circuit_breaker()),
            Self::GitLab(gitlab) => Self::GitLab(gitlab.own_circuit_breaker()),
        }
    }

    /// Returns the client without retries and with another timeout, for the end of a cancelled run.
    #[must_use]
    pub(crate) fn single_attempt(&self, timeout: Duration) -> Self {
        match self {
            Self::GitHub(github) => Self::GitHub(github.single_attempt(timeout)),
            Self::GitLab(gitlab) => Self::GitLab(gitlab.single_attempt(timeout)),
        }
    }

    /// Returns the kind of the forge.
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

/// The maximum wait for the end of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxWait {
    /// For optional requests.
    Short,
    /// For requests that the command needs.
    Long,
}

impl MaxWait {
    fn duration(self) -> Duration {
        match self {
            Self::Short => Duration::from_secs(15),
            // Longer than the 60 s of GitHub's secondary limit.
            Self::Long => Duration::from_secs(90),
        }
    }
}

/// The state of a branch or pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefState {
    /// The branch exists, or the pull request is open.
    Open {
        /// The newest commit; empty if the forge does not know it yet.
        tip: String,
    },
    /// The branch was deleted, or the pull request is closed.
    Closed,
}

impl RefState {
    /// Returns true if a full or abbreviated commit is the newest one, or if the newest one is unknown.
    #[must_use]
    pub(crate) fn has_as_tip(&self, commit: &str) -> bool {
        match self {
            Self::Open { tip } => tip.is_empty() || tip.starts_with(&commit.to_ascii_lowercase()),
            Self::Closed => false,
        }
    }
}

/// Returns true for a full or abbreviated commit, false for the name of a tag or `HEAD`.
#[must_use]
pub(crate) fn is_commit(text: &str) -> bool {
    /// The shortest abbreviation that Git accepts.
    const MIN_LENGTH: usize = 4;
    text.len() >= MIN_LENGTH && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}
