//! GitHub's REST API, which GitHub Enterprise, Gitea and Forgejo speak, too.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, LINK};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;
use url::Url;

use super::answer::{Branch as BranchAnswer, PullRequest, Repository};
use super::{ForgeError, Patience, Permission, Standing};
use crate::cancel::Cancel;
use crate::http::{Answer, Http, Redirects, Retry, TransportError, push};
use crate::preview::Branch;

/// The largest number of items that a page may have.
const PAGE: &str = "100";

/// More pages than this are a server that does not stop.
const MOST_PAGES: usize = 1000;

/// What the forge is asked for is no more than convenience: no deployment waits longer for an answer of it.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10);
const MOST_RETRIES: u32 = 2;

/// A client of one repository on the forge.
#[derive(Clone, Debug)]
pub(crate) struct GitHub {
    http: Http,
    pub(super) root: Url,
    /// Its owner and name.
    repository: (String, String),
    pub(super) token: SecretString,
    retry: Retry,
    /// Why it is not asked any more.
    given_up: Arc<OnceLock<String>>,
    has_seen_branches: Arc<AtomicBool>,
    /// The login of the token, once it was asked for.
    pub(super) login: Arc<OnceCell<Option<String>>>,
}

/// What follows the repository in a path, and what follows the path.
type Query<'a> = [(&'a str, &'a str)];

impl GitHub {
    /// A client for the API at `root`, of the repository `owner/name`. `None` when that is no repository's name.
    ///
    /// # Errors
    /// When the system has no usable certificate store.
    pub(crate) fn new(
        root: &Url,
        repository: &str,
        token: SecretString,
        timeout: Duration,
        retries: u32,
        patience: Patience,
        cancel: &Cancel,
    ) -> Result<Option<Self>, TransportError> {
        let Some((owner, name)) = repository.split_once('/') else { return Ok(None) };
        let (times, cancel) = (retries.min(MOST_RETRIES), Some(cancel.clone()));
        let retry = Retry { times, patience: patience.longest_wait(), cancel };
        let http = Http::new(root, timeout.min(LONGEST_TIMEOUT), Redirects::SameOrigin)?;
        let repository = (owner.to_owned(), name.to_owned());
        let (given_up, has_seen_branches, login) = <_>::default();
        let root = root.clone();
        Ok(Some(Self { http, root, repository, token, retry, given_up, has_seen_branches, login }))
    }

    /// Where a branch stands, or the pull request where one is named. A fork's branch is open while a pull request
    /// from it is: nothing else of it concerns this repository.
    ///
    /// # Errors
    /// Whatever the forge or the network says. That the token can't see the repository is an error, never `Gone`.
    pub(crate) async fn standing(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<Standing, ForgeError> {
        match (pull_request, branch.of_which_fork()) {
            (Some(number), _) => self.standing_of_pull_request(number).await,
            (None, None) => self.standing_of_branch(branch.as_str()).await,
            (None, Some(_)) => {
                let open = self.open_from(branch).await?.into_iter().next();
                Ok(open.map_or(Standing::Gone, |open| Standing::Open { tip: open.head.sha }))
            }
        }
    }

    /// The numbers of the pull requests from a branch, newest first: all open ones, or the newest whether open or not.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(crate) async fn pull_requests(
        &self,
        branch: &Branch,
        open_only: bool,
    ) -> Result<Vec<u64>, ForgeError> {
        let found = if open_only { self.open_from(branch).await? } else { self.newest_from(branch).await? };
        Ok(found.iter().map(|pull_request| pull_request.number).collect())
    }

    async fn standing_of_branch(&self, name: &str) -> Result<Standing, ForgeError> {
        let answer = self.get(&["branches", name], &[], Permission::ReadContents).await;
        match answer.and_then(|answer| parse::<BranchAnswer>(&answer)) {
            // A renamed branch is answered for under its new name.
            Ok(branch) if branch.name == name => Ok(Standing::Open { tip: branch.commit.sha }),
            Ok(_) => Ok(Standing::Gone),
            Err(ForgeError::NotFound(_)) => self.sees_branches().await.map(|()| Standing::Gone),
            Err(error) => Err(error),
        }
    }

    /// An error unless the token can see branches at all: what it can't see is said not to be there.
    async fn sees_branches(&self) -> Result<(), ForgeError> {
        if !self.has_seen_branches.load(Ordering::Relaxed) {
            let repository: Repository = parse(&self.get(&[], &[], Permission::ReadContents).await?)?;
            self.get(&["branches", &repository.default_branch], &[], Permission::ReadContents).await?;
            self.has_seen_branches.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn standing_of_pull_request(&self, number: u64) -> Result<Standing, ForgeError> {
        let path = ["pulls", &number.to_string()];
        let answer = self.get(&path, &[], Permission::ReadPullRequests).await?;
        let pull_request: PullRequest = parse(&answer)?;
        Ok(match pull_request.state.as_str() {
            "open" => Standing::Open { tip: pull_request.head.sha },
            _ => Standing::Gone,
        })
    }

    /// The open pull requests from a branch.
    async fn open_from(&self, branch: &Branch) -> Result<Vec<PullRequest>, ForgeError> {
        let head = self.head(branch);
        let query = [("state", "open"), ("head", &*head)];
        let filtered = self.pages(&["pulls"], &query, Permission::ReadPullRequests).await?;
        let found = self.of_branch(filtered, branch);
        if !found.is_empty() || branch.of_which_fork().is_none() {
            return Ok(found);
        }
        // Whether the filter finds what comes of a fork that was deleted or renamed is nowhere promised.
        let all = self.pages(&["pulls"], &[("state", "open")], Permission::ReadPullRequests).await?;
        Ok(self.of_branch(all, branch))
    }

    /// The newest pull requests from a branch, whether open or not. Closed ones are many where the forge does not filter.
    async fn newest_from(&self, branch: &Branch) -> Result<Vec<PullRequest>, ForgeError> {
        let head = self.head(branch);
        let query = [("state", "all"), ("head", &*head), ("per_page", PAGE)];
        let page = parse(&self.get(&["pulls"], &query, Permission::ReadPullRequests).await?)?;
        Ok(self.of_branch(page, branch))
    }

    /// A branch as GitHub's own filter takes it, which others do not have.
    fn head(&self, branch: &Branch) -> String {
        let (owner, name) = branch.of_which_fork().unwrap_or((&self.repository.0, branch.as_str()));
        format!("{owner}:{name}")
    }

    fn of_branch(&self, mut found: Vec<PullRequest>, branch: &Branch) -> Vec<PullRequest> {
        let (owner, name) = branch.of_which_fork().unwrap_or(("", branch.as_str()));
        let own = format!("{}/{}", self.repository.0, self.repository.1);
        found.retain(|PullRequest { head, .. }| {
            let is_from_there = match (branch.of_which_fork(), &head.repo) {
                (None, repository) => repository
                    .as_ref()
                    .is_some_and(|repository| repository.full_name.eq_ignore_ascii_case(&own)),
                (Some(_), Some(repository)) => {
                    repository.full_name.split_once('/').is_some_and(|(of, _)| of.eq_ignore_ascii_case(owner))
                }
                // Whose the fork was; where nobody says, it may have been this one.
                (Some(_), None) => head.owner().is_none_or(|of| of.eq_ignore_ascii_case(owner)),
            };
            head.reference == name && is_from_there
        });
        found
    }

    /// Why it is not asked any more, if it was given up.
    pub(crate) fn why_given_up(&self) -> Option<&str> {
        self.given_up.get().map(String::as_str)
    }

    /// The same client, whose failures are its own: where one may fail, the other need not be given up.
    #[must_use]
    pub(crate) fn apart(&self) -> Self {
        Self { given_up: Arc::default(), ..self.clone() }
    }

    /// The same client, which is asked once, and not for long: for what is said at the end of a cancelled run.
    #[must_use]
    pub(crate) fn hurried(&self, timeout: Duration) -> Self {
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
        if let Some(why) = self.given_up.get() {
            return Err(ForgeError::GivenUp(why.clone()));
        }
        let request = || self.send(Method::POST, url.clone(), Some(body), permission);
        self.retry.run_while(ForgeError::is_worth_making_again, request).await
    }

    /// Asks nothing any more once the forge has failed to answer: a deployment would wait for each question anew.
    async fn unless_given_up<F: Future<Output = Result<Answer, ForgeError>>>(
        &self,
        request: impl FnMut() -> F,
    ) -> Result<Answer, ForgeError> {
        if let Some(why) = self.given_up.get() {
            return Err(ForgeError::GivenUp(why.clone()));
        }
        let answer = self.retry.run(request).await;
        if let Err(error) = &answer
            && error.is_final()
        {
            drop(self.given_up.set(error.to_string()));
        }
        answer
    }

    /// All pages of a list.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &Query<'_>,
        permission: Permission,
    ) -> Result<Vec<T>, ForgeError> {
        let mut items = Vec::new();
        for page in 1..=MOST_PAGES {
            let page = page.to_string();
            let query: Vec<_> =
                query.iter().copied().chain([("per_page", PAGE), ("page", page.as_str())]).collect();
            let answer = self.get(path, &query, permission).await?;
            items.extend(parse::<Vec<T>>(&answer)?);
            if !has_next_page(&answer) {
                return Ok(items);
            }
        }
        Err(ForgeError::EndlessList(MOST_PAGES))
    }

    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
        permission: Permission,
    ) -> Result<Answer, ForgeError> {
        let request = self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose_secret())
            .header(ACCEPT, "application/vnd.github+json")
            .header("X-GitHub-Api-Version", "2022-11-28");
        let request = match body {
            Some(body) => {
                request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string())
            }
            None => request,
        };
        let answer = self.http.send(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(ForgeError::of(&answer, permission)) }
    }

    fn url(&self, path: &[&str], query: &Query<'_>) -> Url {
        let mut url = self.root.clone();
        push(&mut url, &["repos", &self.repository.0, &self.repository.1]);
        push(&mut url, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

pub(super) fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, ForgeError> {
    answer.json().map_err(|source| ForgeError::NotJson { status: answer.status.as_u16(), source })
}

/// The pages are numbered from 1, in the order in which the `Link` header names them.
fn has_next_page(answer: &Answer) -> bool {
    let links = answer.headers.get_all(LINK).iter().filter_map(|links| links.to_str().ok());
    links.flat_map(|links| links.split(',')).any(|link| link.contains("rel=\"next\""))
}
