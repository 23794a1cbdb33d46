//! The GitBook integrations API: publish, read, delete and list.

mod answer;
mod error;
pub mod sandbox;

pub use crate::http::{Retryable, TransportError};
pub use answer::{Content, Deletion, Failure, Published, Tried};
pub use error::ApiError;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{DeserializeOwned, IgnoredAny};
use url::Url;

use crate::cancel::Cancel;
use crate::http::{Answer, FIRST_PAUSE, Http, MAX_PAGE, Redirects, Retry, push};
use answer::{Organization, Page};

/// The largest number of items that a page of a list may have.
const PAGE: u32 = 1000;

/// More pages than this are a server that does not stop.
const MOST_PAGES: usize = 1000;

/// All pauses of one request together. A server that asks for more is not waited for: the step would sit there,
/// paid for by the minute, and the error says when to come back.
const PATIENCE: Duration = Duration::from_secs(300);

/// The same of one of several machines, whose requests the others' go before as chance has it (`docs/scale.md`).
pub(crate) const PATIENCE_AMONG_OTHERS: Duration = Duration::from_secs(30 * 60);

/// A client of the API. Cloning it is cheap and shares its connections.
#[derive(Clone, Debug)]
pub struct GitBook {
    http: Http,
    endpoint: Url,
    token: SecretString,
    retry: Retry,
}

impl GitBook {
    /// A client for the API at `endpoint`, an URL that ends with a slash.
    ///
    /// `timeout` holds for one request with its answer, `retries` for further tries after a failure that is worth
    /// them. A proxy is taken from `HTTPS_PROXY` and `NO_PROXY`, certificates from the system or `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// When the system has no usable certificate store.
    pub fn new(
        endpoint: Url,
        token: SecretString,
        timeout: Duration,
        retries: u32,
    ) -> Result<Self, ApiError> {
        // The token must not follow a redirect to wherever it leads.
        let http = Http::new(&endpoint, timeout, Redirects::Refused)?;
        let (times, pause, patience) = (retries, FIRST_PAUSE, PATIENCE);
        let retry = Retry { times, pause, patience, patience_with_limits: patience, cancel: None };
        Ok(Self { http, endpoint, token, retry })
    }

    /// The same client on one of several machines at work: they share the token's limit, and each has to wait until its
    /// turn comes.
    #[must_use]
    pub(crate) fn among_others(mut self) -> Self {
        self.retry.patience_with_limits = PATIENCE_AMONG_OTHERS;
        self
    }

    /// The same client, which tries everything again at once.
    #[cfg(test)]
    pub(crate) fn without_pauses(mut self) -> Self {
        self.retry.pause = Duration::ZERO;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// The same client, which tries nothing again after a signal.
    #[must_use]
    pub(crate) fn until(mut self, cancel: &Cancel) -> Self {
        self.retry.cancel = Some(cancel.clone());
        self
    }

    /// Publishes an integration, or updates it. `body` is the request's JSON.
    ///
    /// Runs `before` before each attempt, with the failure of the previous one. It may end the request: with the answer, if
    /// an earlier attempt has published the integration, or with an error. The API has no compare-and-set, and attempts may
    /// be minutes apart.
    ///
    /// # Errors
    /// Returns errors of the API, of the network and of `before`. A 404 means that the organization does not exist.
    pub async fn publish<E: Retryable + From<ApiError>>(
        &self,
        name: &str,
        body: Vec<u8>,
        before: impl AsyncFn(Option<Failure>) -> Result<Option<Published>, E>,
    ) -> Tried<Result<Published, E>> {
        let body = bytes::Bytes::from(body);
        self.change(before, async || self.post(name, body.clone()).await).await
    }

    /// Reads an integration; `None` when it does not exist, or is a private one of somebody else.
    ///
    /// # Errors
    /// Whatever the API or the network says.
    pub async fn read(&self, name: &str) -> Result<Option<Published>, ApiError> {
        self.retry.run(|| self.get(name)).await
    }

    /// Reads an integration like [`read`](Self::read), in one attempt that a signal ends.
    ///
    /// # Errors
    /// Returns errors of the API and of the network, and [`ApiError::Cancelled`].
    pub async fn read_once(&self, name: &str) -> Result<Option<Published>, ApiError> {
        self.retry.unless_cancelled(self.get(name)).await
    }

    /// Deletes an integration, which uninstalls it everywhere and can't be undone. `before` works as in
    /// [`publish`](Self::publish).
    ///
    /// # Errors
    /// Returns errors of the API, of the network and of `before`. It is no error if there is no such integration.
    pub async fn delete<E: Retryable + From<ApiError>>(
        &self,
        name: &str,
        before: impl AsyncFn(Option<Failure>) -> Result<Option<Deletion>, E>,
    ) -> Tried<Result<Deletion, E>> {
        self.change(before, async || self.remove(name).await).await
    }

    /// Sends a request that changes something, again after failures, and counts the attempts that may have taken effect
    /// all the same.
    async fn change<T, E: Retryable + From<ApiError>>(
        &self,
        before: impl AsyncFn(Option<Failure>) -> Result<Option<T>, E>,
        request: impl AsyncFn() -> Result<T, ApiError>,
    ) -> Tried<Result<T, E>> {
        let failure = Mutex::new(None);
        let unanswered = AtomicU32::new(0);
        let attempt = async || {
            let previous = *failure.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = match before(previous).await {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {
                    let answer = request().await;
                    let may_have_happened = answer.as_ref().is_err_and(ApiError::may_have_happened);
                    unanswered.fetch_add(may_have_happened.into(), Ordering::Relaxed);
                    answer.map_err(E::from)
                }
                Err(error) => Err(error),
            };
            let (at, unanswered) = (Instant::now(), unanswered.load(Ordering::Relaxed));
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(Failure { at, unanswered });
            answer
        };
        // Its state is large, and several are under way at once.
        let last = Box::pin(self.retry.run(&attempt)).await;
        Tried { last, unanswered: unanswered.load(Ordering::Relaxed) }
    }

    async fn post(&self, name: &str, body: bytes::Bytes) -> Result<Published, ApiError> {
        let request = self
            .request(Method::POST, self.integration(name)?)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body);
        match self.send(request).await? {
            (status, answer) if status.is_success() => parse(status, &answer),
            (status, answer) => Err(match ApiError::of_status(status, &answer) {
                ApiError::NotFound(said) if said.is_the_apis() => ApiError::NoOrganization(said),
                error => error,
            }),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Published>, ApiError> {
        match self.send(self.request(Method::GET, self.integration(name)?)).await? {
            (status, answer) if status.is_success() => parse(status, &answer).map(Some),
            (status, answer) => match ApiError::of_status(status, &answer) {
                ApiError::NotFound(said) if said.is_the_apis() => Ok(None),
                error => Err(error),
            },
        }
    }

    async fn remove(&self, name: &str) -> Result<Deletion, ApiError> {
        match self.send(self.request(Method::DELETE, self.integration(name)?)).await? {
            (StatusCode::NO_CONTENT, _) => Ok(Deletion::DidNotExist),
            (StatusCode::RESET_CONTENT, _) => Ok(Deletion::Deleted),
            (status, answer) if status.is_success() && answer.is_empty() => Ok(Deletion::Deleted),
            // A page that somebody else shows in the API's place is no deletion.
            (status, answer) if status.is_success() => {
                parse(status, &answer).map(|IgnoredAny| Deletion::Deleted)
            }
            (status, answer) => match ApiError::of_status(status, &answer) {
                ApiError::NotFound(said) if said.is_the_apis() => Ok(Deletion::DidNotExist),
                error => Err(error),
            },
        }
    }

    /// Lists the integrations that an organization owns, page by page, and returns what `keep` makes of them.
    ///
    /// # Errors
    /// Returns errors of the API and of the network.
    pub async fn list<T>(
        &self,
        organization: &str,
        keep: impl FnMut(Published) -> Option<T>,
    ) -> Result<Vec<T>, ApiError> {
        let mut url = self.url("v1/orgs/")?;
        push(&mut url, &[organization, "integrations"]);
        self.pages(url, keep).await
    }

    /// The id of an organization that is known by its id or its subdomain; `None` when the token's user is in no
    /// such organization.
    ///
    /// # Errors
    /// Whatever the API or the network says.
    pub async fn organization(&self, id_or_subdomain: &str) -> Result<Option<String>, ApiError> {
        let of_host = |hostname: &str| hostname.split('.').next() == Some(id_or_subdomain);
        let id = |Organization { id, hostname }| {
            (id == id_or_subdomain || hostname.as_deref().is_some_and(of_host)).then_some(id)
        };
        Ok(self.pages(self.url("v1/orgs")?, id).await?.into_iter().next())
    }

    /// Reads a list page by page. Each is dropped once `keep` has seen its items.
    async fn pages<T: DeserializeOwned, U>(
        &self,
        mut url: Url,
        mut keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ApiError> {
        let mut items = Vec::new();
        url.query_pairs_mut().append_pair("limit", &PAGE.to_string());
        let mut next = Some(url.clone());
        for _ in 0..MOST_PAGES {
            let Some(page) = next else { return Ok(items) };
            let page: Page<T> = self.retry.run(|| self.page(page.clone())).await?;
            items.extend(page.items.into_iter().filter_map(&mut keep));
            next = page.next.map(|cursor| {
                let mut url = url.clone();
                url.query_pairs_mut().append_pair("page", &cursor.page);
                url
            });
        }
        Err(ApiError::EndlessList(MOST_PAGES))
    }

    async fn page<T: DeserializeOwned>(&self, url: Url) -> Result<Page<T>, ApiError> {
        let request = self.request(Method::GET, url);
        match answered(self.http.send_up_to(MAX_PAGE, request).await?)? {
            (status, answer) if status.is_success() => parse(status, &answer),
            (status, answer) => Err(ApiError::of_status(status, &answer)),
        }
    }

    fn integration(&self, name: &str) -> Result<Url, ApiError> {
        let mut url = self.url("v1/integrations/")?;
        push(&mut url, &[name]);
        Ok(url)
    }

    fn url(&self, path: &str) -> Result<Url, ApiError> {
        self.endpoint.join(path).map_err(ApiError::Url)
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(self.token.expose_secret())
    }

    /// Sends one request and reads its whole answer.
    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), ApiError> {
        answered(self.http.send(request).await?)
    }
}

fn answered(answer: Answer) -> Result<(StatusCode, Vec<u8>), ApiError> {
    match answer.wait {
        Some(_) => Err(ApiError::of_status(answer.status, &answer.body).after(answer.wait)),
        None => Ok((answer.status, answer.body)),
    }
}

fn parse<T: DeserializeOwned>(status: StatusCode, answer: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(answer).map_err(|source| ApiError::NotJson { status: status.as_u16(), source })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_page_is_as_long_as_the_document_allows() {
        assert_eq!(crate::schema::document::parameter("listLimit")["maximum"], super::PAGE);
    }
}
