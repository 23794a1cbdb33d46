//! HTTP as the clients of GitBook's API and of the forge's need it: one request, its whole answer, and what went wrong.

mod failure;
mod retry;

pub use failure::TransportError;
pub use retry::Retryable;
pub(crate) use retry::{FIRST_PAUSE, Retry};

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// The size of an answer about one thing: an integration with everything that GitBook returns has less than 1 MiB.
pub(crate) const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The size of a page of a list.
pub(crate) const MAX_PAGE: usize = 64 * 1024 * 1024;

/// The size of an error's text that is kept.
const MAX_ERROR: usize = 64 * 1024;

/// GitHub redirects where a repository was renamed, once.
const MOST_REDIRECTS: usize = 3;

/// Whether redirects are followed. The token goes where they lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// Never.
    Refused,
    /// On the same scheme, host and port only.
    SameOrigin,
}

/// A client. Cloning it is cheap and shares its connections.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    timeout: Duration,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty where a failure's could not be read.
    pub body: Vec<u8>,
    /// How long it asks to wait before the next try.
    pub wait: Option<Duration>,
}

impl Http {
    /// A client for the API at `root`. `timeout` holds for one request with its answer. A proxy is taken from
    /// `HTTPS_PROXY` and `NO_PROXY`, certificates from the system or `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// When the system has no usable certificate store.
    pub(crate) fn new(root: &Url, timeout: Duration, redirects: Redirects) -> Result<Self, TransportError> {
        let builder = reqwest::Client::builder()
            .connect_timeout(failure::connect_timeout(timeout))
            .http1_only()
            .user_agent(concat!("gitbook-deploy/", env!("CARGO_PKG_VERSION")))
            .redirect(match redirects {
                Redirects::Refused => redirect::Policy::none(),
                Redirects::SameOrigin => redirect::Policy::custom(within_origin),
            });
        let builder = if root.scheme() == "http" {
            // A proxy would be shown the token, and the certificates of the system need not be read.
            builder.no_proxy().tls_certs_only([])
        } else {
            builder
        };
        // The process has one; that it has been chosen before is no error.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = builder.build().map_err(TransportError::Client)?;
        Ok(Self { client, timeout })
    }

    /// The same client, which waits longer or shorter.
    #[must_use]
    pub(crate) fn within(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// A request, to be completed.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url).timeout(self.timeout)
    }

    /// Sends one request and reads its whole answer.
    ///
    /// # Errors
    /// When there is no answer, no whole one, or one of more than 8 MiB.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, TransportError> {
        self.send_up_to(MAX_ANSWER, request).await
    }

    /// Sends one request and reads its whole answer of at most `limit` bytes.
    ///
    /// # Errors
    /// When there is no answer, no whole one, or a larger one.
    pub(crate) async fn send_up_to(
        &self,
        limit: usize,
        request: RequestBuilder,
    ) -> Result<Answer, TransportError> {
        let failed = |error| TransportError::new(error, self.timeout);
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        tracing::debug!(status = status.as_u16(), url = %response.url(), "answer");
        let headers = response.headers().clone();
        let wait = retry::wait(status, &headers);
        let limit = if status.is_success() { limit } else { MAX_ERROR };
        let body = match body(response, limit).await {
            // How long to wait is all that matters of it.
            Err(_) if wait.is_some() => Vec::new(),
            body => body.map_err(failed)?,
        };
        if body.len() > limit {
            return Err(TransportError::TooLarge(limit));
        }
        Ok(Answer { status, headers, body, wait })
    }
}

/// Reads a body, and stops once there is more than `limit`: the text of an error is cut there.
async fn body(mut response: reqwest::Response, limit: usize) -> reqwest::Result<Vec<u8>> {
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

impl Answer {
    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.body)
    }
}

fn within_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = attempt.previous().last().is_some_and(|last| last.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// Adds segments to the path of an URL.
pub(crate) fn push(url: &mut Url, segments: &[&str]) {
    // Fails for URLs that can't be a base only, which an API's root never is.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
}

/// Whether a request to this URL stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
