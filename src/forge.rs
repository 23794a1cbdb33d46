//! The forge: what only it can tell of branches and pull requests, and what is written there about previews.

mod answer;
mod budget;
mod circuit;
mod client;
mod comment;
mod deployments;
mod error;
mod github;
mod gitlab;
mod login;
mod refs;

pub(crate) use budget::{Cost, Reservation};
pub(crate) use client::Access;
pub(crate) use comment::{Found, Kept, Wish};
pub(crate) use deployments::{Intent, State, Status, Success};
pub(crate) use error::{ForgeError, Permission};
pub(crate) use github::GitHub;
pub(crate) use gitlab::GitLab;
pub(crate) use refs::OpenPullRequests;

use std::time::{Duration, Instant};

use client::Client;

use crate::ci::ForgeKind;
use crate::preview::Branch;

/// How long a forge that was given up may take to answer when it is asked again.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A client of one repository on its forge.
#[derive(Clone, Debug)]
pub(crate) enum Forge {
    /// On GitHub, or what speaks its language.
    GitHub(GitHub),
    /// On GitLab.
    GitLab(GitLab),
}

impl Forge {
    /// Where a branch stands, or the pull request where one is named. A fork's branch is open while a pull request
    /// from it is: nothing else of it concerns this repository.
    ///
    /// # Errors
    /// Whatever the forge or the network says. That the token can't see the repository is an error, never `Gone`.
    pub(crate) async fn standing(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<Standing, ForgeError> {
        match self {
            Self::GitHub(github) => github.standing(branch, pull_request).await,
            Self::GitLab(gitlab) => gitlab.standing(branch, pull_request).await,
        }
    }

    /// Returns the standing of a branch or pull request like [`standing`](Self::standing), but also asks a forge that was
    /// given up: in one attempt, briefly, and not too often. Returns nothing if it is too early for that.
    ///
    /// # Errors
    /// Returns errors of the forge and of the network.
    pub(crate) async fn recheck(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<Option<Standing>, ForgeError> {
        let circuit = &self.client().circuit;
        if circuit.why_open().is_none() {
            return self.standing(branch, pull_request).await.map(Some);
        }
        let began = Instant::now();
        if !circuit.begin_probe(PROBE_TIMEOUT) {
            return Ok(None);
        }
        let standing = self.apart().hurried(PROBE_TIMEOUT).standing(branch, pull_request).await;
        let failure = standing.as_ref().err().filter(|error| error.is_final()).map(ToString::to_string);
        circuit.end_probe(began, failure.is_none());
        failure.map_or_else(|| standing.map(Some), |why| Err(ForgeError::GivenUp(why)))
    }

    /// The numbers of the pull requests from a branch, newest first: all open ones, or the newest whether open or not.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
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

    /// Where deployments are recorded by requests. GitLab records those of a job by its `environment`.
    pub(crate) fn with_deployments(&self) -> Option<&GitHub> {
        match self {
            Self::GitHub(github) => Some(github),
            Self::GitLab(_) => None,
        }
    }

    /// The same client, whose failures are its own: where one may fail, the other need not be given up.
    #[must_use]
    pub(crate) fn apart(&self) -> Self {
        match self {
            Self::GitHub(github) => Self::GitHub(github.apart()),
            Self::GitLab(gitlab) => Self::GitLab(gitlab.apart()),
        }
    }

    /// The same client, which is asked once, and not for long: for what is said at the end of a cancelled run.
    #[must_use]
    pub(crate) fn hurried(&self, timeout: Duration) -> Self {
        match self {
            Self::GitHub(github) => Self::GitHub(github.hurried(timeout)),
            Self::GitLab(gitlab) => Self::GitLab(gitlab.hurried(timeout)),
        }
    }

    /// What it is called.
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
        /// Its newest commit; empty where the forge does not know it yet.
        tip: String,
    },
    /// The branch does not exist any more, or the pull request is closed.
    Gone,
}

impl Standing {
    /// Whether a commit, whole or abbreviated, is the newest one, as far as is known.
    #[must_use]
    pub(crate) fn has_as_tip(&self, commit: &str) -> bool {
        match self {
            Self::Open { tip } => tip.is_empty() || tip.starts_with(&commit.to_ascii_lowercase()),
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
