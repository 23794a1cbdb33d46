//! The client that all forges share: one repository, its token, retries and a circuit breaker.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, LINK};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;
use url::Url;

use super::budget::Budget;
use super::circuit::Circuit;
use super::models::{BranchResponse, RepositoryResponse};
use super::{ForgeError, MaxWait, Permission, RefState};
use crate::cancel::Cancel;
use crate::http::{
    ApiKind, FIRST_DELAY, Http, MAX_PAGE, MAX_RESPONSE, Redirects, RequestError, Response, Retry, pages,
    push_segments,
};
use crate::repository::ForgeKind;

/// The maximum number of items per page.
pub(super) const PAGE_SIZE: &str = "100";

/// The smallest default size of a page, GitLab's (`docs.gitlab.com/api/rest/#pagination`).
const MIN_PAGE_SIZE: usize = 20;

/// The maximum timeout of a request. The forge adds convenience only, so deployments do not wait longer for it.
const MAX_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_RETRIES: u32 = 2;

/// The settings for requests to a forge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    /// The root of the API.
    pub root: &'a Url,
    /// The token.
    pub token: &'a SecretString,
    /// The timeout of one request.
    pub timeout: Duration,
    /// The maximum number of retries.
    pub retries: u32,
    /// The maximum wait for the end of a rate limit.
    pub max_wait: MaxWait,
    /// Stops retries after a signal.
    pub cancel: &'a Cancel,
}

/// A client of one repository on a forge.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) kind: ForgeKind,
    http: Http,
    pub(super) root: Url,
    /// The path of the repository below the root.
    repository: Vec<String>,
    pub(super) token: SecretString,
    retry: Retry,
    pub(super) circuit: Circuit,
    default_branch: Arc<OnceCell<String>>,
    pub(super) budget: Budget,
}

/// The query of a URL.
pub(super) type Query<'a> = [(&'a str, &'a str)];

impl Client {
    pub(super) fn new(
        kind: ForgeKind,
        repository: &[&str],
        access: &Access<'_>,
    ) -> Result<Self, RequestError> {
        let Access { root, token, timeout, retries, max_wait, cancel } = *access;
        let retry = Retry {
            max_retries: retries.min(MAX_RETRIES),
            first_delay: FIRST_DELAY,
            max_wait: max_wait.duration(),
            max_wait_for_limits: None,
            cancel: Some(cancel.clone()),
        };
        let api = match kind {
            ForgeKind::GitHub => ApiKind::GitHub,
            ForgeKind::GitLab => ApiKind::GitLab,
        };
        let http = Http::new(api, root, timeout.min(MAX_TIMEOUT), Redirects::SameOrigin)?;
        let repository = repository.iter().map(|&segment| segment.to_owned()).collect();
        let (circuit, default_branch, budget) = <_>::default();
        let (root, token) = (root.clone(), token.clone());
        Ok(Self { kind, http, root, repository, token, retry, circuit, default_branch, budget })
    }

    /// Returns the state of a branch. `folder` is the path of branches below the repository.
    pub(super) async fn branch_state(&self, folder: &[&str], name: &str) -> Result<RefState, ForgeError> {
        let response = self.get(&[folder, &[name]].concat(), &[], Permission::ReadContents).await;
        match response.and_then(|response| Ok(response.json::<BranchResponse>()?)) {
            // The forge redirects from a renamed branch to the new name.
            Ok(branch) if branch.name == name => Ok(RefState::Open { tip: branch.commit.sha }),
            Ok(_) => Ok(RefState::Closed),
            // Many proxies reject paths with `%2F`. The address of the default branch has none, so the check below would not
            // detect them.
            Err(ForgeError::Request(RequestError::NotFound(response))) if !response.is_from_api() => {
                Err(RequestError::Unexpected(response).into())
            }
            Err(ForgeError::Request(RequestError::NotFound(_))) => {
                self.check_branch_access(folder).await.map(|()| RefState::Closed)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the default branch to check that the token can read branches. Without access, forges report a branch as not found.
    pub(super) async fn check_branch_access(&self, folder: &[&str]) -> Result<(), ForgeError> {
        let default_branch = self.default_branch.get_or_try_init(async || {
            let repository: RepositoryResponse =
                self.get(&[], &[], Permission::ReadContents).await?.json()?;
            Ok::<_, ForgeError>(repository.default_branch)
        });
        let path = [folder, &[default_branch.await?.as_str()]].concat();
        self.get(&path, &[], Permission::ReadContents).await.map(drop)
    }

    /// Returns the names of all branches.
    pub(super) async fn branches(&self, folder: &[&str]) -> Result<HashSet<String>, ForgeError> {
        let name = |branch: BranchResponse| Some(branch.name);
        Ok(self.complete_list(folder, &[], Permission::ReadContents, name).await?.into_iter().collect())
    }

    /// Returns the client with its own circuit breaker: failures of one client do not stop the other.
    #[must_use]
    pub(super) fn own_circuit_breaker(&self) -> Self {
        Self { circuit: Circuit::default(), ..self.clone() }
    }

    /// Returns the client with the long maximum wait for rate limits.
    #[must_use]
    pub(super) fn with_long_wait(&self) -> Self {
        let retry = Retry { max_wait: MaxWait::Long.duration(), ..self.retry.clone() };
        Self { retry, ..self.clone() }
    }

    /// Returns the client without retries and with another timeout.
    #[must_use]
    pub(super) fn single_attempt(&self, timeout: Duration) -> Self {
        let retry = Retry { max_retries: 0, ..self.retry.clone() };
        Self { http: self.http.with_timeout(timeout), retry, ..self.clone() }
    }

    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let url = self.url(path, query);
        self.unless_circuit_open(|| self.send(Method::GET, url.clone(), None, permission)).await
    }

    /// Reads something outside of the repository.
    pub(super) async fn get_from_root(
        &self,
        path: &[&str],
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let mut url = self.root.clone();
        push_segments(&mut url, path);
        self.unless_circuit_open(|| self.send(Method::GET, url.clone(), None, permission)).await
    }

    /// Sends a change that is safe to repeat. Ignores the circuit breaker, so that changes in progress are completed.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let url = self.url(path, &[]);
        self.retry.run(|| self.send(method.clone(), url.clone(), body, permission)).await
    }

    /// Creates an object. Retries only if the request had no effect, since each success creates another object.
    pub(super) async fn create(
        &self,
        path: &[&str],
        body: &Value,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        self.check_circuit()?;
        let url = self.url(path, &[]);
        let request = || self.send(Method::POST, url.clone(), Some(body), permission);
        self.retry.run_if(ForgeError::is_safe_to_resend, request).await
    }

    /// Runs a request unless the circuit is open, and opens it after a failure that concerns all requests. A deployment would
    /// otherwise wait for each request again.
    async fn unless_circuit_open<F: Future<Output = Result<Response, ForgeError>>>(
        &self,
        request: impl FnMut() -> F,
    ) -> Result<Response, ForgeError> {
        self.check_circuit()?;
        let response = self.retry.run(request).await;
        if let Err(error) = &response
            && error.opens_circuit()
        {
            self.circuit.open(error);
        }
        response
    }

    fn check_circuit(&self) -> Result<(), ForgeError> {
        match self.circuit.failure() {
            Some(failure) => Err(ForgeError::CircuitOpen(failure)),
            None => Ok(()),
        }
    }

    /// Reads a list, and returns the values of `keep` for its items. Without a `Link` header, a short page is the last one.
    pub(super) async fn list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.pages(path, query, permission, MIN_PAGE_SIZE, keep).await
    }

    /// Reads a list like [`list`](Self::list), for decisions about deletions. Without a `Link` header, only an empty page is the
    /// last one, since a server may have unusually short pages.
    pub(super) async fn complete_list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.pages(path, query, permission, 1, keep).await
    }

    /// Reads all pages of a list. Without a `Link` header, a page with fewer than `full` items is the last one.
    async fn pages<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        full: usize,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        pages(self.http.api(), (1, None), keep, async |(number, previous): (u32, Option<u64>)| {
            let page = number.to_string();
            let query = [query, &[("per_page", PAGE_SIZE), ("page", page.as_str())][..]].concat();
            let url = self.url(path, &query);
            let request = || self.with_token(self.http.request(Method::GET, url.clone()));
            let response =
                self.unless_circuit_open(|| self.send_request(MAX_PAGE, request(), permission)).await?;
            // A server without pages sends the same list again.
            let hash = Some(hash(&response.body));
            if hash == previous {
                return Ok((Vec::new(), None));
            }
            let items: Vec<T> = response.json()?;
            let next = has_next_page(&response, items.len() >= full).then_some((number + 1, hash));
            Ok((items, next))
        })
        .await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        if method != Method::GET {
            self.budget.count_write();
        }
        let request = self.with_token(self.http.request(method, url));
        let request = match body {
            Some(body) => {
                request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string())
            }
            None => request,
        };
        self.send_request(MAX_RESPONSE, request, permission).await
    }

    async fn send_request(
        &self,
        limit: usize,
        request: RequestBuilder,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let response = self.http.send(limit, request).await?;
        self.budget.update(&response.headers);
        if response.status.is_success() {
            Ok(response)
        } else {
            Err(ForgeError::from_response(self.kind, &response, permission))
        }
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        let token = self.token.expose_secret();
        match self.kind {
            ForgeKind::GitHub => request
                .bearer_auth(token)
                .header(ACCEPT, "application/vnd.github+json")
                .header("X-GitHub-Api-Version", "2022-11-28"),
            ForgeKind::GitLab => request.header("PRIVATE-TOKEN", token),
        }
    }

    fn url(&self, path: &[&str], query: &Query<'_>) -> Url {
        let mut url = self.root.clone();
        for segment in self.repository.iter().map(String::as_str).chain(path.iter().copied()) {
            push_segments(&mut url, &[segment]);
        }
        if self.kind == ForgeKind::GitLab {
            // Some servers read `+` in a path as a space and would report a branch with a `+` as not found.
            let path = url.path().replace('+', "%2B");
            url.set_path(&path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

fn hash(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    hasher.finish()
}

/// Returns true if another page follows, from the `Link` header. A proxy may have removed the header: then a page that may be
/// full has a successor. Page numbers start at 1.
fn has_next_page(response: &Response, may_be_full: bool) -> bool {
    let mut links = response.headers.get_all(LINK).iter().filter_map(|links| links.to_str().ok()).peekable();
    if links.peek().is_none() {
        return may_be_full;
    }
    links.flat_map(|links| links.split(',')).any(|link| link.contains("rel=\"next\""))
}

#[cfg(test)]
mod tests;
