//! A client for GitLab's REST API: the branches, merge requests and notes of one project.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::client::{Access, Client, PAGE_SIZE};
use super::models::{GitLabUser, MergeRequest, Note, Project};
use super::{ForgeError, Permission, RefState};
use crate::http::RequestError;
use crate::repository::{Branch, ForgeKind, UNKNOWN_OWNER};

/// The URL path of the branch list, relative to the project.
const BRANCHES_PATH: [&str; 2] = ["repository", "branches"];

/// A client for one GitLab project.
#[derive(Clone, Debug)]
pub(crate) struct GitLab {
    pub(super) client: Client,
    /// The ID of the token's user, which the client requests on first use.
    user: Arc<OnceCell<u64>>,
}

impl GitLab {
    /// Creates a client for a project, identified by its number or, if `number` is `None`, by its path. Returns `None` if the number is
    /// unknown and the path has no slash.
    ///
    /// # Errors
    /// Returns an error if the system has no usable certificate store.
    pub(crate) fn new(
        number: Option<u64>,
        path: &str,
        access: &Access<'_>,
    ) -> Result<Option<Self>, RequestError> {
        let project = match number {
            // If a project is moved, its path changes, but not its number.
            Some(number) => number.to_string(),
            None if path.contains('/') => path.to_owned(),
            None => return Ok(None),
        };
        let client = Client::new(ForgeKind::GitLab, &["projects", &project], access)?;
        Ok(Some(Self { client, user: Arc::default() }))
    }

    pub(super) async fn ref_state(
        &self,
        branch: &Branch,
        merge_request: Option<u64>,
    ) -> Result<RefState, ForgeError> {
        match (merge_request, branch.split_fork()) {
            (Some(number), _) => self.merge_request_state(number).await,
            (None, None) => self.client.branch_state(&BRANCHES_PATH, branch.as_str()).await,
            (None, Some(_)) => {
                let open = self.merge_requests_from(branch, "opened").await?.into_iter().next();
                let open = match open {
                    // GitLab locks a merge request during the merge. If the merge fails, the merge request is open again.
                    None => self.merge_requests_from(branch, "locked").await?.into_iter().next(),
                    open => open,
                };
                match open {
                    Some(open) => Ok(open_state(open)),
                    None => self.client.check_branch_access(&BRANCHES_PATH).await.map(|()| RefState::Closed),
                }
            }
        }
    }

    pub(super) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        self.client.branches(&BRANCHES_PATH).await
    }

    /// Lists the open merge requests. Includes locked merge requests: GitLab locks a merge request during the merge, and if the merge
    /// fails, the merge request is open again.
    pub(super) async fn open_merge_requests(&self) -> Result<Vec<MergeRequest>, ForgeError> {
        let mut open = Vec::new();
        for state in ["opened", "locked"] {
            let query = [("scope", "all"), ("state", state)];
            let (path, permission) = (["merge_requests"], Permission::ReadPullRequests);
            open.extend(self.client.complete_list(&path, &query, permission, Some).await?);
        }
        Ok(open)
    }

    /// Returns true if `open` contains a merge request with this number or, if `number` is `None`, a merge request from the branch.
    pub(super) async fn has_open_pull_request(
        &self,
        open: &[MergeRequest],
        branch: &Branch,
        number: Option<u64>,
    ) -> Result<bool, ForgeError> {
        if let Some(number) = number {
            return Ok(open.iter().any(|merge_request| merge_request.iid == number));
        }
        let (owner, name) = fork_owner_and_name(branch);
        for merge_request in open.iter().filter(|merge_request| merge_request.source_branch == name) {
            if self.may_be_from(merge_request, owner).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn merge_request_numbers(
        &self,
        branch: &Branch,
        open_only: bool,
    ) -> Result<Vec<u64>, ForgeError> {
        let found = self.merge_requests_from(branch, if open_only { "opened" } else { "all" }).await?;
        Ok(found.iter().map(|merge_request| merge_request.iid).collect())
    }

    async fn merge_request_state(&self, number: u64) -> Result<RefState, ForgeError> {
        let path = ["merge_requests", &number.to_string()];
        let response = match self.client.get(&path, &[], Permission::ReadPullRequests).await {
            // Either the merge request was deleted, or the token cannot read merge requests. In the second case, the list request
            // fails as well.
            Err(ForgeError::Request(RequestError::NotFound(_))) => {
                return self.merge_request_state_in_list(number).await;
            }
            response => response?,
        };
        let merge_request: MergeRequest = response.json()?;
        Ok(match merge_request.state.as_str() {
            "closed" | "merged" => RefState::Closed,
            // GitLab locks a merge request during the merge. If the merge fails, the merge request is open again.
            _ => open_state(merge_request),
        })
    }

    async fn merge_request_state_in_list(&self, number: u64) -> Result<RefState, ForgeError> {
        let number = number.to_string();
        let query = [("iids[]", &*number), ("scope", "all"), ("state", "all")];
        let found: Vec<MergeRequest> =
            self.client.get(&["merge_requests"], &query, Permission::ReadPullRequests).await?.json()?;
        match found.into_iter().next() {
            Some(merge_request) => Ok(open_state(merge_request)),
            None => self.client.check_branch_access(&BRANCHES_PATH).await.map(|()| RefState::Closed),
        }
    }

    /// Lists the merge requests from a branch, newest first. For the state `all`, lists the newest 100 merge requests in any state;
    /// otherwise lists all merge requests in this state.
    async fn merge_requests_from(
        &self,
        branch: &Branch,
        state: &str,
    ) -> Result<Vec<MergeRequest>, ForgeError> {
        let (owner, name) = fork_owner_and_name(branch);
        let query = [("scope", "all"), ("source_branch", name), ("state", state)];
        let (path, permission) = (["merge_requests"], Permission::ReadPullRequests);
        let mut merge_requests: Vec<MergeRequest> = if state != "all" {
            self.client.complete_list(&path, &query, permission, Some).await?
        } else {
            let query = [&query[..], &[("per_page", PAGE_SIZE)]].concat();
            self.client.get(&path, &query, permission).await?.json()?
        };
        // Old servers may ignore the filter `source_branch`.
        merge_requests.retain(|merge_request| merge_request.source_branch == name);
        let mut from_branch = Vec::new();
        for merge_request in merge_requests {
            if self.may_be_from(&merge_request, owner).await? {
                from_branch.push(merge_request);
            }
        }
        Ok(from_branch)
    }

    /// Returns true if a merge request comes from the fork of `owner` or, if `owner` is `None`, from the project itself. Also returns
    /// true if the fork's owner is unknown because the fork was deleted or is private: the preview is then kept.
    async fn may_be_from(
        &self,
        merge_request: &MergeRequest,
        owner: Option<&str>,
    ) -> Result<bool, ForgeError> {
        let is_own = merge_request.source_project_id == Some(merge_request.target_project_id);
        let (Some(owner), false) = (owner, is_own) else { return Ok(is_own == owner.is_none()) };
        let Some(id) = merge_request.source_project_id.filter(|_| owner != UNKNOWN_OWNER) else {
            return Ok(true);
        };
        match self.client.get_from_root(&["projects", &id.to_string()], Permission::ReadPullRequests).await {
            Ok(response) => {
                let Project { path_with_namespace: path } = response.json()?;
                let namespace = path.rsplit_once('/').map_or("", |(namespace, _)| namespace);
                Ok(namespace.eq_ignore_ascii_case(owner))
            }
            Err(ForgeError::Request(RequestError::NotFound(_)) | ForgeError::Forbidden { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Finds the notes (comments) that gitbook-deploy has written on a merge request, by their marker line and their author. Returns
    /// the IDs and texts of the notes in any order.
    pub(super) async fn find_own_notes(
        &self,
        number: u64,
        marker: &str,
    ) -> Result<Vec<(u64, String)>, ForgeError> {
        let path = ["merge_requests", &number.to_string(), "notes"];
        let has_marker = |note: &Note| !note.system && note.body.lines().any(|line| line.trim() == marker);
        let keep = |note| Some(note).filter(has_marker);
        let mut notes = self.client.list(&path, &[], Permission::WritePullRequests, keep).await?;
        if notes.is_empty() {
            return Ok(Vec::new());
        }
        let user = self.user_id().await?;
        notes.retain(|note| note.author.as_ref().is_some_and(|author| author.id == user));
        Ok(notes.into_iter().map(|note| (note.id, note.body)).collect())
    }

    async fn user_id(&self) -> Result<u64, ForgeError> {
        let request = async || {
            let response = self.client.get_from_root(&["user"], Permission::WritePullRequests).await?;
            Ok(response.json().map(|GitLabUser { id }| id)?)
        };
        self.user.get_or_try_init(request).await.copied()
    }

    /// Returns a copy of the client with its own circuit breaker.
    #[must_use]
    pub(super) fn with_own_circuit_breaker(&self) -> Self {
        Self { client: self.client.with_own_circuit_breaker(), ..self.clone() }
    }

    /// Returns a copy of the client that uses `timeout` and never retries a request.
    #[must_use]
    pub(super) fn single_attempt(&self, timeout: Duration) -> Self {
        Self { client: self.client.single_attempt(timeout), ..self.clone() }
    }
}

/// Splits a branch into the owner of its fork (`None` for a branch of the project itself) and its name in that repository.
fn fork_owner_and_name(branch: &Branch) -> (Option<&str>, &str) {
    match branch.split_fork() {
        Some((owner, name)) => (Some(owner), name),
        None => (None, branch.as_str()),
    }
}

/// Returns the state of an open merge request. The newest commit is unknown (an empty ID) if GitLab has not processed it yet.
fn open_state(merge_request: MergeRequest) -> RefState {
    RefState::Open { tip: merge_request.sha.unwrap_or_default() }
}
