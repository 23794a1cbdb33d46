//! Creates and updates the pull request comment, which several jobs may write at the same time.
//!
//! The API cannot reject a write if the comment has changed since the last read. Each job therefore reads the comment after each
//! write, and writes again until the comment contains the job's text. If other jobs may write the comment, the job reads it once
//! more after a delay, because a job that still has the old text may overwrite the new text.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::models::CreatedComment;
use super::{Forge, ForgeError, Permission};
use crate::http::{RequestError, jitter};

/// The comments that gitbook-deploy has written on a pull request.
#[derive(Clone, Debug)]
pub(crate) struct ExistingComments {
    number: u64,
    marker: &'static str,
    /// The ID of the comment that this job has created. This comment counts as written by gitbook-deploy regardless of its author.
    created: Option<u64>,
    /// The IDs and texts of the comments, oldest first. If several jobs create the comment at the same time, there are several.
    comments: Vec<(u64, String)>,
}

impl ExistingComments {
    /// Returns the number of the pull request.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Returns the texts of the comments.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.comments.iter().map(|(_, text)| text.as_str())
    }
}

/// A change to the comment.
pub(crate) struct CommentUpdate<'a> {
    /// A function that receives the existing texts, oldest first, and returns the new text. If the only existing text is one that
    /// this function returned, it must return that text unchanged.
    pub new_text: &'a (dyn Fn(&[String]) -> String + Sync),
    /// True to create the comment if it is missing.
    pub create_if_missing: bool,
    /// True if other jobs may write the comment at the same time.
    pub has_other_jobs: bool,
}

/// The result of an update.
#[derive(Debug)]
pub(crate) enum CommentResult {
    /// The comment was written.
    Written,
    /// The comment was written, but reading it again failed.
    Unverified(ForgeError),
    /// The comment already had this text.
    Unchanged,
    /// There was no comment, and `create_if_missing` is false.
    Missing,
}

/// The maximum number of rounds. In each round, the job writes the comment or waits, and then reads the comment. Even if dozens
/// of jobs end at the same time, each job needs fewer rounds.
const MAX_ROUNDS: usize = 30;

/// The delay before the last read. It is longer than the time that another job needs between reading and writing the comment.
const LAST_READ_DELAY: Duration = Duration::from_millis(1200);

/// The maximum random delay before a job writes again after another job has overwritten its text.
const MAX_JITTER: Duration = Duration::from_millis(600);

impl Forge {
    /// Finds the comments that gitbook-deploy has written on a pull request, by their marker line and their author. The marker line
    /// alone is not enough, because anyone can copy it.
    ///
    /// # Errors
    /// Returns an error if a request to the forge fails.
    pub(crate) async fn find_comment(
        &self,
        number: u64,
        marker: &'static str,
    ) -> Result<ExistingComments, ForgeError> {
        self.read_comments(ExistingComments { number, marker, created: None, comments: Vec::new() }).await
    }

    /// Creates or updates the comment.
    ///
    /// # Errors
    /// Returns an error if a request to the forge fails, or [`ForgeError::Overwritten`] if other jobs overwrite the comment each time.
    pub(crate) async fn update_comment(
        &self,
        mut existing: ExistingComments,
        update: &CommentUpdate<'_>,
    ) -> Result<CommentResult, ForgeError> {
        let mut random = fastrand::Rng::new();
        let (mut has_written, mut is_final, mut has_waited) = (false, !update.has_other_jobs, false);
        for _ in 0..MAX_ROUNDS {
            if existing.comments.is_empty() && !update.create_if_missing {
                return Ok(CommentResult::Missing);
            }
            let bodies: Vec<_> = existing.comments.iter().map(|(_, body)| body.clone()).collect();
            let new_text = (update.new_text)(&bodies);
            if matches!(&bodies[..], [only] if *only == new_text) {
                match (has_written, is_final) {
                    (false, _) => return Ok(CommentResult::Unchanged),
                    (true, true) => return Ok(CommentResult::Written),
                    (true, false) => {
                        tokio::time::sleep(LAST_READ_DELAY + jitter(&mut random, MAX_JITTER)).await;
                    }
                }
                is_final = true;
            } else if has_written && !has_waited {
                // Without a random delay, two jobs could overwrite each other forever.
                tokio::time::sleep(jitter(&mut random, MAX_JITTER)).await;
                has_waited = true;
            } else {
                existing.created = self.write(&existing, &new_text).await?.or(existing.created);
                (has_written, is_final, has_waited) = (true, !update.has_other_jobs, false);
            }
            existing = match self.read_comments(existing).await {
                // The comment was written, so a failure to read it again is not an error.
                Err(error) if has_written => return Ok(CommentResult::Unverified(error)),
                existing => existing?,
            };
        }
        Err(ForgeError::Overwritten(MAX_ROUNDS))
    }

    /// Updates the oldest comment and deletes the newer comments, which other jobs have created at the same time. If there is no
    /// comment, creates one and returns its ID.
    async fn write(&self, existing: &ExistingComments, text: &str) -> Result<Option<u64>, ForgeError> {
        let body = json!({ "body": text });
        let Some(((oldest, current), others)) = existing.comments.split_first() else {
            let number = existing.number.to_string();
            let path = match self {
                Self::GitHub(_) => ["issues", &number, "comments"],
                Self::GitLab(_) => ["merge_requests", &number, "notes"],
            };
            let response = self.client().create(&path, &body, Permission::WritePullRequests).await?;
            return Ok(Some(response.json::<CreatedComment>()?.id));
        };
        if current != text {
            self.update_or_delete_comment(existing.number, *oldest, Some(&body)).await?;
        }
        for (id, _) in others {
            self.update_or_delete_comment(existing.number, *id, None).await?;
        }
        Ok(None)
    }

    /// Replaces the body of a comment, or deletes the comment if `body` is `None`. Succeeds if the comment was already deleted, because
    /// the next read detects the deletion.
    async fn update_or_delete_comment(
        &self,
        number: u64,
        id: u64,
        body: Option<&serde_json::Value>,
    ) -> Result<(), ForgeError> {
        let (number, id) = (number.to_string(), id.to_string());
        let (path, edit) = match self {
            Self::GitHub(_) => (vec!["issues", "comments", &id], Method::PATCH),
            Self::GitLab(_) => (vec!["merge_requests", &number, "notes", &id], Method::PUT),
        };
        let method = if body.is_some() { edit } else { Method::DELETE };
        match self.client().send_idempotent(method, &path, body, Permission::WritePullRequests).await {
            Ok(_) | Err(ForgeError::Request(RequestError::NotFound(_))) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn read_comments(&self, existing: ExistingComments) -> Result<ExistingComments, ForgeError> {
        let mut comments = match self {
            Self::GitHub(github) => {
                github.comments(existing.number, existing.marker, existing.created).await?
            }
            Self::GitLab(gitlab) => gitlab.find_own_notes(existing.number, existing.marker).await?,
        };
        for (_, text) in &mut comments {
            *text = text.replace("\r\n", "\n");
        }
        comments.sort_by_key(|(id, _)| *id);
        // If someone adds a comment between the requests for two pages, both pages may contain the same comment.
        comments.dedup_by_key(|(id, _)| *id);
        Ok(ExistingComments { comments, ..existing })
    }
}
