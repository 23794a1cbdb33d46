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

use super::circuit_breaker::Circuit;
use super::models::{BranchResponse, RepositoryResponse};
use super::rate_limit_budget::Budget;
use super::{ForgeError, MaxWait, Permission, RefState};
use crate::cancel::Cancel;
use crate::http::{
    ApiKind, FIRST_DELAY, Http, MAX_PAGE, MAX_RESPONSE, Redirects, RequestError, Response, Retry,
    push_segments, read_all_pages,
};
use crate::repository::ForgeKind;

/// The number of items that a list request asks for per page, the maximum of all forges.
pub(super) const PAGE_SIZE: &str = "100";

/// The smallest default page size of all forges, that of GitLab (`docs.gitlab.com/api/rest/#pagination`).
const MIN_PAGE_SIZE: usize = 20;

/// The maximum timeout of a request. Publishing works without the forge, so deployments do not wait longer for it.
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
    /// The cancellation of the run. After a signal, there are no retries.
    pub cancel: &'a Cancel,
}

/// A client for one repository on a forge.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) kind: ForgeKind,
    http: Http,
    pub(super) root: Url,
    /// The URL path segments of the repository below the root.
    repository: Vec<String>,
    pub(super) token: SecretString,
    retry: Retry,
    pub(super) circuit: Circuit,
    default_branch: Arc<OnceCell<String>>,
    pub(super) budget: Budget,
}

/// The query parameters of a URL.
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

    /// Returns the state of a branch. `folder` is the URL path of the branches below the repository.
    pub(super) async fn branch_state(&self, folder: &[&str], name: &str) -> Result<RefState, ForgeError> {
        let response = self.get(&[folder, &[name]].concat(), &[], Permission::ReadContents).await;
        match response.and_then(|response| Ok(response.json::<BranchResponse>()?)) {
            // The forge redirects from a renamed branch to the branch with the new name.
            Ok(branch) if branch.name == name => Ok(RefState::Open { tip: branch.commit.sha }),
            Ok(_) => Ok(RefState::Closed),
            // Many proxies reject URLs with `%2F`, which a branch name with a slash contains. The access check below cannot detect
            // such a proxy, because the default branch mostly has no slash.
            Err(ForgeError::Request(RequestError::NotFound(response))) if !response.is_from_api() => {
                Err(RequestError::Unexpected(response).into())
            }
            Err(ForgeError::Request(RequestError::NotFound(_))) => {
                self.check_branch_access(folder).await.map(|()| RefState::Closed)
            }
            Err(error) => Err(error),
        }
    }

    /// Checks that the token can read branches, by reading the default branch. To a token without access, forges report each branch
    /// as not found.
    pub(super) async fn check_branch_access(&self, folder: &[&str]) -> Result<(), ForgeError> {
        let default_branch = self.default_branch.get_or_try_init(async || {
            let repository: RepositoryResponse =
                self.get(&[], &[], Permission::ReadContents).await?.json()?;
            Ok::<_, ForgeError>(repository.default_branch)
        });
        let path = [folder, &[default_branch.await?.as_str()]].concat();
        self.get(&path, &[], Permission::ReadContents).await.map(drop)
    }

    /// Returns the names of all branches. `folder` is the URL path of the branches below the repository.
    pub(super) async fn branches(&self, folder: &[&str]) -> Result<HashSet<String>, ForgeError> {
        let name = |branch: BranchResponse| Some(branch.name);
        Ok(self.complete_list(folder, &[], Permission::ReadContents, name).await?.into_iter().collect())
    }

    /// Returns a copy of the client with a separate circuit breaker, so that failures of one client do not stop the other.
    #[must_use]
    pub(super) fn own_circuit_breaker(&self) -> Self {
        Self { circuit: Circuit::default(), ..self.clone() }
    }

    /// Returns a copy of the client that waits for rate limits up to [`MaxWait::Long`].
    #[must_use]
    pub(super) fn with_long_wait(&self) -> Self {
        let retry = Retry { max_wait: MaxWait::Long.duration(), ..self.retry.clone() };
        Self { retry, ..self.clone() }
    }

    /// Returns a copy of the client that never retries and has another timeout.
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

    /// Reads an object outside of the repository. `path` is relative to the root of the API.
    pub(super) async fn get_from_root(
        &self,
        path: &[&str],
        permission: Permission,
    ) -> Result<Response, ForgeError> {
        let mut url = self.root.clone();
        push_segments(&mut url, path);
        self.unless_circuit_open(|| self.send(Method::GET, url.clone(), None, permission)).await
    }

    /// Sends a write request that is safe to repeat. Ignores the circuit breaker, so that operations in progress are completed.
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

    /// Sends a request that creates an object. Retries only if the failed request had no effect, since each success creates another
    /// object.
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

    /// Runs a request unless the circuit is open. Opens the circuit after a failure that all further requests would repeat, so that
    /// deployments do not wait for each of them.
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

    /// Reads a list and returns the items that `keep` selects and converts. If the server sends no `Link` header, a page with fewer
    /// than 20 items is the last one.
    pub(super) async fn list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.read_pages(path, query, permission, MIN_PAGE_SIZE, keep).await
    }

    /// Reads a list like [`list`](Self::list), but never misses an item, because missing items would lead to deletions. If the server
    /// sends no `Link` header, it reads on until an empty page.
    pub(super) async fn complete_list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.read_pages(path, query, permission, 1, keep).await
    }

    /// Reads all pages of a list. If the server sends no `Link` header, a page with fewer than `full_page` items is the last one.
    async fn read_pages<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        full_page: usize,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        read_all_pages(self.http.api(), (1, None), keep, async |(number, previous): (u32, Option<u64>)| {
            let page = number.to_string();
            let query = [query, &[("per_page", PAGE_SIZE), ("page", page.as_str())][..]].concat();
            let url = self.url(path, &query);
            let request = || self.with_token(self.http.request(Method::GET, url.clone()));
            let response =
                self.unless_circuit_open(|| self.send_request(MAX_PAGE, request(), permission)).await?;
            // A server that ignores `page` sends the same list again.
            let hash = Some(body_hash(&response.body));
            if hash == previous {
                return Ok((Vec::new(), None));
            }
            let items: Vec<T> = response.json()?;
            let next = has_next_page(&response, items.len() >= full_page).then_some((number + 1, hash));
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
            // Some servers decode `+` in a path as a space, and would not find a branch with a `+`.
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

/// Returns true if another page follows, according to the `Link` header. Returns `may_be_full` if there is no such header, for
/// example because a proxy has removed it.
fn has_next_page(response: &Response, may_be_full: bool) -> bool {
    let mut links = response.headers.get_all(LINK).iter().filter_map(|links| links.to_str().ok()).peekable();
    if links.peek().is_none() {
        return may_be_full;
    }
    links.flat_map(|links| links.split(',')).any(|link| link.contains("rel=\"next\""))
}

#[cfg(test)]
mod tests;
