//! What the clients of all forges share: one repository, its token, and requests that are tried again or given up.

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

use super::answer::{Branch as BranchAnswer, Repository};
use super::budget::Budget;
use super::circuit::Circuit;
use super::{ForgeError, Patience, Permission, Standing};
use crate::cancel::Cancel;
use crate::ci::ForgeKind;
use crate::http::{Answer, FIRST_PAUSE, Http, MAX_ANSWER, MAX_PAGE, Redirects, Retry, TransportError, push};

/// The largest number of items that a page may have.
pub(super) const PAGE: &str = "100";

/// GitLab's pages have 20 items unless asked otherwise, other forges' more (`docs.gitlab.com/api/rest/#pagination`).
const SHORTEST_FULL_PAGE: usize = 20;

/// More pages than this are a server that does not stop.
const MOST_PAGES: usize = 1000;

/// What the forge is asked for is no more than convenience: no deployment waits longer for an answer of it.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10);
const MOST_RETRIES: u32 = 2;

/// How a forge is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    /// The root of its API.
    pub root: &'a Url,
    /// What it accepts.
    pub token: &'a SecretString,
    /// For one request.
    pub timeout: Duration,
    /// Further tries.
    pub retries: u32,
    /// How long a rate limit is waited for.
    pub patience: Patience,
    /// After a signal nothing is tried again.
    pub cancel: &'a Cancel,
}

/// A client of one repository on a forge.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) kind: ForgeKind,
    http: Http,
    pub(super) root: Url,
    /// Where the repository is below the root.
    repository: Vec<String>,
    pub(super) token: SecretString,
    retry: Retry,
    pub(super) circuit: Circuit,
    default_branch: Arc<OnceCell<String>>,
    pub(super) budget: Budget,
}

/// What follows the path.
pub(super) type Query<'a> = [(&'a str, &'a str)];

impl Client {
    pub(super) fn new(
        kind: ForgeKind,
        repository: &[&str],
        access: &Access<'_>,
    ) -> Result<Self, TransportError> {
        let Access { root, token, timeout, retries, patience, cancel } = *access;
        let (times, cancel) = (retries.min(MOST_RETRIES), Some(cancel.clone()));
        let patience = patience.longest_wait();
        let retry = Retry { times, pause: FIRST_PAUSE, patience, patience_with_limits: patience, cancel };
        let http = Http::new(root, timeout.min(LONGEST_TIMEOUT), Redirects::SameOrigin)?;
        let repository = repository.iter().map(|&segment| segment.to_owned()).collect();
        let (circuit, default_branch, budget) = <_>::default();
        let (root, token) = (root.clone(), token.clone());
        Ok(Self { kind, http, root, repository, token, retry, circuit, default_branch, budget })
    }

    /// Where a branch stands. `folder` is where branches are below the repository.
    pub(super) async fn standing_of_branch(
        &self,
        folder: &[&str],
        name: &str,
    ) -> Result<Standing, ForgeError> {
        let answer = self.get(&[folder, &[name]].concat(), &[], Permission::ReadContents).await;
        match answer.and_then(|answer| self.parse::<BranchAnswer>(&answer)) {
            // A renamed branch is answered for under its new name.
            Ok(branch) if branch.name == name => Ok(Standing::Open { tip: branch.commit.sha }),
            Ok(_) => Ok(Standing::Gone),
            // Many a proxy answers so itself to every `%2F`, of which the default branch's address has none.
            Err(ForgeError::NotFound(said)) if !said.is_forges() => Err(ForgeError::Unexpected(said)),
            Err(ForgeError::NotFound(_)) => self.sees_branches(folder).await.map(|()| Standing::Gone),
            Err(error) => Err(error),
        }
    }

    /// Returns an error unless the token can see branches: a forge says of what a token cannot see that it is not there.
    pub(super) async fn sees_branches(&self, folder: &[&str]) -> Result<(), ForgeError> {
        let default_branch = self.default_branch.get_or_try_init(async || {
            let answer = self.get(&[], &[], Permission::ReadContents).await?;
            self.parse(&answer).map(|Repository { default_branch }| default_branch)
        });
        let path = [folder, &[default_branch.await?.as_str()]].concat();
        self.get(&path, &[], Permission::ReadContents).await.map(drop)
    }

    /// Returns the names of all branches.
    pub(super) async fn branches(&self, folder: &[&str]) -> Result<HashSet<String>, ForgeError> {
        let name = |branch: BranchAnswer| Some(branch.name);
        Ok(self.whole_list(folder, &[], Permission::ReadContents, name).await?.into_iter().collect())
    }

    /// The same client, whose failures are its own: where one may fail, the other need not be given up.
    #[must_use]
    pub(super) fn apart(&self) -> Self {
        Self { circuit: Circuit::default(), ..self.clone() }
    }

    /// The same client, which waits for a rate limit as long as the forge asks, within reason.
    #[must_use]
    pub(super) fn patient(&self) -> Self {
        let patience = Patience::Long.longest_wait();
        let retry = Retry { patience, patience_with_limits: patience, ..self.retry.clone() };
        Self { retry, ..self.clone() }
    }

    /// The same client, which is asked once, and not for long: for what is said at the end of a cancelled run.
    #[must_use]
    pub(super) fn hurried(&self, timeout: Duration) -> Self {
        let retry = Retry { times: 0, ..self.retry.clone() };
        Self { http: self.http.within(timeout), retry, ..self.clone() }
    }

    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        let url = self.url(path, query);
        self.unless_given_up(|| self.send(Method::GET, url.clone(), None, permission)).await
    }

    /// Asks for something outside of the repository.
    pub(super) async fn get_other(
        &self,
        path: &[&str],
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        let mut url = self.root.clone();
        push(&mut url, path);
        self.unless_given_up(|| self.send(Method::GET, url.clone(), None, permission)).await
    }

    /// Changes what is there, which can be repeated, and is tried whatever came before: what was begun is to be ended.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        let url = self.url(path, &[]);
        self.retry.run(|| self.send(method.clone(), url.clone(), body, permission)).await
    }

    /// Makes something anew, which must not be repeated unless it certainly did not happen.
    pub(super) async fn make(
        &self,
        path: &[&str],
        body: &Value,
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        let url = self.url(path, &[]);
        if let Some(why) = self.circuit.why_open() {
            return Err(ForgeError::GivenUp(why));
        }
        let request = || self.send(Method::POST, url.clone(), Some(body), permission);
        self.retry.run_while(ForgeError::is_worth_making_again, request).await
    }

    /// Asks nothing any more once the forge has failed to answer: a deployment would wait for each question anew.
    async fn unless_given_up<F: Future<Output = Result<Answer, ForgeError>>>(
        &self,
        request: impl FnMut() -> F,
    ) -> Result<Answer, ForgeError> {
        if let Some(why) = self.circuit.why_open() {
            return Err(ForgeError::GivenUp(why));
        }
        let answer = self.retry.run(request).await;
        if let Err(error) = &answer
            && error.is_final()
        {
            self.circuit.open(error);
        }
        answer
    }

    /// Returns what `keep` makes of the items of a list. Without a `Link` header, a short page is the last one.
    pub(super) async fn list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.pages(path, query, permission, SHORTEST_FULL_PAGE, keep).await
    }

    /// Returns what `keep` makes of the items of a list that decides deletions. Without a `Link` header, nothing but an
    /// empty page is the last one: a server may have shorter pages than any that is known.
    pub(super) async fn whole_list<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        self.pages(path, query, permission, 1, keep).await
    }

    /// Reads a list page by page. Each is dropped once `keep` has seen its items. Without a `Link` header, a page of fewer
    /// items than `full` is the last one.
    async fn pages<T: DeserializeOwned, U>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
        full: usize,
        mut keep: impl FnMut(T) -> Option<U>,
    ) -> Result<Vec<U>, ForgeError> {
        let mut items = Vec::new();
        let mut previous = None;
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let query: Vec<_> =
                query.iter().copied().chain([("per_page", PAGE), ("page", page.as_str())]).collect();
            let answer = self.get_page(path, &query, permission).await?;
            // A server that does not know pages gives the same one again.
            let hash = hash(&answer.body);
            if previous.replace(hash) == Some(hash) {
                return Ok(items);
            }
            let found: Vec<T> = self.parse(&answer)?;
            let is_last = !has_next_page(&answer, found.len() >= full);
            items.extend(found.into_iter().filter_map(&mut keep));
            if is_last {
                return Ok(items);
            }
        }
        Err(ForgeError::EndlessList(self.kind, MOST_PAGES))
    }

    async fn get_page(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        let url = self.url(path, query);
        let request = || self.with_token(self.http.request(Method::GET, url.clone()));
        self.unless_given_up(|| self.send_up_to(MAX_PAGE, request(), permission)).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        if method != Method::GET {
            self.budget.write();
        }
        let request = self.with_token(self.http.request(method, url));
        let request = match body {
            Some(body) => {
                request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string())
            }
            None => request,
        };
        self.send_up_to(MAX_ANSWER, request, permission).await
    }

    async fn send_up_to(
        &self,
        limit: usize,
        request: RequestBuilder,
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        let sent = self.http.send_up_to(limit, request).await;
        let answer = sent.map_err(|error| ForgeError::Transport(self.kind, error))?;
        self.budget.read(&answer.headers);
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(ForgeError::of(self.kind, &answer, permission))
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

    pub(super) fn parse<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, ForgeError> {
        let (kind, status) = (self.kind, answer.status.as_u16());
        answer.json().map_err(|source| ForgeError::NotJson { kind, status, source })
    }

    fn url(&self, path: &[&str], query: &Query<'_>) -> Url {
        let mut url = self.root.clone();
        for segment in self.repository.iter().map(String::as_str).chain(path.iter().copied()) {
            push(&mut url, &[segment]);
        }
        if self.kind == ForgeKind::GitLab {
            // In a path it is nothing but itself, but some take it for a blank, and a branch would seem to be gone.
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

/// Returns whether another page follows. Pages are numbered from 1, in the order in which the `Link` header names them. A
/// proxy may have removed the header: then a page that may be full is not taken for the last one.
fn has_next_page(answer: &Answer, may_be_full: bool) -> bool {
    let mut links = answer.headers.get_all(LINK).iter().filter_map(|links| links.to_str().ok()).peekable();
    if links.peek().is_none() {
        return may_be_full;
    }
    links.flat_map(|links| links.split(',')).any(|link| link.contains("rel=\"next\""))
}

#[cfg(test)]
mod tests;
