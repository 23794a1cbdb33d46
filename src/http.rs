//! HTTP for the API clients: requests, responses, retries and lists.

mod error;
mod pages;
mod retry;
mod transport;

pub use error::{ApiKind, ErrorResponse, RequestError};
pub(crate) use pages::pages;
pub use retry::Retryable;
pub(crate) use retry::{FIRST_DELAY, Retry, jitter};
pub use transport::TransportError;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// The maximum bytes of a response about one object. An integration with all its fields is smaller than 1 MiB.
pub(crate) const MAX_RESPONSE: usize = 8 * 1024 * 1024;

/// The maximum bytes of one page of a list.
pub(crate) const MAX_PAGE: usize = 64 * 1024 * 1024;

/// The number of bytes that are read of an error response.
const MAX_ERROR: usize = 64 * 1024;

/// The maximum number of redirects of a request. GitHub redirects once, after a repository was renamed.
const MAX_REDIRECTS: usize = 3;

/// The redirects that a client follows. It sends the token to the new address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// No redirects.
    Refused,
    /// Redirects to the same scheme, host and port.
    SameOrigin,
}

/// An HTTP client of one API. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    api: ApiKind,
    client: reqwest::Client,
    timeout: Duration,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Response {
    /// The API that sent the response.
    pub api: ApiKind,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty if the body of a failure was unreadable.
    pub body: Vec<u8>,
    /// The wait that the server asks for.
    pub retry_after: Option<Duration>,
}

impl Http {
    /// Creates a client of the API at `root`. `timeout` limits each request including its response. The proxy comes from
    /// `HTTPS_PROXY` and `NO_PROXY`, certificates come from the system or `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// Returns an error if the system has no usable certificate store.
    pub(crate) fn new(
        api: ApiKind,
        root: &Url,
        timeout: Duration,
        redirects: Redirects,
    ) -> Result<Self, RequestError> {
        let builder = reqwest::Client::builder()
            .connect_timeout(transport::connect_timeout(timeout))
            .http1_only()
            .user_agent(concat!("gitbook-deploy/", env!("CARGO_PKG_VERSION")))
            .redirect(match redirects {
                Redirects::Refused => redirect::Policy::none(),
                Redirects::SameOrigin => redirect::Policy::custom(follow_same_origin),
            });
        let builder = if root.scheme() == "http" {
            // A proxy could read the token. Reading the system's certificates would be a waste of time.
            builder.no_proxy().tls_certs_only([])
        } else {
            builder
        };
        // Fails if another client has installed the provider, which is harmless.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client =
            builder.build().map_err(|error| RequestError::Transport(api, TransportError::Client(error)))?;
        Ok(Self { api, client, timeout })
    }

    /// Returns the client with another timeout.
    #[must_use]
    pub(crate) fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Returns the API of the client.
    pub(crate) fn api(&self) -> ApiKind {
        self.api
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url).timeout(self.timeout)
    }

    /// Sends one request and reads the complete response of at most `limit` bytes.
    ///
    /// # Errors
    /// Returns an error if the response is missing, incomplete or too large. A failure status is no error.
    pub(crate) async fn send(&self, limit: usize, request: RequestBuilder) -> Result<Response, RequestError> {
        let api = self.api;
        let failed = |error| RequestError::Transport(api, TransportError::new(error, self.timeout));
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        tracing::debug!(status = status.as_u16(), url = %response.url(), "response");
        let headers = response.headers().clone();
        let retry_after = retry::retry_after(status, &headers);
        let limit = if status.is_success() { limit } else { MAX_ERROR };
        let body = match read_body(response, limit).await {
            // The headers say all that the retry needs.
            Err(_) if retry_after.is_some() => Vec::new(),
            body => body.map_err(failed)?,
        };
        if body.len() > limit {
            return Err(RequestError::Transport(api, TransportError::TooLarge(limit)));
        }
        Ok(Response { api, status, headers, body, retry_after })
    }
}

/// Reads a body until it exceeds `limit`. The body of an error is truncated there.
async fn read_body(mut response: reqwest::Response, limit: usize) -> reqwest::Result<Vec<u8>> {
    let is_error = !response.status().is_success();
    let mut body = Vec::new();
    while body.len() <= limit
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    if is_error {
        body.truncate(limit);
    }
    Ok(body)
}

impl Response {
    /// Parses the body as JSON.
    ///
    /// # Errors
    /// Returns [`RequestError::NotJson`].
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        serde_json::from_slice(&self.body).map_err(|source| RequestError::NotJson {
            api: self.api,
            status: self.status.as_u16(),
            source,
        })
    }
}

fn follow_same_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = attempt.previous().last().is_some_and(|last| last.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// Appends segments to the path of a URL.
pub(crate) fn push_segments(url: &mut Url, segments: &[&str]) {
    // Fails for URLs such as `data:` only, which cannot be the root of an API.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
}

/// Returns true if requests to this URL stay on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
