//! GitLab's REST API: branches and merge requests of one project, and the notes on them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::answer::{MergeRequest, Note, Project, User};
use super::client::{Access, Client, PAGE};
use super::{ForgeError, Permission, Standing};
use crate::ci::ForgeKind;
use crate::http::TransportError;
use crate::preview::{Branch, UNKNOWN_OWNER};

/// The place of branches below the project.
const BRANCHES: [&str; 2] = ["repository", "branches"];

/// A client of one project on GitLab.
#[derive(Clone, Debug)]
pub(crate) struct GitLab {
    pub(super) client: Client,
    /// The number of the token's user, once it was asked for.
    user: Arc<OnceCell<u64>>,
}

impl GitLab {
    /// A client of a project, by its number or else by its path. `None` when that is no project's path.
    ///
    /// # Errors
    /// When the system has no usable certificate store.
    pub(crate) fn new(
        number: Option<u64>,
        path: &str,
        access: &Access<'_>,
    ) -> Result<Option<Self>, TransportError> {
        let project = match number {
            // It stays the same when the project is moved.
            Some(number) => number.to_string(),
            None if path.contains('/') => path.to_owned(),
            None => return Ok(None),
        };
        let client = Client::new(ForgeKind::GitLab, &["projects", &project], access)?;
        Ok(Some(Self { client, user: Arc::default() }))
    }

    pub(super) async fn standing(
        &self,
        branch: &Branch,
        merge_request: Option<u64>,
    ) -> Result<Standing, ForgeError> {
        match (merge_request, branch.of_which_fork()) {
            (Some(number), _) => self.standing_of_merge_request(number).await,
            (None, None) => self.client.standing_of_branch(&BRANCHES, branch.as_str()).await,
            (None, Some(_)) => {
                let open = self.of_branch(branch, "opened").await?.into_iter().next();
                let open = match open {
                    // While it is merged it is `locked`, and may be open again.
                    None => self.of_branch(branch, "locked").await?.into_iter().next(),
                    open => open,
                };
                match open {
                    Some(open) => Ok(tip(open)),
                    None => self.client.sees_branches(&BRANCHES).await.map(|()| Standing::Gone),
                }
            }
        }
    }

    /// Lists the branches.
    pub(super) async fn branches(&self) -> Result<HashSet<String>, ForgeError> {
        self.client.branches(&BRANCHES).await
    }

    /// Lists the open merge requests. One that is being merged is `locked`, and may be open again.
    pub(super) async fn open_merge_requests(&self) -> Result<Vec<MergeRequest>, ForgeError> {
        let mut open = Vec::new();
        for state in ["opened", "locked"] {
            let query = [("scope", "all"), ("state", state)];
            let list =
                self.client.whole_list(&["merge_requests"], &query, Permission::ReadPullRequests, Some);
            open.extend(list.await?);
        }
        Ok(open)
    }

    /// Returns whether one of the merge requests has a number or, without a number, comes from a branch.
    pub(super) async fn has_open(
        &self,
        open: &[MergeRequest],
        branch: &Branch,
        number: Option<u64>,
    ) -> Result<bool, ForgeError> {
        if let Some(number) = number {
            return Ok(open.iter().any(|merge_request| merge_request.iid == number));
        }
        let (owner, name) = origin(branch);
        for merge_request in open.iter().filter(|merge_request| merge_request.source_branch == name) {
            if self.is_of(merge_request, owner).await? {
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
        let found = self.of_branch(branch, if open_only { "opened" } else { "all" }).await?;
        Ok(found.iter().map(|merge_request| merge_request.iid).collect())
    }

    async fn standing_of_merge_request(&self, number: u64) -> Result<Standing, ForgeError> {
        let path = ["merge_requests", &number.to_string()];
        let answer = match self.client.get(&path, &[], Permission::ReadPullRequests).await {
            // It can be deleted. That is so where the token sees merge requests, and not this one.
            Err(ForgeError::NotFound(_)) => return self.standing_in_list(number).await,
            answer => answer?,
        };
        let merge_request: MergeRequest = self.client.parse(&answer)?;
        Ok(match merge_request.state.as_str() {
            "closed" | "merged" => Standing::Gone,
            // While it is merged it is `locked`, and may be open again.
            _ => tip(merge_request),
        })
    }

    async fn standing_in_list(&self, number: u64) -> Result<Standing, ForgeError> {
        let number = number.to_string();
        let query = [("iids[]", &*number), ("scope", "all"), ("state", "all")];
        let answer = self.client.get(&["merge_requests"], &query, Permission::ReadPullRequests).await?;
        let found: Vec<MergeRequest> = self.client.parse(&answer)?;
        match found.into_iter().next() {
            Some(merge_request) => Ok(tip(merge_request)),
            None => self.client.sees_branches(&BRANCHES).await.map(|()| Standing::Gone),
        }
    }

    /// The merge requests from a branch, newest first: all in a state, or the newest whatever state they are in (`all`).
    async fn of_branch(&self, branch: &Branch, state: &str) -> Result<Vec<MergeRequest>, ForgeError> {
        let (owner, name) = origin(branch);
        let query = [("scope", "all"), ("source_branch", name), ("state", state)];
        let (path, permission) = (["merge_requests"], Permission::ReadPullRequests);
        let mut all: Vec<MergeRequest> = if state != "all" {
            self.client.whole_list(&path, &query, permission, Some).await?
        } else {
            let query = [&query[..], &[("per_page", PAGE)]].concat();
            self.client.parse(&self.client.get(&path, &query, permission).await?)?
        };
        // Old servers may not know a filter.
        all.retain(|merge_request| merge_request.source_branch == name);
        let mut found = Vec::new();
        for merge_request in all {
            if self.is_of(&merge_request, owner).await? {
                found.push(merge_request);
            }
        }
        Ok(found)
    }

    /// Whether a merge request is from the project itself, or from the fork that an owner has. What can't be told of a
    /// fork that is gone or private counts as being so: nothing is deleted for a guess.
    async fn is_of(&self, merge_request: &MergeRequest, owner: Option<&str>) -> Result<bool, ForgeError> {
        let is_own = merge_request.source_project_id == Some(merge_request.target_project_id);
        let (Some(owner), false) = (owner, is_own) else { return Ok(is_own == owner.is_none()) };
        let Some(id) = merge_request.source_project_id.filter(|_| owner != UNKNOWN_OWNER) else {
            return Ok(true);
        };
        match self.client.get_other(&["projects", &id.to_string()], Permission::ReadPullRequests).await {
            Ok(answer) => {
                let Project { path_with_namespace: path } = self.client.parse(&answer)?;
                let namespace = path.rsplit_once('/').map_or("", |(namespace, _)| namespace);
                Ok(namespace.eq_ignore_ascii_case(owner))
            }
            Err(ForgeError::NotFound(_) | ForgeError::Forbidden { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Our notes on a merge request, in any order: by a line that no others have, and by the token's user, since
    /// anybody can write that line.
    pub(super) async fn notes(&self, number: u64, marker: &str) -> Result<Vec<(u64, String)>, ForgeError> {
        let path = ["merge_requests", &number.to_string(), "notes"];
        let is_marked = |note: &Note| !note.system && note.body.lines().any(|line| line.trim() == marker);
        let marked = |note| Some(note).filter(is_marked);
        let mut notes = self.client.list(&path, &[], Permission::WritePullRequests, marked).await?;
        if notes.is_empty() {
            return Ok(Vec::new());
        }
        let user = self.user().await?;
        notes.retain(|note| note.author.as_ref().is_some_and(|author| author.id == user));
        Ok(notes.into_iter().map(|note| (note.id, note.body)).collect())
    }

    async fn user(&self) -> Result<u64, ForgeError> {
        let ask = async || {
            let answer = self.client.get_other(&["user"], Permission::WritePullRequests).await?;
            self.client.parse(&answer).map(|User { id }| id)
        };
        self.user.get_or_try_init(ask).await.copied()
    }

    /// The same client, whose failures are its own.
    #[must_use]
    pub(super) fn apart(&self) -> Self {
        Self { client: self.client.apart(), ..self.clone() }
    }

    /// The same client, which is asked once, and not for long.
    #[must_use]
    pub(super) fn hurried(&self, timeout: Duration) -> Self {
        Self { client: self.client.hurried(timeout), ..self.clone() }
    }
}

/// Returns the owner of the fork, if any, and the name of a branch.
fn origin(branch: &Branch) -> (Option<&str>, &str) {
    match branch.of_which_fork() {
        Some((owner, name)) => (Some(owner), name),
        None => (None, branch.as_str()),
    }
}

/// What is open at its newest commit, which is not known while GitLab still makes up its mind.
fn tip(merge_request: MergeRequest) -> Standing {
    Standing::Open { tip: merge_request.sha.unwrap_or_default() }
}
