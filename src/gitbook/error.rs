//! The reasons for a failed request to GitBook's API, with hints.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::http::{ErrorResponse, RequestError, Response, Retryable, TransportError};

/// A failed request to GitBook's API.
#[derive(Debug, thiserror::Error)]
pub enum GitBookError {
    /// An organization that does not exist (status 404 in response to a publish request).
    #[error("organization not found: {0}")]
    OrganizationNotFound(ErrorResponse),
    /// A limit of the organization's GitBook plan, such as the number of integrations.
    #[error("GitBook plan limit reached: {0}")]
    Quota(ErrorResponse),
    /// An endpoint that cannot be combined with a path to form a URL.
    #[error("`GITBOOK_ENDPOINT` is not a valid base URL: {0}")]
    Url(url::ParseError),
    /// Any other failure.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// The body of an error response.
#[derive(Deserialize)]
struct ErrorEnvelope {
    error: ErrorDetails,
}

#[derive(Deserialize)]
struct ErrorDetails {
    /// The error code, which usually equals the HTTP status.
    code: Value,
    message: String,
    /// The name of the error. GitBook documents the names of only a few errors.
    #[serde(default, rename = "type")]
    name: Value,
}

impl ErrorDetails {
    /// Returns true if the error probably means that a limit of the GitBook plan is reached. GitBook does not document this
    /// error, so the function looks for the code 402 (payment required) and for names that contain "quota" or "limit".
    fn is_quota(&self, status: StatusCode) -> bool {
        let payment_required = StatusCode::PAYMENT_REQUIRED;
        let mut names = [&self.code, &self.name].into_iter().filter_map(Value::as_str);
        status.is_client_error()
            && (status == payment_required
                || self.code == payment_required.as_u16()
                || names.any(is_quota_name))
    }
}

/// Returns true for error names such as `quota_exceeded` and `integrations-limit`, but not for names of rate limit errors.
fn is_quota_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let contains = |words: &[&str]| words.iter().any(|word| name.contains(word));
    contains(&["quota", "limit"]) && !contains(&["rate", "request"])
}

/// The maximum wait that a hint mentions. A longer wait is probably an error of the server.
const MAX_HINTED_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

impl GitBookError {
    /// Returns the error for a response with an error status.
    pub(super) fn from_response(response: &Response) -> Self {
        let Ok(ErrorEnvelope { error }) = response.json() else {
            return RequestError::from_response(ErrorResponse::new(response, None, None)).into();
        };
        let is_quota = error.is_quota(response.status);
        let code = error.code.as_str().map_or_else(|| error.code.to_string(), str::to_owned);
        let response = ErrorResponse::new(response, Some(code), Some(error.message));
        if is_quota { Self::Quota(response) } else { RequestError::from_response(response).into() }
    }

    /// Returns true if the failed request may have taken effect.
    #[must_use]
    pub(crate) fn may_have_succeeded(&self) -> bool {
        matches!(self, Self::Request(error) if error.may_have_succeeded())
    }

    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub fn hint(&self) -> String {
        let request = match self {
            Self::OrganizationNotFound(_) => {
                return "check `organization` in the manifest (an ID or subdomain), and that the token's user is a member".to_owned();
            }
            Self::Quota(_) => {
                return "delete integrations that are no longer needed or upgrade the GitBook plan, then re-run the job".to_owned();
            }
            Self::Url(_) => return "set it to a URL such as `https://api.gitbook.com`".to_owned(),
            Self::Request(error) => error,
        };
        match request {
            RequestError::RateLimited(ErrorResponse { retry_after: Some(wait), .. })
                if *wait < MAX_HINTED_WAIT =>
            {
                let wait = humantime::format_duration(Duration::from_secs(wait.as_secs()));
                format!("re-run the job in {wait}, or lower `GITBOOK_CONCURRENCY`")
            }
            RequestError::Redirect(ErrorResponse { redirect_host: Some(host), .. }) => {
                format!("set `GITBOOK_ENDPOINT` to the URL of `{host}` if you trust that server")
            }
            error => request_hint(error).to_owned(),
        }
    }
}

fn request_hint(error: &RequestError) -> &'static str {
    match error {
        RequestError::Rejected(_) => {
            "correct the manifest field named in GitBook's response, then re-run the job"
        }
        RequestError::Unauthorized(_) => {
            "create an API token in GitBook's developer settings and store it as the secret that sets `GITBOOK_TOKEN`"
        }
        RequestError::Forbidden(_) => {
            "let the token's user manage integrations of the organization in the manifest, or use another user's token"
        }
        RequestError::NotFound(_) | RequestError::Redirect(_) => "check `GITBOOK_ENDPOINT`",
        RequestError::Conflict(_) => {
            "choose another `name`, since names are unique across GitBook; if the integration is yours, re-run the job"
        }
        RequestError::RateLimited(_) => "re-run the job later, or lower `GITBOOK_CONCURRENCY`",
        RequestError::Cancelled => "re-run the job; publishing and deleting are safe to repeat",
        RequestError::Server(_) => "re-run the job later; publishing and deleting are safe to repeat",
        RequestError::Unexpected(_)
        | RequestError::NotJson { .. }
        | RequestError::TooManyPages(..)
        | RequestError::Transport(_, TransportError::TooLarge(_)) => {
            "check that `GITBOOK_ENDPOINT` is the URL of the API and that no proxy intercepts the requests"
        }
        RequestError::Transport(_, TransportError::Connect(_)) => {
            "check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy"
        }
        RequestError::Transport(_, TransportError::Tls(_)) => {
            "check the host and port of `GITBOOK_ENDPOINT`; if a private CA signed the certificate, set `SSL_CERT_FILE` to the CA certificate file"
        }
        RequestError::Transport(_, TransportError::Timeout(_)) => {
            "re-run the job, or raise `GITBOOK_TIMEOUT`; publishing and deleting are safe to repeat"
        }
        RequestError::Transport(_, TransportError::ConnectionLost(_)) => {
            "re-run the job; publishing and deleting are safe to repeat"
        }
        RequestError::Transport(_, TransportError::Client(_)) => {
            "install CA certificates (Debian's package `ca-certificates`), or set `SSL_CERT_FILE` to a file that contains them"
        }
    }
}

impl Retryable for GitBookError {
    const CANCELLED: Self = Self::Request(RequestError::Cancelled);

    fn request_error(&self) -> Option<&RequestError> {
        match self {
            Self::Request(error) => Some(error),
            Self::OrganizationNotFound(_) | Self::Quota(_) | Self::Url(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::{Value, json};

    use super::GitBookError;
    use crate::http::{ApiKind, Response};

    fn error(status: u16, body: &Value) -> GitBookError {
        let status = StatusCode::from_u16(status).unwrap();
        let (api, headers, body) = (ApiKind::GitBook, <_>::default(), body.to_string().into_bytes());
        GitBookError::from_response(&Response { api, status, headers, body, retry_after: None })
    }

    #[test]
    fn recognizes_a_plan_limit_by_status_code_or_name() {
        for (status, code, name) in [
            (402, json!(402), Value::Null),
            (402, json!(7), Value::Null),
            (403, json!(402), Value::Null),
            (403, json!("quota_exceeded"), Value::Null),
            (400, json!("INTEGRATIONS_LIMIT"), Value::Null),
            (409, json!(409), json!("plan-limit-reached")),
            (429, json!(429), json!("integrationQuota")),
        ] {
            let error = error(status, &json!({"error": {"code": code, "message": "No.", "type": name}}));
            assert!(matches!(error, GitBookError::Quota(_)), "{status} {code} {name}: {error:?}");
        }
    }

    #[test]
    fn does_not_report_other_errors_as_a_plan_limit() {
        for (status, code, name) in [
            (403, json!(403), Value::Null),
            (403, json!("forbidden"), json!("missing_scope")),
            (429, json!(429), Value::Null),
            (429, json!("rate_limit_exceeded"), Value::Null),
            (429, json!(429), json!("requestQuota")),
            (500, json!("quota_exceeded"), json!("quota_exceeded")),
            (500, json!(402), Value::Null),
        ] {
            let error = error(status, &json!({"error": {"code": code, "message": "Quota.", "type": name}}));
            assert!(matches!(error, GitBookError::Request(_)), "{status} {code} {name}: {error:?}");
        }
        // A body without an error object is from a proxy.
        assert!(matches!(error(402, &json!("Payment required")), GitBookError::Request(_)));
    }

    #[test]
    fn displays_an_error_code_only_if_it_differs_from_the_status() {
        let text = |code: Value| error(403, &json!({"error": {"code": code, "message": "No."}})).to_string();
        assert_eq!(text(json!(403)), "the token lacks a permission: 403 No.");
        assert_eq!(text(json!(17)), "the token lacks a permission: 403 (code 17) No.");
        assert_eq!(
            text(json!("missing_scope")),
            "the token lacks a permission: 403 (code missing_scope) No."
        );
    }
}
