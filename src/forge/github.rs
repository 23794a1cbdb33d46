//! GitHub's REST API, which GitHub Enterprise, Gitea and Forgejo implement as well.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::budget::{Cost, Reservation};
use super::client::{Access, Client, PAGE_SIZE};
use super::models::PullRequestResponse;
use super::{ForgeError, Permission, RefState};
use crate::http::RequestError;
use crate::repository::{Branch, ForgeKind};

/// The path of branches below the repository.
const BRANCHES: [&str; 1] = ["branches"];

/// A client of one repository on GitHub.
#[derive(Clone, Debug)]
pub(crate) struct GitHub {
    pub(super) client: Client,
    owner: String,
    /// The owner and name.
    repository: String,
    /// The login of the token's user, after the first request for it.
    pub(super) login: Arc<OnceCell<Option<String>>>,
}

impl GitHub {
    /// Creates a client of the repository `owner/name`. Returns `None` for a name without a slash.
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
            (None, None) => self.client.branch_state(&BRANCHES, branch.as_str()).await,
            (None, Some(_)) => match self.open_from(branch).await?.into_iter().next() {
                Some(open) => Ok(RefState::Open { tip: open.head.sha }),
                None => self.client.check_branch_access(&BRANCHES).await.map(|()| RefState::Closed),
            },
        }
    }

    /// Lists the branches.
    pub(super) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        self.client.branches(&BRANCHES).await
    }

    /// Lists the open pull requests.
    pub(super) async fn open_pull_requests(&self) -> Result<Vec<PullRequestResponse>, ForgeError> {
        let query = [("state", "open")];
        self.client.complete_list(&["pulls"], &query, Permission::ReadPullRequests, Some).await
    }

    /// Returns true if one of the pull requests has a number or, without a number, comes from a branch.
    pub(super) fn has_open(
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

    pub(super) async fn pull_requests(
        &self,
        branch: &Branch,
        open_only: bool,
    ) -> Result<Vec<u64>, ForgeError> {
        let found = if open_only { self.open_from(branch).await? } else { self.newest_from(branch).await? };
        Ok(found.iter().map(|pull_request| pull_request.number).collect())
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
    async fn open_from(&self, branch: &Branch) -> Result<Vec<PullRequestResponse>, ForgeError> {
        let head = self.head(branch);
        let query = [("state", "open"), ("head", &*head)];
        let is_from = |pull_request| self.is_from(&pull_request, branch).then_some(pull_request);
        let found =
            self.client.complete_list(&["pulls"], &query, Permission::ReadPullRequests, is_from).await?;
        if !found.is_empty() || branch.split_fork().is_none() {
            return Ok(found);
        }
        // GitHub does not document the filter for forks that were deleted or renamed.
        let all = self.open_pull_requests().await?;
        Ok(self.of_branch(all, branch))
    }

    /// Lists the newest pull requests from a branch in any state. Reads one page, since forges without the filter list all.
    async fn newest_from(&self, branch: &Branch) -> Result<Vec<PullRequestResponse>, ForgeError> {
        let head = self.head(branch);
        let query = [("state", "all"), ("head", &*head), ("per_page", PAGE_SIZE)];
        let page = self.client.get(&["pulls"], &query, Permission::ReadPullRequests).await?.json()?;
        Ok(self.of_branch(page, branch))
    }

    /// Returns the value of GitHub's filter `head`. Gitea and Forgejo ignore the filter.
    fn head(&self, branch: &Branch) -> String {
        let (owner, name) = branch.split_fork().unwrap_or((&self.owner, branch.as_str()));
        format!("{owner}:{name}")
    }

    fn of_branch(&self, mut found: Vec<PullRequestResponse>, branch: &Branch) -> Vec<PullRequestResponse> {
        found.retain(|pull_request| self.is_from(pull_request, branch));
        found
    }

    /// Returns true if a pull request comes from a branch of this repository, or of the fork in the name of the branch.
    fn is_from(&self, PullRequestResponse { head, .. }: &PullRequestResponse, branch: &Branch) -> bool {
        let (owner, name) = branch.split_fork().unwrap_or(("", branch.as_str()));
        let is_same_repository = match (branch.split_fork(), &head.repo) {
            (None, repository) => repository
                .as_ref()
                .is_some_and(|repository| repository.full_name.eq_ignore_ascii_case(&self.repository)),
            (Some(_), Some(repository)) => repository
                .full_name
                .split_once('/')
                .is_some_and(|(other, _)| other.eq_ignore_ascii_case(owner)),
            // The fork was deleted. Without an owner, it may have been the same one.
            (Some(_), None) => head.owner().is_none_or(|other| other.eq_ignore_ascii_case(owner)),
        };
        head.reference == name && is_same_repository
    }

    /// Returns the failure that opened the circuit: the client sends no more requests.
    pub(crate) fn circuit_open(&self) -> Option<String> {
        self.client.circuit.failure()
    }

    /// Returns the client with its own circuit breaker.
    #[must_use]
    pub(crate) fn own_circuit_breaker(&self) -> Self {
        Self { client: self.client.own_circuit_breaker(), ..self.clone() }
    }

    /// Returns the client with the long maximum wait for rate limits.
    #[must_use]
    pub(crate) fn with_long_wait(&self) -> Self {
        Self { client: self.client.with_long_wait(), ..self.clone() }
    }

    /// Reserves requests for a deployment. Returns `None` near a rate limit, since other requests are more important.
    pub(crate) fn reserve(&self, cost: Cost) -> Option<Reservation> {
        self.client.budget.reserve(cost)
    }

    /// Returns the client without retries and with another timeout.
    #[must_use]
    pub(crate) fn single_attempt(&self, timeout: Duration) -> Self {
        Self { client: self.client.single_attempt(timeout), ..self.clone() }
    }
}
