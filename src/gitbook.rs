//! A client for GitBook's integrations API: publish, read, delete and list integrations.

mod error;
mod models;
pub mod sandbox;

pub use crate::http::{ApiKind, ErrorResponse, RequestError, Retryable, TransportError};
pub use error::GitBookError;
pub use models::{Attempts, Deletion, FailedAttempt, PublishedContent, PublishedIntegration};

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use url::Url;

use crate::cancel::Cancel;
use crate::http::{
    FIRST_DELAY, Http, MAX_PAGE_BYTES, MAX_RESPONSE_BYTES, MAX_SHARD_WAIT, Redirects, Response, Retry,
    push_segments, read_all_pages,
};
use models::{Organization, Page};

/// The requested number of items per page of a list: GitBook's maximum.
const PAGE_SIZE: u32 = 1000;

/// The maximum time for a request including all its retries. CI machines cost money per minute, so a request that would need a longer
/// wait fails, and the error tells the user when to run again.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A client for the GitBook API. All clones share its connections.
#[derive(Clone, Debug)]
pub struct GitBook {
    http: Http,
    endpoint: Url,
    token: SecretString,
    retry: Retry,
}

impl GitBook {
    /// Creates a client for the API at `endpoint`, a URL that ends with a slash.
    ///
    /// `timeout` limits each request including its response. `retries` is the maximum number of retries per request. The client reads
    /// the proxy from `HTTPS_PROXY` and `NO_PROXY`, and the certificates from the system or `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// Returns an error if the system has no usable certificate store.
    pub fn new(
        endpoint: Url,
        token: SecretString,
        timeout: Duration,
        retries: u32,
    ) -> Result<Self, GitBookError> {
        // After a redirect, the token could be sent to any server.
        let http = Http::new(ApiKind::GitBook, &endpoint, timeout, Redirects::Refused)?;
        let retry = Retry {
            max_retries: retries,
            first_delay: FIRST_DELAY,
            max_wait: MAX_WAIT,
            max_wait_for_limits: Some(MAX_WAIT),
            cancel: None,
        };
        Ok(Self { http, endpoint, token, retry })
    }

    /// Returns the client with a longer maximum wait for rate limits, for runs on several machines that share the rate limit of
    /// the token.
    #[must_use]
    pub(crate) fn with_shard_wait(mut self) -> Self {
        self.retry.max_wait_for_limits = Some(MAX_SHARD_WAIT);
        self
    }

    /// Returns the client without delays before retries.
    #[cfg(test)]
    pub(crate) fn without_delays(mut self) -> Self {
        self.retry.first_delay = Duration::ZERO;
        self
    }

    /// Returns the root URL of the API.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// Returns the client with the receiver of the signal that cancels the run. After a signal, the client does not retry
    /// requests.
    #[must_use]
    pub(crate) fn with_cancel(mut self, cancel: &Cancel) -> Self {
        self.retry.cancel = Some(cancel.clone());
        self
    }

    /// Publishes or updates an integration. `body` is the request's JSON.
    ///
    /// Calls `before` before each attempt, with the failure of the previous attempt. Sends no request if `before` returns an error or a
    /// result, for example because an earlier attempt has published the integration. This check is necessary because attempts may be
    /// minutes apart, and the API cannot reject a request if the version has changed in the meantime.
    ///
    /// # Errors
    /// Returns an error if the request or `before` fails. Status 404 means that the organization does not exist.
    pub async fn publish<E: Retryable + From<GitBookError>>(
        &self,
        name: &str,
        body: Vec<u8>,
        before: impl AsyncFn(Option<FailedAttempt>) -> Result<Option<PublishedIntegration>, E>,
    ) -> Attempts<Result<PublishedIntegration, E>> {
        let body = bytes::Bytes::from(body);
        self.retry_with_check(before, async || self.post_integration(name, body.clone()).await).await
    }

    /// Reads an integration. Returns `None` if the integration does not exist, or if it is private and the token has no access to the
    /// organization that owns it.
    ///
    /// # Errors
    /// Returns an error if the request fails.
    pub async fn read(&self, name: &str) -> Result<Option<PublishedIntegration>, GitBookError> {
        self.retry.run(|| self.get_integration(name)).await
    }

    /// Reads an integration like [`read`](Self::read), but without retries.
    ///
    /// # Errors
    /// Returns an error if the request fails, or [`RequestError::Cancelled`] if a signal arrives.
    pub async fn read_once(&self, name: &str) -> Result<Option<PublishedIntegration>, GitBookError> {
        self.retry.unless_cancelled(self.get_integration(name)).await
    }

    /// Deletes an integration. GitBook uninstalls the integration everywhere and cannot restore it. Calls `before` before each attempt,
    /// like [`publish`](Self::publish). Succeeds if the integration does not exist.
    ///
    /// # Errors
    /// Returns an error if the request or `before` fails.
    pub async fn delete<E: Retryable + From<GitBookError>>(
        &self,
        name: &str,
        before: impl AsyncFn(Option<FailedAttempt>) -> Result<Option<Deletion>, E>,
    ) -> Attempts<Result<Deletion, E>> {
        self.retry_with_check(before, async || self.delete_integration(name).await).await
    }

    /// Sends a request that changes an integration, with retries. Counts the failed attempts that may have taken effect.
    async fn retry_with_check<T, E: Retryable + From<GitBookError>>(
        &self,
        before: impl AsyncFn(Option<FailedAttempt>) -> Result<Option<T>, E>,
        request: impl AsyncFn() -> Result<T, GitBookError>,
    ) -> Attempts<Result<T, E>> {
        let last_failure = Mutex::new(None);
        let unanswered = AtomicU32::new(0);
        let attempt = async || {
            let previous = *last_failure.lock().unwrap_or_else(PoisonError::into_inner);
            let result = match before(previous).await {
                Ok(Some(result)) => return Ok(result),
                Ok(None) => {
                    let result = request().await;
                    let may_have_succeeded = result.as_ref().is_err_and(GitBookError::may_have_succeeded);
                    unanswered.fetch_add(may_have_succeeded.into(), Ordering::Relaxed);
                    result.map_err(E::from)
                }
                Err(error) => Err(error),
            };
            let (at, unanswered) = (Instant::now(), unanswered.load(Ordering::Relaxed));
            *last_failure.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(FailedAttempt { at, unanswered });
            result
        };
        // The future is boxed, because it is large and several requests run at the same time.
        let last = Box::pin(self.retry.run(&attempt)).await;
        Attempts { last, unanswered: unanswered.load(Ordering::Relaxed) }
    }

    async fn post_integration(
        &self,
        name: &str,
        body: bytes::Bytes,
    ) -> Result<PublishedIntegration, GitBookError> {
        let request = self
            .request(Method::POST, self.integration_url(name)?)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body);
        match self.send(MAX_RESPONSE_BYTES, request).await {
            Ok(response) => Ok(response.json()?),
            Err(GitBookError::Request(RequestError::NotFound(response))) if response.is_from_api() => {
                Err(GitBookError::OrganizationNotFound(response))
            }
            Err(error) => Err(error),
        }
    }

    async fn get_integration(&self, name: &str) -> Result<Option<PublishedIntegration>, GitBookError> {
        let request = self.request(Method::GET, self.integration_url(name)?);
        match self.send(MAX_RESPONSE_BYTES, request).await {
            Ok(response) => Ok(Some(response.json()?)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn delete_integration(&self, name: &str) -> Result<Deletion, GitBookError> {
        let request = self.request(Method::DELETE, self.integration_url(name)?);
        match self.send(MAX_RESPONSE_BYTES, request).await {
            Ok(response) if response.status == StatusCode::NO_CONTENT => Ok(Deletion::DidNotExist),
            Ok(response) if response.status == StatusCode::RESET_CONTENT || response.body.is_empty() => {
                Ok(Deletion::Deleted)
            }
            // A successful response without JSON may be from a proxy, so it does not prove that the integration was deleted.
            Ok(response) => Ok(response.json().map(|IgnoredAny| Deletion::Deleted)?),
            Err(error) if is_missing(&error) => Ok(Deletion::DidNotExist),
            Err(error) => Err(error),
        }
    }

    /// Lists the integrations that an organization owns. Returns those that `keep` selects and converts.
    ///
    /// # Errors
    /// Returns an error if a request fails.
    pub async fn list<T>(
        &self,
        organization_id: &str,
        keep: impl FnMut(PublishedIntegration) -> Option<T>,
    ) -> Result<Vec<T>, GitBookError> {
        let mut url = self.api_url("v1/orgs/")?;
        push_segments(&mut url, &[organization_id, "integrations"]);
        self.read_pages(url, keep).await
    }

    /// Finds the ID of an organization by its ID or subdomain. Returns `None` if the token's user is not a member of the
    /// organization.
    ///
    /// # Errors
    /// Returns an error if a request fails.
    pub async fn organization_id(&self, id_or_subdomain: &str) -> Result<Option<String>, GitBookError> {
        let has_subdomain = |hostname: &str| hostname.split('.').next() == Some(id_or_subdomain);
        let id = |Organization { id, hostname }| {
            (id == id_or_subdomain || hostname.as_deref().is_some_and(has_subdomain)).then_some(id)
        };
        Ok(self.read_pages(self.api_url("v1/orgs")?, id).await?.into_iter().next())
    }

    /// Reads all pages of a list and returns the items that `keep` selects and converts.
    async fn read_pages<T: DeserializeOwned, U>(
        &self,
        mut url: Url,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, GitBookError> {
        url.query_pairs_mut().append_pair("limit", &PAGE_SIZE.to_string());
        read_all_pages(ApiKind::GitBook, None, keep, async |cursor: Option<String>| {
            let mut url = url.clone();
            if let Some(cursor) = cursor {
                url.query_pairs_mut().append_pair("page", &cursor);
            }
            let page: Page<T> = self.retry.run(|| self.read_page(url.clone())).await?;
            Ok((page.items, page.next.map(|next| Some(next.page))))
        })
        .await
    }

    async fn read_page<T: DeserializeOwned>(&self, url: Url) -> Result<Page<T>, GitBookError> {
        Ok(self.send(MAX_PAGE_BYTES, self.request(Method::GET, url)).await?.json()?)
    }

    fn integration_url(&self, name: &str) -> Result<Url, GitBookError> {
        let mut url = self.api_url("v1/integrations/")?;
        push_segments(&mut url, &[name]);
        Ok(url)
    }

    fn api_url(&self, path: &str) -> Result<Url, GitBookError> {
        self.endpoint.join(path).map_err(GitBookError::Url)
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(self.token.expose_secret())
    }

    /// Sends a request once. A response with an error status is an error.
    async fn send(&self, max_bytes: usize, request: RequestBuilder) -> Result<Response, GitBookError> {
        let response = self.http.send(max_bytes, request).await?;
        if response.status.is_success() { Ok(response) } else { Err(GitBookError::from_response(&response)) }
    }
}

/// Returns true if the API reports that an integration does not exist.
fn is_missing(error: &GitBookError) -> bool {
    matches!(error, GitBookError::Request(RequestError::NotFound(response)) if response.is_from_api())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_size_is_the_documented_maximum() {
        assert_eq!(
            crate::schema::openapi_comparison::parameter_schema("listLimit")["maximum"],
            super::PAGE_SIZE
        );
    }
}
