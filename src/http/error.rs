//! The reasons for a failed request to an API.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::{Response, Retryable, TransportError};

/// The maximum number of characters of an API's error message. A longer message is truncated.
const MAX_MESSAGE_LENGTH: usize = 1000;

/// The API that receives a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// GitBook's API.
    GitBook,
    /// GitHub's API.
    GitHub,
    /// GitHub's API as implemented by Gitea and Forgejo.
    Gitea,
    /// GitLab's API.
    GitLab,
}

impl fmt::Display for ApiKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitBook => "GitBook",
            Self::GitHub => "GitHub",
            Self::Gitea => "Gitea/Forgejo",
            Self::GitLab => "GitLab",
        })
    }
}

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Status 400, 412, 413, 415 or 422: the request is invalid.
    #[error("{api} rejected the request: {0}", api = .0.api)]
    Rejected(ErrorResponse),
    /// Status 401: the token is missing or invalid.
    #[error("{api} rejected the token: {0}", api = .0.api)]
    Unauthorized(ErrorResponse),
    /// Status 403: the token lacks a permission.
    #[error("the token lacks a permission: {0}")]
    Forbidden(ErrorResponse),
    /// Status 404, or status 410 on a forge: the requested object does not exist, or the token cannot read it.
    #[error("{api} resource not found: {0}", api = .0.api)]
    NotFound(ErrorResponse),
    /// Status 409: the request conflicts with the current state of the server.
    #[error("{api} reported a conflict: {0}", api = .0.api)]
    Conflict(ErrorResponse),
    /// Status 429, or status 403 on a forge with details of the limit: a rate limit is reached.
    #[error("{api} rate limit reached: {0}", api = .0.api)]
    RateLimited(ErrorResponse),
    /// Status 408, 425 or 5xx: the server could not process the request.
    #[error("{api} server error: {0}", api = .0.api)]
    Server(ErrorResponse),
    /// Status 3xx: a redirect that the client does not follow.
    #[error("{api} redirects{target} ({status}); the token was not sent there", api = .0.api, target = .0.redirect_target(), status = .0.status.as_u16())]
    Redirect(ErrorResponse),
    /// Any other status.
    #[error("{api} sent an unexpected response: {0}", api = .0.api)]
    Unexpected(ErrorResponse),
    /// A successful status with a body that does not match the documented JSON.
    #[error("{api} sent an unexpected response body with status {status}")]
    NotJson {
        /// The API.
        api: ApiKind,
        /// The status.
        status: u16,
        /// The reason why the body could not be parsed.
        source: serde_json::Error,
    },
    /// A missing or incomplete response.
    #[error("{}", .1.describe(*.0))]
    Transport(ApiKind, TransportError),
    /// A list with more pages than the maximum.
    #[error("{0} sent a list of more than {1} pages")]
    TooManyPages(ApiKind, usize),
    /// A cancellation by a signal that arrived before the next attempt.
    #[error("cancelled before the retry")]
    Cancelled,
}

/// A response with an error status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    pub(crate) api: ApiKind,
    pub(crate) status: StatusCode,
    /// The error code in the body, unless it repeats the status.
    code: Option<Box<str>>,
    /// The error message in the body. It is `None` if the body is not from the API, for example if it is a proxy's error page.
    message: Option<Box<str>>,
    pub(crate) retry_after: Option<Duration>,
    /// The host that a redirect leads to.
    pub(crate) redirect_host: Option<Box<str>>,
}

impl ErrorResponse {
    /// Creates an error response from a response and the error code and message in its body. A body without a message may be from a
    /// proxy, so the program never displays this body.
    pub(crate) fn new(response: &Response, code: Option<String>, message: Option<String>) -> Self {
        let Response { api, status, retry_after, .. } = *response;
        let message = message.map(|message| message.chars().take(MAX_MESSAGE_LENGTH).collect::<Box<str>>());
        let code = code.filter(|code| code != status.as_str()).map(String::into_boxed_str);
        let redirect_host = redirect_host(&response.headers);
        Self { api, status, code, message, retry_after, redirect_host }
    }

    fn redirect_target(&self) -> String {
        self.redirect_host.as_ref().map(|host| format!(" to `{host}`")).unwrap_or_default()
    }

    /// Returns the error message in the body, or an empty string.
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// Returns true if the response is from the API, and false if a proxy or another server has sent it.
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
                write!(f, "{status} {reason} (not a {} response)", self.api)
            }
            (None, _, None) => write!(f, "{status} (not a {} response)", self.api),
        }
    }
}

/// Returns the host and port of a redirect. Returns `None` for a redirect without a host, and for a host with unusual characters.
fn redirect_host(headers: &HeaderMap) -> Option<Box<str>> {
    let url = Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let host = url.host_str()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    host.chars().all(is_plain).then(|| format!("{host}{port}").into_boxed_str())
}

impl RequestError {
    /// Returns the error for the status of the response.
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

    /// Returns true if the request may have taken effect on the server, for example if a proxy has lost the response.
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
            | Self::TooManyPages(..)
            | Self::Cancelled => false,
        }
    }

    /// Returns true if the same request may succeed on a retry.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited(_) | Self::Server(_) => true,
            Self::Transport(_, error) => error.is_retryable(),
            // Without `Content-Length`, a lost connection looks like the end of the body, so the JSON may be truncated.
            Self::NotJson { source, .. } => source.is_eof() && source.column() > 0,
            _ => false,
        }
    }

    /// Returns the time to wait before a retry, if the server sent one.
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
