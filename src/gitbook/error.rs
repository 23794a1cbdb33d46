//! How a request to the API can fail, and what to do about each.

mod quota;

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;

use crate::http::{Retryable, TransportError};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400, 412, 413, 415 or 422: the request itself is at fault.
    #[error("GitBook refused the integration: {0}")]
    Refused(Said),
    /// 401.
    #[error("GitBook did not accept the token: {0}")]
    Unauthorized(Said),
    /// 403.
    #[error("the token may not do this: {0}")]
    Forbidden(Said),
    /// 404 on publishing.
    #[error("the organization was not found: {0}")]
    NoOrganization(Said),
    /// 404 elsewhere.
    #[error("GitBook did not find it: {0}")]
    NotFound(Said),
    /// 409.
    #[error("the name is taken, or another change is under way: {0}")]
    Conflict(Said),
    /// 429.
    #[error("GitBook's rate limit is reached: {said}")]
    RateLimited {
        /// What the API said.
        said: Said,
        /// How long it asked to wait.
        wait: Option<Duration>,
    },
    /// 408, 425 and 5xx.
    #[error("GitBook has a problem of its own: {said}")]
    Server {
        /// What the API said.
        said: Said,
        /// How long it asked to wait.
        wait: Option<Duration>,
    },
    /// 3xx, which is never followed.
    #[error("the endpoint redirects elsewhere ({0}), and the token does not follow")]
    Redirect(u16),
    /// Any other status.
    #[error("unexpected answer: {0}")]
    Unexpected(Said),
    /// A success whose body is not what the API documents.
    #[error("the answer, {status}, is not the API's")]
    NotJson {
        /// The status.
        status: u16,
        /// What is wrong with the body.
        source: serde_json::Error,
    },
    /// No answer at all.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An endpoint and a name that make no URL.
    #[error("the endpoint makes no URL: {0}")]
    Url(url::ParseError),
    /// A signal came before the next try.
    #[error("cancelled before it was tried again")]
    Cancelled,
    /// A list that goes on and on.
    #[error("the list did not end after {0} pages")]
    EndlessList(usize),
}

/// What the API said: status, its own code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    status: u16,
    code: Option<u16>,
    message: Option<String>,
}

impl Said {
    /// Whether it was the API that said it, and not a proxy or another server in its place.
    pub(super) fn is_the_apis(&self) -> bool {
        self.message.is_some()
    }

    /// Whether it says that there may be no more integrations, of whatever status such a refusal may be.
    fn is_of_a_quota(&self) -> bool {
        matches!(self.status, 400 | 402 | 403 | 409 | 412 | 422 | 429)
            && self.message.as_deref().is_some_and(quota::is_told_of_in)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        match (&self.message, reason) {
            (Some(message), _) => match self.code.filter(|code| *code != self.status) {
                Some(code) => write!(f, "{} (code {code}) {message}", self.status),
                None => write!(f, "{} {message}", self.status),
            },
            (None, Some(reason)) => write!(f, "{} {reason}, not in GitBook's own words", self.status),
            (None, None) => write!(f, "{}, not in GitBook's own words", self.status),
        }
    }
}

/// The API's error body; `code` mostly repeats the status.
#[derive(Deserialize)]
struct Body {
    error: Inner,
}

#[derive(Deserialize)]
struct Inner {
    code: u16,
    message: String,
}

/// Reads the API's error body. One that is none is not shown: it may be anybody's page.
pub(super) fn said(status: StatusCode, answer: &[u8]) -> Said {
    match serde_json::from_slice(answer) {
        Ok(Body { error }) => {
            let message = error.message.chars().take(1000).collect();
            Said { status: status.as_u16(), code: Some(error.code), message: Some(message) }
        }
        Err(_) => Said { status: status.as_u16(), code: None, message: None },
    }
}

impl ApiError {
    /// The error that a status stands for.
    pub(super) fn of_status(status: StatusCode, answer: &[u8]) -> Self {
        let said = said(status, answer);
        match status.as_u16() {
            400 | 412 | 413 | 415 | 422 => Self::Refused(said),
            401 => Self::Unauthorized(said),
            403 => Self::Forbidden(said),
            404 => Self::NotFound(said),
            409 => Self::Conflict(said),
            429 => Self::RateLimited { said, wait: None },
            408 | 425 | 500.. => Self::Server { said, wait: None },
            300..400 => Self::Redirect(status.as_u16()),
            _ => Self::Unexpected(said),
        }
    }

    /// The same, with how long the server asked to wait.
    pub(super) fn after(self, wait: Option<Duration>) -> Self {
        match self {
            Self::RateLimited { said, .. } => Self::RateLimited { said, wait },
            Self::Server { said, .. } => Self::Server { said, wait },
            other => other,
        }
    }

    /// Whether a new integration was refused because there are too many already.
    #[must_use]
    pub fn is_of_a_quota(&self) -> bool {
        match self {
            Self::Refused(said)
            | Self::Forbidden(said)
            | Self::Conflict(said)
            | Self::Unexpected(said)
            | Self::RateLimited { said, .. } => said.is_of_a_quota(),
            _ => false,
        }
    }

    /// Whether a request that fails this way may have taken effect all the same. Who says no has not done it; whoever
    /// stands between may have lost the answer of one who did.
    #[must_use]
    pub(crate) fn may_have_happened(&self) -> bool {
        match self {
            Self::Server { .. } | Self::NotJson { .. } => true,
            Self::Transport(error) => error.may_have_happened(),
            Self::Refused(_)
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NoOrganization(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::RateLimited { .. }
            | Self::Redirect(_)
            | Self::Unexpected(_)
            | Self::Url(_)
            | Self::Cancelled
            | Self::EndlessList(_) => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Refused(_) => "change the manifest as GitBook asks, then run again".to_owned(),
            Self::Unauthorized(_) => "create a new API token in GitBook's developer settings and store it as the secret that `GITBOOK_TOKEN` is set from".to_owned(),
            Self::Forbidden(_) => "the token's user must be allowed to manage integrations of the organization that the manifest names".to_owned(),
            Self::NoOrganization(_) => "check `organization` in the manifest (its id or subdomain), and that the token's user is a member".to_owned(),
            Self::NotFound(_) => "check `GITBOOK_ENDPOINT`".to_owned(),
            Self::Conflict(_) => "names are unique over all of GitBook: choose another `name`; if it is yours, run again".to_owned(),
            Self::RateLimited { wait: Some(wait), .. } if *wait < A_DAY => {
                format!("run again in {}, or lower `GITBOOK_CONCURRENCY`", humantime::format_duration(Duration::from_secs(wait.as_secs())))
            }
            Self::RateLimited { .. } => "run again later, or lower `GITBOOK_CONCURRENCY`".to_owned(),
            Self::Cancelled => "run again; publishing and deleting can be repeated safely".to_owned(),
            Self::Server { .. } => "run again later; publishing and deleting can be repeated safely".to_owned(),
            Self::Redirect(_) => "set `GITBOOK_ENDPOINT` to where it redirects, if you trust it".to_owned(),
            Self::Unexpected(_)
            | Self::NotJson { .. }
            | Self::EndlessList(_)
            | Self::Transport(TransportError::TooLarge(_)) => {
                "check that `GITBOOK_ENDPOINT` is GitBook's API, and that no proxy answers in its place".to_owned()
            }
            Self::Transport(TransportError::Connect(_)) => "check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy".to_owned(),
            Self::Transport(TransportError::Tls(_)) => "check the host and port of `GITBOOK_ENDPOINT`; if a proxy or server of your own signs certificates, name its authority's file with `SSL_CERT_FILE`".to_owned(),
            Self::Transport(TransportError::Timeout(_)) => "run again, which is safe, or raise `GITBOOK_TIMEOUT`".to_owned(),
            Self::Transport(TransportError::Broken(_)) => "run again, which is safe".to_owned(),
            Self::Transport(TransportError::Client(_)) => "install CA certificates (Debian's package `ca-certificates`), or name a file of them with `SSL_CERT_FILE`".to_owned(),
            Self::Url(_) => "check `GITBOOK_ENDPOINT`".to_owned(),
        }
    }
}

/// Nobody waits longer for a rate limit to end; a server that says so is mistaken.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Retryable for ApiError {
    const CANCELLED: Self = Self::Cancelled;

    fn is_worth_retrying(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Server { .. } => true,
            Self::Transport(error) => error.is_worth_retrying(),
            // An answer without a length whose connection broke.
            Self::NotJson { source, .. } => source.is_eof() && source.column() > 0,
            _ => false,
        }
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait, .. } | Self::Server { wait, .. } => *wait,
            _ => None,
        }
    }

    fn is_limit(&self) -> bool {
        // There being too many integrations passes by no waiting.
        matches!(self, Self::RateLimited { .. }) && !self.is_of_a_quota()
    }
}
