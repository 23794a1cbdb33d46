//! The HTTP client of the GitBook and forge clients: requests, responses, retries and paginated lists.

mod error;
mod pages;
mod retry;
mod transport;

pub use error::{ApiKind, ErrorResponse, RequestError};
pub(crate) use pages::read_all_pages;
pub use retry::Retryable;
pub(crate) use retry::{FIRST_DELAY, MAX_SHARD_WAIT, Retry, jitter};
pub use transport::TransportError;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// The maximum size in bytes of a response with one object. An integration with all its fields is smaller than 1 MiB.
pub(crate) const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// The maximum size in bytes of a response with one page of a list.
pub(crate) const MAX_PAGE_BYTES: usize = 64 * 1024 * 1024;

/// The maximum size in bytes of an error response. Further bytes are ignored.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The maximum number of redirects per request. GitHub redirects once if the repository was renamed.
const MAX_REDIRECTS: usize = 3;

/// The redirects that a client follows. A client that follows a redirect also sends the token to the new address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// No redirects.
    Refused,
    /// Redirects to the same scheme, host and port.
    SameOrigin,
}

/// An HTTP client for one API. All clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    api: ApiKind,
    client: reqwest::Client,
    timeout: Duration,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Response {
    /// The API that received the request.
    pub api: ApiKind,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body. It is empty if the headers of an error response contain the time to wait, and its body could not be read.
    pub body: Vec<u8>,
    /// The time to wait before a retry, if the server sent one.
    pub retry_after: Option<Duration>,
}

impl Http {
    /// Creates a client for the API at `root`. `timeout` limits each request including its response. The client reads the proxy
    /// from `HTTPS_PROXY` and `NO_PROXY`, and the certificates from the system or `SSL_CERT_FILE`.
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
            // A proxy could read the token of an unencrypted request. Without TLS, the system's certificates are not needed.
            builder.no_proxy().tls_certs_only([])
        } else {
            builder
        };
        // `install_default` fails if another client has already installed the provider, which is harmless.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client =
            builder.build().map_err(|error| RequestError::Transport(api, TransportError::Client(error)))?;
        Ok(Self { api, client, timeout })
    }

    /// Returns a copy of the client with another timeout.
    #[must_use]
    pub(crate) fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    pub(crate) fn api(&self) -> ApiKind {
        self.api
    }

    /// Creates a request with the client's timeout, without sending it.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url).timeout(self.timeout)
    }

    /// Sends a request once and reads the complete response.
    ///
    /// # Errors
    /// Returns an error if the response is missing, incomplete or larger than `max_bytes`. A response with an error status such as 404
    /// is not an error.
    pub(crate) async fn send(
        &self,
        max_bytes: usize,
        request: RequestBuilder,
    ) -> Result<Response, RequestError> {
        let api = self.api;
        let to_error = |error| RequestError::Transport(api, TransportError::new(error, self.timeout));
        let response = request.send().await.map_err(to_error)?;
        let status = response.status();
        tracing::debug!(status = status.as_u16(), url = %response.url(), "response");
        let headers = response.headers().clone();
        let retry_after = retry::retry_after(status, &headers);
        let max_bytes = if status.is_success() { max_bytes } else { MAX_ERROR_BYTES };
        let body = match read_body(response, max_bytes).await {
            // The headers already contain the time to wait before a retry, so the body is not needed.
            Err(_) if retry_after.is_some() => Vec::new(),
            body => body.map_err(to_error)?,
        };
        if body.len() > max_bytes {
            return Err(RequestError::Transport(api, TransportError::TooLarge(max_bytes)));
        }
        Ok(Response { api, status, headers, body, retry_after })
    }
}

/// Reads a body until it exceeds `max_bytes`. The body of an error response is truncated to this size.
async fn read_body(mut response: reqwest::Response, max_bytes: usize) -> reqwest::Result<Vec<u8>> {
    let is_error = !response.status().is_success();
    let mut body = Vec::new();
    while body.len() <= max_bytes
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    if is_error {
        body.truncate(max_bytes);
    }
    Ok(body)
}

impl Response {
    /// Parses the body as JSON.
    ///
    /// # Errors
    /// Returns [`RequestError::NotJson`] if the body is not JSON or does not have the fields of `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        serde_json::from_slice(&self.body).map_err(|source| RequestError::NotJson {
            api: self.api,
            status: self.status.as_u16(),
            source,
        })
    }
}

fn follow_same_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let is_same_origin =
        attempt.previous().last().is_some_and(|last| last.origin() == attempt.url().origin());
    if is_same_origin && attempt.previous().len() <= MAX_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// Appends segments to the path of a URL.
pub(crate) fn push_segments(url: &mut Url, segments: &[&str]) {
    // `path_segments_mut` fails only for URLs such as `data:`, which cannot be the root of an API.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
}

/// Returns true if the host of the URL is `localhost` or a loopback address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
