//! A client for GitHub's REST API, which GitHub Enterprise, Gitea and Forgejo implement as well.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::client::{Access, Client, PAGE_SIZE};
use super::models::PullRequestResponse;
use super::rate_limit_budget::{RequestCost, Reservation};
use super::{ForgeError, Permission, RefState};
use crate::http::RequestError;
use crate::repository::{Branch, ForgeKind};

/// The URL path of the branch list, relative to the repository.
const BRANCHES_PATH: [&str; 1] = ["branches"];

/// A client for one GitHub repository.
#[derive(Clone, Debug)]
pub(crate) struct GitHub {
    pub(super) client: Client,
    owner: String,
    /// The repository as `owner/name`.
    repository: String,
    /// The login of the token's user, which the client requests on first use. It is `None` if the request failed.
    pub(super) login: Arc<OnceCell<Option<String>>>,
}

impl GitHub {
    /// Creates a client for the repository `owner/name`. Returns `None` for a name without a slash.
    ///
    /// # Errors
    /// Returns an error if the system has no usable certificate store.
    pub(crate) fn new(repository: &str, access: &Access<'_>) -> Result<Option<Self>, RequestError> {
        let Some((owner, name)) = repository.split_once('/') else { return Ok(None) };
        let client = Client::new(ForgeKind::GitHub, &["repos", owner, name], access)?;
        let (owner, login) = (owner.to_owned(), Arc::default());
        Ok(Some(Self { client, owner, repository: repository.to_owned(), login }))
    }

    pub(super) async fn ref_state(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<RefState, ForgeError> {
        match (pull_request, branch.split_fork()) {
            (Some(number), _) => self.pull_request_state(number).await,
            (None, None) => self.client.branch_state(&BRANCHES_PATH, branch.as_str()).await,
            (None, Some(_)) => match self.open_pull_requests_from(branch).await?.into_iter().next() {
                Some(open) => Ok(RefState::Open { tip: open.head.sha }),
                None => self.client.check_branch_access(&BRANCHES_PATH).await.map(|()| RefState::Closed),
            },
        }
    }

    pub(super) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        self.client.branches(&BRANCHES_PATH).await
    }

    pub(super) async fn open_pull_requests(&self) -> Result<Vec<PullRequestResponse>, ForgeError> {
        let query = [("state", "open")];
        self.client.complete_list(&["pulls"], &query, Permission::ReadPullRequests, Some).await
    }

    /// Returns true if `open` contains a pull request with this number or, if `number` is `None`, a pull request from the branch.
    pub(super) fn has_open_pull_request(
        &self,
        open: &[PullRequestResponse],
        branch: &Branch,
        number: Option<u64>,
    ) -> bool {
        open.iter().any(|pull_request| match number {
            Some(number) => pull_request.number == number,
            None => self.is_from(pull_request, branch),
        })
    }

    pub(super) async fn pull_request_numbers(
        &self,
        branch: &Branch,
        open_only: bool,
    ) -> Result<Vec<u64>, ForgeError> {
        let pull_requests = if open_only {
            self.open_pull_requests_from(branch).await?
        } else {
            self.newest_pull_requests_from(branch).await?
        };
        Ok(pull_requests.iter().map(|pull_request| pull_request.number).collect())
    }

    async fn pull_request_state(&self, number: u64) -> Result<RefState, ForgeError> {
        let path = ["pulls", &number.to_string()];
        let pull_request: PullRequestResponse =
            self.client.get(&path, &[], Permission::ReadPullRequests).await?.json()?;
        Ok(match pull_request.state.as_str() {
            "open" => RefState::Open { tip: pull_request.head.sha },
            _ => RefState::Closed,
        })
    }

    /// Lists the open pull requests from a branch.
    async fn open_pull_requests_from(&self, branch: &Branch) -> Result<Vec<PullRequestResponse>, ForgeError> {
        let head = self.head_filter(branch);
        let query = [("state", "open"), ("head", &*head)];
        let is_from = |pull_request| self.is_from(&pull_request, branch).then_some(pull_request);
        let found =
            self.client.complete_list(&["pulls"], &query, Permission::ReadPullRequests, is_from).await?;
        if !found.is_empty() || branch.split_fork().is_none() {
            return Ok(found);
        }
        // The filter `head` may miss pull requests from deleted or renamed forks. GitHub does not document these cases.
        let all = self.open_pull_requests().await?;
        Ok(self.filter_by_branch(all, branch))
    }

    /// Lists the newest pull requests from a branch in any state. Reads only one page, because Gitea and Forgejo ignore the filter
    /// `head`: their pages contain all pull requests of the repository.
    async fn newest_pull_requests_from(
        &self,
        branch: &Branch,
    ) -> Result<Vec<PullRequestResponse>, ForgeError> {
        let head = self.head_filter(branch);
        let query = [("state", "all"), ("head", &*head), ("per_page", PAGE_SIZE)];
        let page = self.client.get(&["pulls"], &query, Permission::ReadPullRequests).await?.json()?;
        Ok(self.filter_by_branch(page, branch))
    }

    /// Returns the value of the filter `head`, which selects pull requests by their branch. Gitea and Forgejo ignore this filter.
    fn head_filter(&self, branch: &Branch) -> String {
        let (owner, name) = branch.split_fork().unwrap_or((&self.owner, branch.as_str()));
        format!("{owner}:{name}")
    }

    fn filter_by_branch(
        &self,
        mut pull_requests: Vec<PullRequestResponse>,
        branch: &Branch,
    ) -> Vec<PullRequestResponse> {
        pull_requests.retain(|pull_request| self.is_from(pull_request, branch));
        pull_requests
    }

    /// Returns true if a pull request comes from the branch, which is either in this repository or in a fork.
    fn is_from(&self, PullRequestResponse { head, .. }: &PullRequestResponse, branch: &Branch) -> bool {
        let (owner, name) = branch.split_fork().unwrap_or(("", branch.as_str()));
        let is_same_repository = match (branch.split_fork(), &head.repo) {
            (None, repository) => repository
                .as_ref()
                .is_some_and(|repository| repository.full_name.eq_ignore_ascii_case(&self.repository)),
            (Some(_), Some(repository)) => repository
                .full_name
                .split_once('/')
                .is_some_and(|(head_owner, _)| head_owner.eq_ignore_ascii_case(owner)),
            // The fork was deleted. If its owner is unknown, the pull request may still come from this branch.
            (Some(_), None) => head.owner().is_none_or(|head_owner| head_owner.eq_ignore_ascii_case(owner)),
        };
        head.reference == name && is_same_repository
    }

    /// Returns the failure that opened the circuit breaker, or `None` if the client still sends requests.
    pub(crate) fn circuit_failure(&self) -> Option<String> {
        self.client.circuit.failure()
    }

    /// Returns a copy of the client with its own circuit breaker.
    #[must_use]
    pub(crate) fn with_own_circuit_breaker(&self) -> Self {
        Self { client: self.client.with_own_circuit_breaker(), ..self.clone() }
    }

    /// Returns a copy of the client that waits for rate limits up to [`MaxWait::Long`](super::MaxWait::Long).
    #[must_use]
    pub(crate) fn with_long_wait(&self) -> Self {
        Self { client: self.client.with_long_wait(), ..self.clone() }
    }

    /// Reserves requests for a deployment record. Returns `None` if a rate limit is nearly reached, because the comment and branch
    /// checks need the remaining requests.
    pub(crate) fn reserve(&self, cost: RequestCost) -> Option<Reservation> {
        self.client.budget.reserve(cost)
    }

    /// Returns a copy of the client that uses `timeout` and never retries a request.
    #[must_use]
    pub(crate) fn single_attempt(&self, timeout: Duration) -> Self {
        Self { client: self.client.single_attempt(timeout), ..self.clone() }
    }
}
