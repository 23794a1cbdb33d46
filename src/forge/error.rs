//! The reasons for a failed request to the forge, with hints.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::http::{ApiKind, ErrorResponse, RequestError, Response, Retryable, TransportError};
use crate::repository::ForgeKind;

/// A permission that the token needs for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Permission to read branches.
    ReadContents,
    /// Permission to read pull requests.
    ReadPullRequests,
    /// Permission to write comments on pull requests.
    WritePullRequests,
    /// Permission to write deployments.
    WriteDeployments,
}

impl Permission {
    /// Returns the line that grants this permission below `permissions` in a GitHub workflow.
    fn in_github_workflow(self) -> &'static str {
        match self {
            Self::ReadContents => "contents: read",
            Self::ReadPullRequests => "pull-requests: read",
            Self::WritePullRequests => "pull-requests: write",
            Self::WriteDeployments => "deployments: write",
        }
    }

    /// Describes the permission in the forge's terms.
    fn describe(self, api: ApiKind) -> String {
        match api {
            ApiKind::GitLab => "scope `api`, or its user lacks the role Reporter".to_owned(),
            ApiKind::GitHub | ApiKind::Gitea | ApiKind::GitBook => {
                format!("permission `{}`", self.in_github_workflow())
            }
        }
    }
}

/// A failed request to the forge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForgeError {
    /// A missing permission (status 403).
    #[error("the token lacks the {}: {response}", permission.describe(response.api))]
    Forbidden {
        /// The permission that the request needs.
        permission: Permission,
        /// The response.
        response: ErrorResponse,
    },
    /// A request that was not sent, because an earlier request failed for a reason that affects all requests.
    #[error("request skipped after an earlier failure: {0}")]
    CircuitOpen(String),
    /// A comment that other jobs have overwritten after each write by this job.
    #[error("other jobs overwrote the comment {0} times")]
    Overwritten(usize),
    /// Any other failure.
    #[error("{0}")]
    Request(#[from] RequestError),
}

/// The body of an error response.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    /// The error message. On GitLab, it may also be an object with the errors of each field.
    message: Option<Value>,
    /// GitLab's error message for an invalid token or a missing field.
    error: Option<String>,
    error_description: Option<String>,
}

impl ErrorBody {
    fn message(self, kind: ForgeKind) -> Option<String> {
        let message = match self.message {
            Some(Value::String(text)) => Some(text),
            Some(other) if kind == ForgeKind::GitLab => Some(other.to_string()),
            _ => None,
        };
        message.or_else(|| self.error_description.or(self.error).filter(|_| kind == ForgeKind::GitLab))
    }
}

/// The time to wait if GitHub reports its secondary rate limit without an end. GitHub's documentation recommends at least one
/// minute.
const SECONDARY_LIMIT_WAIT: Duration = Duration::from_secs(60);

impl ForgeError {
    /// Returns the error for a response with an error status. `permission` is the permission that the request needs.
    pub(super) fn from_response(kind: ForgeKind, response: &Response, permission: Permission) -> Self {
        let message = response.json::<ErrorBody>().ok().and_then(|body| body.message(kind));
        // GitLab's messages begin with the status.
        let status = format!("{} ", response.status.as_str());
        let message = message.map(|message| message.trim_start_matches(&status).to_owned());
        let mut response = ErrorResponse::new(response, None, message);
        let is_secondary_limit = response.message().contains("secondary rate limit");
        match response.status.as_u16() {
            403 | 429 if is_secondary_limit => {
                response.retry_after.get_or_insert(SECONDARY_LIMIT_WAIT);
                RequestError::RateLimited(response).into()
            }
            403 if response.retry_after.is_some() => RequestError::RateLimited(response).into(),
            // GitHub rejects the comment because the conversation is locked, not because the token lacks a permission.
            403 if response.message().contains("locked") => RequestError::Rejected(response).into(),
            403 => Self::Forbidden { permission, response },
            410 => RequestError::NotFound(response).into(),
            _ => RequestError::from_response(response).into(),
        }
    }

    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Forbidden { response: ErrorResponse { api: ApiKind::GitLab, .. }, .. } => {
                "give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write"
                    .to_owned()
            }
            Self::Forbidden { permission, .. } => {
                let permission = permission.in_github_workflow();
                format!("add `{permission}` to the job's `permissions`, or to the permissions of the token")
            }
            Self::CircuitOpen(_) | Self::Overwritten(_) => "re-run the job later".to_owned(),
            Self::Request(error) => request_hint(error),
        }
    }

    /// Returns true if all further requests to the forge would fail for the same reason.
    pub(crate) fn opens_circuit(&self) -> bool {
        matches!(
            self,
            Self::Request(
                RequestError::Unauthorized(_)
                    | RequestError::Server(_)
                    | RequestError::RateLimited(_)
                    | RequestError::Transport(..)
            )
        )
    }

    /// Returns true if the failed request certainly had no effect and may succeed later.
    pub(super) fn is_safe_to_resend(&self) -> bool {
        matches!(
            self,
            Self::Request(
                RequestError::RateLimited(_) | RequestError::Transport(_, TransportError::Connect(_))
            )
        )
    }
}

fn request_hint(error: &RequestError) -> String {
    match error {
        RequestError::Unauthorized(ErrorResponse { api: ApiKind::GitLab, .. }) => {
            "set `GITLAB_TOKEN` to an unexpired project access token with the scope `api`; `CI_JOB_TOKEN` is not accepted"
                .to_owned()
        }
        RequestError::Unauthorized(ErrorResponse { api, .. })
        | RequestError::Forbidden(ErrorResponse { api, .. }) => {
            format!("set `GITHUB_TOKEN` to a valid {api} token; in GitHub Actions, use `${{{{ github.token }}}}`")
        }
        RequestError::NotFound(ErrorResponse { api, .. }) => {
            let variable = url_variable(*api);
            format!("check `{variable}` and `GITBOOK_REPOSITORY`, and that the token can read the repository")
        }
        RequestError::Rejected(_) | RequestError::Conflict(_) => {
            "correct the cause that the response names, such as a locked conversation; published integrations are unaffected".to_owned()
        }
        RequestError::Unexpected(ErrorResponse { api, .. })
        | RequestError::Redirect(ErrorResponse { api, .. })
        | RequestError::NotJson { api, .. }
        | RequestError::TooManyPages(api, _) => {
            let variable = url_variable(*api);
            format!("check that `{variable}` is the URL of the API and that no proxy intercepts the requests")
        }
        RequestError::RateLimited(_) | RequestError::Server(_) | RequestError::Cancelled => {
            "re-run the job later".to_owned()
        }
        RequestError::Transport(api, _) => {
            let variable = url_variable(*api);
            format!("check `{variable}`, the network, and `HTTPS_PROXY` if there is a proxy")
        }
    }
}

/// Returns the name of the variable that sets the root URL of the API.
fn url_variable(api: ApiKind) -> &'static str {
    match api {
        ApiKind::GitLab => ForgeKind::GitLab.api_variable(),
        ApiKind::GitHub | ApiKind::Gitea | ApiKind::GitBook => ForgeKind::GitHub.api_variable(),
    }
}

impl Retryable for ForgeError {
    const CANCELLED: Self = Self::Request(RequestError::Cancelled);

    fn request_error(&self) -> Option<&RequestError> {
        match self {
            Self::Request(error) => Some(error),
            Self::Forbidden { .. } | Self::CircuitOpen(_) | Self::Overwritten(_) => None,
        }
    }
}
