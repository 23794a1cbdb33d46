//! GitHub's REST API, which GitHub Enterprise, Gitea and Forgejo speak, too.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::answer::PullRequest;
use super::budget::{Cost, Reservation};
use super::client::{Access, Client, PAGE};
use super::{ForgeError, Permission, Standing};
use crate::ci::ForgeKind;
use crate::http::TransportError;
use crate::preview::Branch;

/// The place of branches below the repository.
const BRANCHES: [&str; 1] = ["branches"];

/// A client of one repository on GitHub.
#[derive(Clone, Debug)]
pub(crate) struct GitHub {
    pub(super) client: Client,
    owner: String,
    /// Its owner and name.
    repository: String,
    /// The login of the token, once it was asked for.
    pub(super) login: Arc<OnceCell<Option<String>>>,
}

impl GitHub {
    /// A client of the repository `owner/name`. `None` when that is no repository's name.
    ///
    /// # Errors
    /// When the system has no usable certificate store.
    pub(crate) fn new(repository: &str, access: &Access<'_>) -> Result<Option<Self>, TransportError> {
        let Some((owner, name)) = repository.split_once('/') else { return Ok(None) };
        let client = Client::new(ForgeKind::GitHub, &["repos", owner, name], access)?;
        let (owner, login) = (owner.to_owned(), Arc::default());
        Ok(Some(Self { client, owner, repository: repository.to_owned(), login }))
    }

    /// Where a branch stands, or the pull request where one is named. A fork's branch is open while a pull request
    /// from it is: nothing else of it concerns this repository.
    ///
    /// # Errors
    /// Whatever the forge or the network says. That the token can't see the repository is an error, never `Gone`.
    pub(super) async fn standing(
        &self,
        branch: &Branch,
        pull_request: Option<u64>,
    ) -> Result<Standing, ForgeError> {
        match (pull_request, branch.of_which_fork()) {
            (Some(number), _) => self.standing_of_pull_request(number).await,
            (None, None) => self.client.standing_of_branch(&BRANCHES, branch.as_str()).await,
            (None, Some(_)) => match self.open_from(branch).await?.into_iter().next() {
                Some(open) => Ok(Standing::Open { tip: open.head.sha }),
                None => self.client.sees_branches(&BRANCHES).await.map(|()| Standing::Gone),
            },
        }
    }

    /// Lists the branches.
    pub(super) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        self.client.branches(&BRANCHES).await
    }

    /// Lists the open pull requests.
    pub(super) async fn open_pull_requests(&self) -> Result<Vec<PullRequest>, ForgeError> {
        self.client.whole_list(&["pulls"], &[("state", "open")], Permission::ReadPullRequests, Some).await
    }

    /// Returns whether one of the pull requests has a number or, without a number, comes from a branch.
    pub(super) fn has_open(&self, open: &[PullRequest], branch: &Branch, number: Option<u64>) -> bool {
        open.iter().any(|pull_request| match number {
            Some(number) => pull_request.number == number,
            None => self.is_from(pull_request, branch),
        })
    }

    /// The numbers of the pull requests from a branch, newest first: all open ones, or the newest whether open or not.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(super) async fn pull_requests(
        &self,
        branch: &Branch,
        open_only: bool,
    ) -> Result<Vec<u64>, ForgeError> {
        let found = if open_only { self.open_from(branch).await? } else { self.newest_from(branch).await? };
        Ok(found.iter().map(|pull_request| pull_request.number).collect())
    }

    async fn standing_of_pull_request(&self, number: u64) -> Result<Standing, ForgeError> {
        let path = ["pulls", &number.to_string()];
        let answer = self.client.get(&path, &[], Permission::ReadPullRequests).await?;
        let pull_request: PullRequest = self.client.parse(&answer)?;
        Ok(match pull_request.state.as_str() {
            "open" => Standing::Open { tip: pull_request.head.sha },
            _ => Standing::Gone,
        })
    }

    /// The open pull requests from a branch.
    async fn open_from(&self, branch: &Branch) -> Result<Vec<PullRequest>, ForgeError> {
        let head = self.head(branch);
        let query = [("state", "open"), ("head", &*head)];
        let is_from = |pull_request| self.is_from(&pull_request, branch).then_some(pull_request);
        let found = self.client.whole_list(&["pulls"], &query, Permission::ReadPullRequests, is_from).await?;
        if !found.is_empty() || branch.of_which_fork().is_none() {
            return Ok(found);
        }
        // Whether the filter finds what comes of a fork that was deleted or renamed is nowhere promised.
        let all = self.open_pull_requests().await?;
        Ok(self.of_branch(all, branch))
    }

    /// The newest pull requests from a branch, whether open or not. Closed ones are many where the forge does not filter.
    async fn newest_from(&self, branch: &Branch) -> Result<Vec<PullRequest>, ForgeError> {
        let head = self.head(branch);
        let query = [("state", "all"), ("head", &*head), ("per_page", PAGE)];
        let page =
            self.client.parse(&self.client.get(&["pulls"], &query, Permission::ReadPullRequests).await?)?;
        Ok(self.of_branch(page, branch))
    }

    /// A branch as GitHub's own filter takes it, which others do not have.
    fn head(&self, branch: &Branch) -> String {
        let (owner, name) = branch.of_which_fork().unwrap_or((&self.owner, branch.as_str()));
        format!("{owner}:{name}")
    }

    fn of_branch(&self, mut found: Vec<PullRequest>, branch: &Branch) -> Vec<PullRequest> {
        found.retain(|pull_request| self.is_from(pull_request, branch));
        found
    }

    /// Returns whether a pull request comes from a branch of this repository or of the fork that the branch names.
    fn is_from(&self, PullRequest { head, .. }: &PullRequest, branch: &Branch) -> bool {
        let (owner, name) = branch.of_which_fork().unwrap_or(("", branch.as_str()));
        let is_from_there = match (branch.of_which_fork(), &head.repo) {
            (None, repository) => repository
                .as_ref()
                .is_some_and(|repository| repository.full_name.eq_ignore_ascii_case(&self.repository)),
            (Some(_), Some(repository)) => {
                repository.full_name.split_once('/').is_some_and(|(of, _)| of.eq_ignore_ascii_case(owner))
            }
            // Whose the fork was; where nobody says, it may have been this one.
            (Some(_), None) => head.owner().is_none_or(|of| of.eq_ignore_ascii_case(owner)),
        };
        head.reference == name && is_from_there
    }

    /// Why it is not asked any more, if it was given up.
    pub(crate) fn why_given_up(&self) -> Option<String> {
        self.client.circuit.why_open()
    }

    /// The same client, whose failures are its own.
    #[must_use]
    pub(crate) fn apart(&self) -> Self {
        Self { client: self.client.apart(), ..self.clone() }
    }

    /// The same client, which waits for a rate limit as long as the forge asks, within reason.
    #[must_use]
    pub(crate) fn patient(&self) -> Self {
        Self { client: self.client.patient(), ..self.clone() }
    }

    /// Reserves requests for a deployment; `None` near a rate limit, which other requests need more.
    pub(crate) fn reserve(&self, cost: Cost) -> Option<Reservation> {
        self.client.budget.reserve(cost)
    }

    /// The same client, which is asked once, and not for long.
    #[must_use]
    pub(crate) fn hurried(&self, timeout: Duration) -> Self {
        Self { client: self.client.hurried(timeout), ..self.clone() }
    }
}
