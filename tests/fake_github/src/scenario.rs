//! Functions for tests to change the repository: branches, pull requests, comments and tokens.

use serde_json::Value;

use crate::fake_github::FakeGitHub;
use crate::model::{Comment, Deployment, Head};
use crate::operations::comments;
use crate::server::lock;
use crate::state::{Pull, State, StoredComment};

impl FakeGitHub {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut lock(&self.forge.state))
    }

    /// Assigns a token to a user. A token that begins with `ghs_` always belongs to GitHub Actions.
    pub fn user(&self, token: &str, login: &str) {
        self.change(|state| state.logins.insert(token.to_owned(), login.to_owned()));
    }

    /// Accepts this token only.
    pub fn require_token(&self, token: &str) {
        self.change(|state| state.required_token = Some(token.to_owned()));
    }

    /// Limits the number of entries per page.
    pub fn page_size(&self, max: usize) {
        self.change(|state| state.page_size = Some(max.max(1)));
    }

    /// Creates or moves a branch, and updates the head commit of its open pull requests.
    pub fn set_branch(&self, branch: &str, sha: &str) {
        self.change(|state| state.set_branch(branch, sha));
    }

    /// Deletes a branch and closes its open pull requests.
    pub fn delete_branch(&self, branch: &str) {
        self.change(|state| {
            state.branches.remove(branch);
            state.close_from(branch);
        });
    }

    /// Renames a branch and closes its open pull requests; the old name redirects to the new one.
    pub fn rename_branch(&self, from: &str, to: &str) {
        self.change(|state| {
            let Some(sha) = state.branches.remove(from) else {
                panic!("there is no branch {from} to rename")
            };
            state.close_from(from);
            state.renamed.remove(to);
            state.renamed.insert(from.to_owned(), to.to_owned());
            state.branches.insert(to.to_owned(), sha);
        });
    }

    /// Opens a pull request into the default branch.
    pub fn open_pull_request(&self, number: u64, head: Head, sha: &str) {
        self.change(|state| {
            let (created_at, updated_at) = (state.now(), state.now());
            let pull = Pull {
                number,
                head: head.clone(),
                sha: sha.to_owned(),
                fork_is_gone: false,
                open: true,
                created_at,
                updated_at,
                closed_at: None,
                merged_at: None,
            };
            assert!(state.pulls.insert(number, pull).is_none(), "there is a pull request {number} already");
            state.push(&head, sha);
        });
    }

    /// Pushes a commit to the branch of a pull request.
    pub fn push_to_pull_request(&self, number: u64, sha: &str) {
        self.change(|state| {
            let head = state.pull(number).head.clone();
            state.pull(number).sha = sha.to_owned();
            state.push(&head, sha);
        });
    }

    /// Closes a pull request without merging it.
    pub fn close_pull_request(&self, number: u64) {
        self.change(|state| state.close(number, false));
    }

    /// Merges a pull request, which adds a commit to the default branch.
    pub fn merge_pull_request(&self, number: u64) {
        self.change(|state| state.close(number, true));
    }

    /// Reopens a closed pull request.
    pub fn reopen_pull_request(&self, number: u64) {
        self.change(|state| {
            let now = state.now();
            let pull = state.pull(number);
            assert!(pull.merged_at.is_none(), "the merged pull request {number} cannot be reopened");
            (pull.open, pull.closed_at, pull.updated_at) = (true, None, now);
            let (head, sha) = (pull.head.clone(), pull.sha.clone());
            state.push(&head, &sha);
        });
    }

    /// Deletes the fork of a pull request.
    pub fn delete_fork_of(&self, number: u64) {
        self.change(|state| {
            let pull = state.pull(number);
            assert!(pull.head.fork.is_some(), "the pull request {number} is not from a fork");
            pull.fork_is_gone = true;
        });
    }

    /// Returns the comments on a pull request, the oldest first.
    pub fn comments(&self, number: u64) -> Vec<Comment> {
        let public = |comment: &StoredComment| Comment {
            id: comment.id,
            author: comment.author.clone(),
            body: comment.body.clone(),
        };
        self.change(|state| comments::on_pull(state, number).iter().map(public).collect())
    }

    /// Adds a comment by another user.
    pub fn comment_by(&self, login: &str, number: u64, body: &str) -> u64 {
        self.change(|state| comments::add(state, login, number, body).id)
    }

    /// Edits a comment.
    pub fn edit_comment(&self, id: u64, body: &str) {
        self.change(|state| {
            let now = state.now();
            let Some(comment) = state.comments.get_mut(&id) else {
                panic!("there is no comment {id} to edit")
            };
            (comment.body, comment.updated_at) = (body.to_owned(), now);
        });
    }

    /// Deletes a comment.
    pub fn delete_comment(&self, id: u64) {
        let removed = self.change(|state| state.comments.remove(&id));
        assert!(removed.is_some(), "there is no comment {id} to delete");
    }

    /// Replaces the payload of a deployment.
    pub fn set_payload(&self, deployment: u64, payload: Value) {
        self.change(|state| {
            let Some(record) = state.deployments.get_mut(&deployment) else {
                panic!("there is no deployment {deployment} to change")
            };
            record.deployment.payload = payload;
        });
    }

    /// Returns all deployments, the oldest first.
    pub fn deployments(&self) -> Vec<Deployment> {
        self.change(|state| state.deployments.values().map(|record| record.deployment.clone()).collect())
    }
}

impl State {
    fn pull(&mut self, number: u64) -> &mut Pull {
        self.pulls.get_mut(&number).unwrap_or_else(|| panic!("there is no pull request {number}"))
    }

    fn set_branch(&mut self, branch: &str, sha: &str) {
        self.renamed.remove(branch);
        self.branches.insert(branch.to_owned(), sha.to_owned());
        self.commits.insert(sha.to_owned());
        let now = self.now();
        let head = Head::own(branch);
        for pull in self.pulls.values_mut().filter(|pull| pull.open && pull.head == head && pull.sha != sha) {
            (pull.sha, pull.updated_at) = (sha.to_owned(), now.clone());
        }
    }

    fn push(&mut self, head: &Head, sha: &str) {
        self.commits.insert(sha.to_owned());
        if head.fork.is_none() {
            self.set_branch(&head.branch.clone(), sha);
        }
    }

    fn close_from(&mut self, branch: &str) {
        let head = Head::own(branch);
        let open = self.pulls.values().filter(|pull| pull.open && pull.head == head);
        for number in open.map(|pull| pull.number).collect::<Vec<_>>() {
            self.close(number, false);
        }
    }

    fn close(&mut self, number: u64, merged: bool) {
        let now = self.now();
        let pull = self.pull(number);
        assert!(pull.open, "the pull request {number} is closed already");
        (pull.open, pull.closed_at, pull.updated_at) = (false, Some(now.clone()), now.clone());
        if merged {
            pull.merged_at = Some(now);
            let sha = merge_commit(number);
            self.set_branch(crate::state::DEFAULT_BRANCH, &sha);
        }
    }
}

/// Returns the merge commit of a pull request.
pub(crate) fn merge_commit(number: u64) -> String {
    format!("{number:e>40x}")
}
