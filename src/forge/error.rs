//! How a request to the forge can fail, and what to do about each.

use std::fmt;
use std::time::Duration;

use super::answer::Problem;
use crate::ci::ForgeKind;
use crate::http::{Answer, Retryable, TransportError};

/// What a token must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// To ask for a branch.
    ReadContents,
    /// To ask for a pull request.
    ReadPullRequests,
    /// To keep a comment.
    WritePullRequests,
    /// To record deployments.
    WriteDeployments,
}

impl Permission {
    /// In the words of a workflow's `permissions`, or in those of GitLab.
    fn words(self, kind: ForgeKind) -> &'static str {
        match (kind, self) {
            (ForgeKind::GitHub, Self::ReadContents) => "permission `contents: read`",
            (ForgeKind::GitHub, Self::ReadPullRequests) => "permission `pull-requests: read`",
            (ForgeKind::GitHub, Self::WritePullRequests) => "permission `pull-requests: write`",
            (ForgeKind::GitHub, Self::WriteDeployments) => "permission `deployments: write`",
            (ForgeKind::GitLab, Self::ReadContents | Self::ReadPullRequests) => {
                "scope `read_api`, or its user the role Reporter"
            }
            (ForgeKind::GitLab, Self::WritePullRequests | Self::WriteDeployments) => {
                "scope `api`, or its user the role Reporter"
            }
        }
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForgeError {
    /// 401.
    #[error("the forge did not accept the token: {0}")]
    Unauthorized(Said),
    /// 403.
    #[error("the token lacks the {}: {said}", permission.words(said.kind))]
    Forbidden {
        /// What it may not do.
        permission: Permission,
        /// What the forge said.
        said: Said,
    },
    /// 404 and 410.
    #[error("the forge did not find it: {0}")]
    NotFound(Said),
    /// 400, 409, 413, 422 and the like: the request itself is at fault.
    #[error("the forge refused it: {0}")]
    Refused(Said),
    /// 429, and 403 where that says that a limit is reached.
    #[error("the forge's rate limit is reached: {said}")]
    RateLimited {
        /// What the forge said.
        said: Said,
        /// How long to wait.
        wait: Option<Duration>,
    },
    /// 408 and 5xx.
    #[error("the forge has a problem of its own: {said}")]
    Server {
        /// What the forge said.
        said: Said,
        /// How long it asked to wait.
        wait: Option<Duration>,
    },
    /// A redirect elsewhere, and anything else.
    #[error("unexpected answer: {0}")]
    Unexpected(Said),
    /// A success whose body is not what the API documents.
    #[error("the answer, {status}, is not a forge's")]
    NotJson {
        /// Whose it should be.
        kind: ForgeKind,
        /// The status.
        status: u16,
        /// What is wrong with the body.
        source: serde_json::Error,
    },
    /// No answer at all.
    #[error("{1}")]
    Transport(ForgeKind, TransportError),
    /// A list that goes on and on.
    #[error("the list did not end after {1} pages")]
    EndlessList(ForgeKind, usize),
    /// A signal came before the next try.
    #[error("cancelled before it was tried again")]
    Cancelled,
    /// It is not asked again after it failed to answer, or did not accept the token.
    #[error("the forge was given up, since {0}")]
    GivenUp(String),
    /// Others write the same comment all the time.
    #[error("the comment was overwritten by others {0} times")]
    Contended(usize),
}

/// What the forge said: the status and its own message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    kind: ForgeKind,
    status: u16,
    message: Option<String>,
}

impl Said {
    /// Whether it was the forge that said it, as far as that can be told.
    pub(super) fn is_forges(&self) -> bool {
        self.message.is_some()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{} {message}", self.status),
            None => write!(f, "{}, not in a forge's own words", self.status),
        }
    }
}

/// GitHub asks to wait this long after its secondary rate limit, where it names no time.
const SECONDARY_LIMIT: Duration = Duration::from_secs(60);

impl ForgeError {
    /// The error that an answer stands for.
    pub(super) fn of(kind: ForgeKind, answer: &Answer, permission: Permission) -> Self {
        let status = answer.status.as_u16();
        // A body that is none of the forge's is not shown: it may be anybody's page.
        let message = answer.json::<Problem>().ok().and_then(|problem| problem.text(kind));
        // GitLab begins with the status, too.
        let number = format!("{status} ");
        let message = message.map(|message| message.trim_start_matches(&number).chars().take(500).collect());
        let said = Said { kind, status, message };
        let secondary = said.message.as_ref().is_some_and(|m: &String| m.contains("secondary rate limit"));
        match status {
            403 | 429 if answer.wait.is_some() || status == 429 || secondary => {
                let wait = answer.wait.or_else(|| secondary.then_some(SECONDARY_LIMIT));
                Self::RateLimited { said, wait }
            }
            401 => Self::Unauthorized(said),
            // A conversation that is locked is so to all.
            403 if said.message.as_ref().is_some_and(|m| m.contains("locked")) => Self::Refused(said),
            403 => Self::Forbidden { permission, said },
            404 | 410 => Self::NotFound(said),
            408 | 500.. => Self::Server { said, wait: answer.wait },
            400..500 => Self::Refused(said),
            _ => Self::Unexpected(said),
        }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Unauthorized(Said { kind: ForgeKind::GitHub, .. }) => {
                "pass a token of the forge as `GITHUB_TOKEN`, on GitHub `${{ github.token }}`".to_owned()
            }
            Self::Unauthorized(Said { kind: ForgeKind::GitLab, .. }) => {
                "pass a project access token with the scope `api` as `GITLAB_TOKEN`; it may have expired, and `CI_JOB_TOKEN` is none".to_owned()
            }
            Self::Forbidden { permission, said: Said { kind: kind @ ForgeKind::GitHub, .. } } => {
                let permission = permission.words(*kind).trim_start_matches("permission ");
                format!("add {permission} to the job's `permissions`, or to what the token may do")
            }
            Self::Forbidden { said: Said { kind: ForgeKind::GitLab, .. }, .. } => {
                "give the token the scope `api` and the role Reporter or a higher one; `CI_JOB_TOKEN` may not write".to_owned()
            }
            Self::NotFound(said) => {
                let api = said.kind.api_variable();
                format!("check `{api}` and `GITBOOK_REPOSITORY`, and that the token may see the repository")
            }
            Self::Refused(_) => "nothing that was published is affected".to_owned(),
            Self::Unexpected(Said { kind, .. }) | Self::NotJson { kind, .. } | Self::EndlessList(kind, _) => {
                let api = kind.api_variable();
                format!("check that `{api}` is the forge's API, and that no proxy answers in its place")
            }
            Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::Cancelled
            | Self::GivenUp(_)
            | Self::Contended(_) => "run again later".to_owned(),
            Self::Transport(kind, _) => {
                let api = kind.api_variable();
                format!("check `{api}`, the network, and `HTTPS_PROXY` if there is a proxy")
            }
        }
    }

    /// Returns whether asking anything else would come to the same, after as long a wait.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized(_) | Self::Server { .. } | Self::RateLimited { .. } | Self::Transport(..)
        )
    }

    /// Whether a request that makes something anew was certainly not carried out, and is worth another try.
    pub(super) fn is_worth_making_again(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Transport(_, TransportError::Connect(_)))
    }
}

impl Retryable for ForgeError {
    const CANCELLED: Self = Self::Cancelled;

    fn is_worth_retrying(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Server { .. } => true,
            Self::Transport(_, error) => error.is_worth_retrying(),
            _ => false,
        }
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait, .. } | Self::Server { wait, .. } => *wait,
            _ => None,
        }
    }
}
