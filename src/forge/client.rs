//! The HTTP client for one repository, shared by all forges: token, retries, circuit breaker and paginated lists.

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

use super::circuit_breaker::CircuitBreaker;
use super::models::{BranchResponse, RepositoryResponse};
use super::rate_limit_budget::RateLimitBudget;
use super::{ForgeError, MaxWait, Permission, RefState};
use crate::cancel::Cancel;
use crate::http::{
    ApiKind, FIRST_DELAY, Http, MAX_PAGE_BYTES, MAX_RESPONSE_BYTES, Redirects, RequestError, Response, Retry,
    push_segments, read_all_pages,
};
use crate::repository::ForgeKind;

/// The requested number of items per page of a list: the maximum on all forges.
pub(super) const PAGE_SIZE: &str = "100";

/// GitLab's default page size, which is the smallest of all forges (`docs.gitlab.com/api/rest/#pagination`).
const MIN_PAGE_SIZE: usize = 20;

/// The maximum timeout of a request. Publishing works without the forge, so a deployment does not wait longer for a response.
const MAX_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_RETRIES: u32 = 2;

/// The settings for requests to a forge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    /// The root URL of the API.
    pub root: &'a Url,
    pub token: &'a SecretString,
    /// The timeout of one request.
    pub timeout: Duration,
    /// The maximum number of retries.
    pub retries: u32,
    /// The maximum time to wait until a rate limit ends.
    pub max_wait: MaxWait,
    /// The receiver of the signal that cancels the run. After a signal, the client does not retry requests.
    pub cancel: &'a Cancel,
}

/// A client for one repository on a forge.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) kind: ForgeKind,
    http: Http,
    pub(super) root: Url,
    /// The URL path segments of the repository, relative to `root`.
    repository_path: Vec<String>,
    pub(super) token: SecretString,
    retry: Retry,
    pub(super) circuit: CircuitBreaker,
    default_branch: Arc<OnceCell<String>>,
    pub(super) budget: RateLimitBudget,
}

/// The query parameters of a URL.
pub(super) type Query<'a> = [(&'a str, &'a str)];

impl Client {
    pub(super) fn new(
        kind: ForgeKind,
        repository_path: &[&str],
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
            ForgeKind::GitHub if root.path().trim_end_matches('/').ends_with("/api/v1") => ApiKind::Gitea,
            ForgeKind::GitHub => ApiKind::GitHub,
            ForgeKind::GitLab => ApiKind::GitLab,
        };
        let http = Http::new(api, root, timeout.min(MAX_TIMEOUT), Redirects::SameOrigin)?;
        let repository_path = repository_path.iter().map(|&segment| segment.to_owned()).collect();
        let (circuit, default_branch, budget) = <_>::default();
        let (root, token) = (root.clone(), token.clone());
        Ok(Self { kind, http, root, repository_path, token, retry, circuit, default_branch, budget })
    }

    /// Returns the state of a branch. `branches_path` is the URL path of the branch list, relative to the repository.
    pub(super) async fn branch_state(
        &self,
        branches_path: &[&str],
        name: &str,
    ) -> Result<RefState, ForgeError> {
        let response = self.get(&[branches_path, &[name]].concat(), &[], Permission::ReadContents).await;
        match response.and_then(|response| Ok(response.json::<BranchResponse>()?)) {
            // After a branch was renamed, the forge redirects requests for its old name to the new name.
            Ok(branch) if branch.name == name => Ok(RefState::Open { tip: branch.commit.sha }),
            Ok(_) => Ok(RefState::Closed),
            // Many proxies reject `%2F`, the encoded slash in a branch name, with status 404. `check_branch_access` cannot detect
            // this, because the name of the default branch rarely contains a slash.
            Err(ForgeError::Request(RequestError::NotFound(response))) if !response.is_from_api() => {
                Err(RequestError::Unexpected(response).into())
            }
            Err(ForgeError::Request(RequestError::NotFound(_))) => {
                self.check_branch_access(branches_path).await.map(|()| RefState::Closed)
            }
            Err(error) => Err(error),
        }
    }

    /// Checks that the token can read branches, by reading the default branch. If the token has no access, the forge reports every
    /// branch as not found.
    pub(super) async fn check_branch_access(&self, branches_path: &[&str]) -> Result<(), ForgeError> {
        let default_branch = self.default_branch.get_or_try_init(async || {
            let repository: RepositoryResponse =
                self.get(&[], &[], Permission::ReadContents).await?.json()?;
            Ok::<_, ForgeError>(repository.default_branch)
        });
        let path = [branches_path, &[default_branch.await?.as_str()]].concat();
        self.get(&path, &[], Permission::ReadContents).await.map(drop)
    }

    /// Returns the names of all branches. `branches_path` is the URL path of the branch list, relative to the repository.
    pub(super) async fn branches(&self, branches_path: &[&str]) -> Result<HashSet<String>, ForgeError> {
        let name = |branch: BranchResponse| Some(branch.name);
        Ok(self
            .complete_list(branches_path, &[], Permission::ReadContents, name)
            .await?
            .into_iter()
            .collect())
    }

    /// Returns a copy of the client with its own circuit breaker, so that a failed request of the copy does not stop requests of the
    /// original client, and vice versa.
    #[must_use]
    pub(super) fn with_own_circuit_breaker(&self) -> Self {
        Self { circuit: CircuitBreaker::default(), ..self.clone() }
    }

    /// Returns a copy of the client that waits for rate limits up to [`MaxWait::Long`].
    #[must_use]
    pub(super) fn with_long_wait(&self) -> Self {
        let retry = Retry { max_wait: MaxWait::Long.duration(), ..self.retry.clone() };
        Self { retry, ..self.clone() }
    }

    /// Returns a copy of the client that uses `timeout` and never retries a request.
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
        self.retry_with_circuit_breaker(|| self.send(Method::GET, url.clone(), None, permission)).await
    }

    /// Reads an object outside the repository, such as a user. `path` is relative to the root of the API.
    pub(super) async fn get_from_root(
        &self,
        path: &[&str],
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let mut url = self.root.clone();
        push_segments(&mut url, path);
        self.retry_with_circuit_breaker(|| self.send(Method::GET, url.clone(), None, permission)).await
    }

    /// Sends a write request that is safe to repeat. Ignores the circuit breaker, so that an operation in progress can finish.
    pub(super) async fn send_idempotent(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let url = self.url(path, &[]);
        self.retry.run(|| self.send(method.clone(), url.clone(), body, permission)).await
    }

    /// Sends a request that creates an object. Retries only if the failed request certainly had no effect; otherwise, a retry could
    /// create a duplicate.
    pub(super) async fn create(
        &self,
        path: &[&str],
        body: &Value,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        self.check_circuit()?;
        let url = self.url(path, &[]);
        let request = || self.send(Method::POST, url.clone(), Some(body), permission);
        self.retry.retry_if(ForgeError::is_safe_to_resend, request).await
    }

    /// Sends a request unless the circuit breaker is open. Opens the circuit breaker after a failure that all further requests would
    /// repeat, so that a deployment does not wait for each of these requests.
    async fn retry_with_circuit_breaker<F: Future<Output = Result<Response, ForgeError>>>(
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

    /// Reads a list and returns the items that `keep` selects and converts. If the server sends no `Link` header, a page with fewer
    /// than 20 items counts as the last page.
    pub(super) async fn list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.read_pages(path, query, permission, MIN_PAGE_SIZE, keep).await
    }

    /// Reads a list like [`list`](Self::list), but never misses an item: callers delete previews of branches that are not on the list.
    /// If the server sends no `Link` header, reads pages until one of them is empty.
    pub(super) async fn complete_list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.read_pages(path, query, permission, 1, keep).await
    }

    /// Reads all pages of a list. If the server sends no `Link` header, a page with fewer than `min_full_page` items counts as the last
    /// page.
    async fn read_pages<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        min_full_page: usize,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        read_all_pages(self.http.api(), (1, None), keep, async |(number, last_hash): (u32, Option<u64>)| {
            let page = number.to_string();
            let query = [query, &[("per_page", PAGE_SIZE), ("page", page.as_str())][..]].concat();
            let url = self.url(path, &query);
            let request = || self.with_token(self.http.request(Method::GET, url.clone()));
            let response = self
                .retry_with_circuit_breaker(|| self.send_request(MAX_PAGE_BYTES, request(), permission))
                .await?;
            // A server that ignores the parameter `page` sends the same page again.
            let hash = Some(body_hash(&response.body));
            if hash == last_hash {
                return Ok((Vec::new(), None));
            }
            let items: Vec<T> = response.json()?;
            let next = has_next_page(&response, items.len() >= min_full_page).then_some((number + 1, hash));
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
        self.send_request(MAX_RESPONSE_BYTES, request, permission).await
    }

    async fn send_request(
        &self,
        max_bytes: usize,
        request: RequestBuilder,
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let response = self.http.send(max_bytes, request).await?;
        self.budget.update_remaining(&response.headers);
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
        for segment in self.repository_path.iter().map(String::as_str).chain(path.iter().copied()) {
            push_segments(&mut url, &[segment]);
        }
        if self.kind == ForgeKind::GitLab {
            // Some servers decode `+` in a path as a space, and would not find a branch with `+` in its name.
            let path = url.path().replace('+', "%2B");
            url.set_path(&path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

fn body_hash(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    hasher.finish()
}

/// Returns true if the `Link` header names a next page. Without this header, for example because a proxy has removed it, returns
/// true if the page is full.
fn has_next_page(response: &Response, is_full_page: bool) -> bool {
    let mut links = response.headers.get_all(LINK).iter().filter_map(|links| links.to_str().ok()).peekable();
    if links.peek().is_none() {
        return is_full_page;
    }
    links.flat_map(|links| links.split(',')).any(|link| link.contains("rel=\"next\""))
}

#[cfg(test)]
mod tests;
