//! The failures of a request to an API.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;

use super::{Response, Retryable, TransportError};

/// The maximum number of characters that are kept of an API's message.
const MAX_MESSAGE: usize = 1000;

/// The API that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// GitBook's API.
    GitBook,
    /// The API of GitHub, which Gitea and Forgejo imitate.
    GitHub,
    /// The API of GitLab.
    GitLab,
}

impl ApiKind {
    /// Returns the name before a noun, as in "forge server error".
    fn adjective(self) -> &'static str {
        match self {
            Self::GitBook => "GitBook",
            Self::GitHub | Self::GitLab => "forge",
        }
    }
}

impl fmt::Display for ApiKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitBook => "GitBook",
            Self::GitHub | Self::GitLab => "the forge",
        })
    }
}

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// 400, 412, 413, 415 or 422: an error in the request.
    #[error("{api} rejected the request: {0}", api = .0.api)]
    Rejected(ErrorResponse),
    /// 401.
    #[error("{api} rejected the token: {0}", api = .0.api)]
    Unauthorized(ErrorResponse),
    /// 403.
    #[error("the token lacks a permission: {0}")]
    Forbidden(ErrorResponse),
    /// 404.
    #[error("{api} resource not found: {0}", api = .0.api.adjective())]
    NotFound(ErrorResponse),
    /// 409.
    #[error("{api} reported a conflict: {0}", api = .0.api)]
    Conflict(ErrorResponse),
    /// 429.
    #[error("{api} rate limit reached: {0}", api = .0.api.adjective())]
    RateLimited(ErrorResponse),
    /// 408, 425 and 5xx.
    #[error("{api} server error: {0}", api = .0.api.adjective())]
    Server(ErrorResponse),
    /// 3xx, unless the client follows the redirect.
    #[error("{api} redirects to another server ({status}); the token is not sent there", api = .0.api, status = .0.status.as_u16())]
    Redirect(ErrorResponse),
    /// Any other status.
    #[error("{api} sent an unexpected response: {0}", api = .0.api)]
    Unexpected(ErrorResponse),
    /// A success with a body that differs from the API's documentation.
    #[error("{api} sent an unexpected response with status {status}")]
    NotJson {
        /// The API.
        api: ApiKind,
        /// The status.
        status: u16,
        /// The error in the body.
        source: serde_json::Error,
    },
    /// No response.
    #[error("{1}")]
    Transport(ApiKind, TransportError),
    /// A list with more than the maximum number of pages.
    #[error("{0} sent a list of more than {1} pages")]
    EndlessList(ApiKind, usize),
    /// A signal before the next attempt.
    #[error("cancelled before the retry")]
    Cancelled,
}

/// A response with the status of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    pub(crate) api: ApiKind,
    pub(crate) status: StatusCode,
    /// The API's own code, unless it repeats the status.
    code: Option<String>,
    /// The API's own message; `None` if the body is not the API's, as a proxy's page.
    message: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl ErrorResponse {
    /// Creates an error response from the API's own code and message. Any other body may be anyone's page and is left out.
    pub(crate) fn new(response: &Response, code: Option<String>, message: Option<String>) -> Self {
        let Response { api, status, retry_after, .. } = *response;
        let message = message.map(|message| message.chars().take(MAX_MESSAGE).collect());
        Self { api, status, code: code.filter(|code| code != status.as_str()), message, retry_after }
    }

    /// Returns the API's own message.
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// Returns true if the response is from the API, false if it is from a proxy or another server in its place.
    pub(crate) fn is_from_api(&self) -> bool {
        self.message.is_some()
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.as_u16();
        match (&self.message, &self.code, self.status.canonical_reason()) {
            (Some(message), Some(code), _) => write!(f, "{status} (code {code}) {message}"),
            (Some(message), None, _) => write!(f, "{status} {message}"),
            (None, _, Some(reason)) => {
                write!(f, "{status} {reason} (not a {} response)", self.api.adjective())
            }
            (None, _, None) => write!(f, "{status} (not a {} response)", self.api.adjective()),
        }
    }
}

impl RequestError {
    /// Returns the error for a status.
    pub(crate) fn from_response(response: ErrorResponse) -> Self {
        match response.status.as_u16() {
            400 | 412 | 413 | 415 | 422 => Self::Rejected(response),
            401 => Self::Unauthorized(response),
            403 => Self::Forbidden(response),
            404 => Self::NotFound(response),
            409 => Self::Conflict(response),
            429 => Self::RateLimited(response),
            408 | 425 | 500.. => Self::Server(response),
            300..400 => Self::Redirect(response),
            _ => Self::Unexpected(response),
        }
    }

    /// Returns true if the request may have taken effect. A proxy may have lost the response of a successful request.
    pub(crate) fn may_have_succeeded(&self) -> bool {
        match self {
            Self::Server(_) | Self::NotJson { .. } => true,
            Self::Transport(_, error) => error.may_have_succeeded(),
            Self::Rejected(_)
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::RateLimited(_)
            | Self::Redirect(_)
            | Self::Unexpected(_)
            | Self::EndlessList(..)
            | Self::Cancelled => false,
        }
    }

    /// Returns true if the same request may succeed a little later.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited(_) | Self::Server(_) => true,
            Self::Transport(_, error) => error.is_retryable(),
            // The connection may have ended in the middle of a response without a length.
            Self::NotJson { source, .. } => source.is_eof() && source.column() > 0,
            _ => false,
        }
    }

    /// Returns the wait that the server asks for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(response) | Self::Server(response) => response.retry_after,
            _ => None,
        }
    }
}

impl Retryable for RequestError {
    const CANCELLED: Self = Self::Cancelled;

    fn request_error(&self) -> Option<&RequestError> {
        Some(self)
    }
}
