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

/// The URL path of the branches below the project.
const BRANCHES: [&str; 2] = ["repository", "branches"];

/// A client for one GitLab project.
#[derive(Clone, Debug)]
pub(crate) struct GitLab {
    pub(super) client: Client,
    /// The ID of the token's user, once it was requested.
    user: Arc<OnceCell<u64>>,
}

impl GitLab {
    /// Creates a client for the project with a number or, if the number is unknown, with a path. Returns `None` for a path without a
    /// slash.
    ///
    /// # Errors
    /// Returns an error if the system has no usable certificate store.
    pub(crate) fn new(
        number: Option<u64>,
        path: &str,
        access: &Access<'_>,
    ) -> Result<Option<Self>, RequestError> {
        let project = match number {
            // The number stays the same if the project is moved.
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
            (None, None) => self.client.branch_state(&BRANCHES, branch.as_str()).await,
            (None, Some(_)) => {
                let open = self.merge_requests_from(branch, "opened").await?.into_iter().next();
                let open = match open {
                    // A merge request is `locked` while it is merged. If that fails, it is open again.
                    None => self.merge_requests_from(branch, "locked").await?.into_iter().next(),
                    open => open,
                };
                match open {
                    Some(open) => Ok(open_state(open)),
                    None => self.client.check_branch_access(&BRANCHES).await.map(|()| RefState::Closed),
                }
            }
        }
    }

    pub(super) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        self.client.branches(&BRANCHES).await
    }

    /// Lists the open merge requests, including those that are `locked` while they are merged, since they are open again if that
    /// fails.
    pub(super) async fn open_merge_requests(&self) -> Result<Vec<MergeRequest>, ForgeError> {
        let mut open = Vec::new();
        for state in ["opened", "locked"] {
            let query = [("scope", "all"), ("state", state)];
            let (path, permission) = (["merge_requests"], Permission::ReadPullRequests);
            open.extend(self.client.complete_list(&path, &query, permission, Some).await?);
        }
        Ok(open)
    }

    /// Returns true if one of the given merge requests has the number or, if `number` is `None`, comes from the branch.
    pub(super) async fn has_open(
        &self,
        open: &[MergeRequest],
        branch: &Branch,
        number: Option<u64>,
    ) -> Result<bool, ForgeError> {
        if let Some(number) = number {
            return Ok(open.iter().any(|merge_request| merge_request.iid == number));
        }
        let (owner, name) = owner_and_name(branch);
        for merge_request in open.iter().filter(|merge_request| merge_request.source_branch == name) {
            if self.is_from(merge_request, owner).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn merge_requests(
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
            // Either the merge request was deleted, or the token cannot read merge requests. Only in the second case the request
            // for the list fails.
            Err(ForgeError::Request(RequestError::NotFound(_))) => return self.state_in_list(number).await,
            response => response?,
        };
        let merge_request: MergeRequest = response.json()?;
        Ok(match merge_request.state.as_str() {
            "closed" | "merged" => RefState::Closed,
            // A merge request is `locked` while it is merged. If that fails, it is open again.
            _ => open_state(merge_request),
        })
    }

    async fn state_in_list(&self, number: u64) -> Result<RefState, ForgeError> {
        let number = number.to_string();
        let query = [("iids[]", &*number), ("scope", "all"), ("state", "all")];
        let found: Vec<MergeRequest> =
            self.client.get(&["merge_requests"], &query, Permission::ReadPullRequests).await?.json()?;
        match found.into_iter().next() {
            Some(merge_request) => Ok(open_state(merge_request)),
            None => self.client.check_branch_access(&BRANCHES).await.map(|()| RefState::Closed),
        }
    }

    /// Lists the merge requests from a branch, newest first. For the state `all`, it lists the newest 100 in any state; otherwise it
    /// lists all in the given state.
    async fn merge_requests_from(
        &self,
        branch: &Branch,
        state: &str,
    ) -> Result<Vec<MergeRequest>, ForgeError> {
        let (owner, name) = owner_and_name(branch);
        let query = [("scope", "all"), ("source_branch", name), ("state", state)];
        let (path, permission) = (["merge_requests"], Permission::ReadPullRequests);
        let mut all: Vec<MergeRequest> = if state != "all" {
            self.client.complete_list(&path, &query, permission, Some).await?
        } else {
            let query = [&query[..], &[("per_page", PAGE_SIZE)]].concat();
            self.client.get(&path, &query, permission).await?.json()?
        };
        // Old servers may ignore the filter `source_branch`.
        all.retain(|merge_request| merge_request.source_branch == name);
        let mut found = Vec::new();
        for merge_request in all {
            if self.is_from(&merge_request, owner).await? {
                found.push(merge_request);
            }
        }
        Ok(found)
    }

    /// Returns true if a merge request comes from the fork of `owner` or, if `owner` is `None`, from the project itself. Also returns
    /// true if the fork's owner is unknown because the fork is deleted or private: a preview that counts as open is never deleted.
    async fn is_from(&self, merge_request: &MergeRequest, owner: Option<&str>) -> Result<bool, ForgeError> {
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

    /// Finds the notes that gitbook-deploy has written on a merge request, by their marker line and their author. Returns their IDs
    /// and texts in any order.
    pub(super) async fn notes(&self, number: u64, marker: &str) -> Result<Vec<(u64, String)>, ForgeError> {
        let path = ["merge_requests", &number.to_string(), "notes"];
        let is_marked = |note: &Note| !note.system && note.body.lines().any(|line| line.trim() == marker);
        let marked = |note| Some(note).filter(is_marked);
        let mut notes = self.client.list(&path, &[], Permission::WritePullRequests, marked).await?;
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

    /// Returns a copy of the client with a separate circuit breaker.
    #[must_use]
    pub(super) fn own_circuit_breaker(&self) -> Self {
        Self { client: self.client.own_circuit_breaker(), ..self.clone() }
    }

    /// Returns a copy of the client that never retries and has another timeout.
    #[must_use]
    pub(super) fn single_attempt(&self, timeout: Duration) -> Self {
        Self { client: self.client.single_attempt(timeout), ..self.clone() }
    }
}

/// Splits a branch into the owner of its fork, if it is in a fork, and its name in that repository.
fn owner_and_name(branch: &Branch) -> (Option<&str>, &str) {
    match branch.split_fork() {
        Some((owner, name)) => (Some(owner), name),
        None => (None, branch.as_str()),
    }
}

/// Returns the state of a merge request that is open. GitLab does not report the newest commit until it has processed it.
fn open_state(merge_request: MergeRequest) -> RefState {
    RefState::Open { tip: merge_request.sha.unwrap_or_default() }
}
