//! Writes the comment on a pull request, which several jobs may write at the same time.
//!
//! The API cannot make a write depend on the current text. Each job therefore reads the comment after writing it, and repeats the
//! write until the comment contains its text. If other jobs may write, it also reads the comment again after a delay, because another
//! job may have read the old text before and overwrite the new one.

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
    /// The ID of the comment that this job has created. It counts as this program's comment regardless of its author.
    created: Option<u64>,
    /// The IDs and texts, oldest first. There are several if several jobs have created one at the same time.
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
    /// Returns the new text, given the existing texts, oldest first. If it is called with a text that it returned before, it must
    /// return the same text.
    pub text: &'a (dyn Fn(&[String]) -> String + Sync),
    /// True to create the comment if it is missing.
    pub create: bool,
    /// True if other jobs may write the comment at the same time.
    pub shared: bool,
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
    /// There was no comment, and none was created because `create` is false.
    None,
}

/// The maximum number of times that the comment is read and written. Dozens of jobs that end at the same time need fewer.
const MAX_ROUNDS: usize = 30;

/// The delay before the last read. Another job needs less time between reading and writing the comment.
const SETTLE_DELAY: Duration = Duration::from_millis(1200);

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
        self.read_again(ExistingComments { number, marker, created: None, comments: Vec::new() }).await
    }

    /// Creates or updates the comment.
    ///
    /// # Errors
    /// Returns an error if a request to the forge fails, or [`ForgeError::Overwritten`] if other jobs overwrite the comment each time.
    pub(crate) async fn update_comment(
        &self,
        mut found: ExistingComments,
        update: &CommentUpdate<'_>,
    ) -> Result<CommentResult, ForgeError> {
        let mut random = fastrand::Rng::new();
        let (mut wrote, mut settled, mut waited) = (false, !update.shared, false);
        for _ in 0..MAX_ROUNDS {
            if found.comments.is_empty() && !update.create {
                return Ok(CommentResult::None);
            }
            let bodies: Vec<_> = found.comments.iter().map(|(_, body)| body.clone()).collect();
            let wanted = (update.text)(&bodies);
            if matches!(&bodies[..], [only] if *only == wanted) {
                match (wrote, settled) {
                    (false, _) => return Ok(CommentResult::Unchanged),
                    (true, true) => return Ok(CommentResult::Written),
                    (true, false) => tokio::time::sleep(SETTLE_DELAY + jitter(&mut random, MAX_JITTER)).await,
                }
                settled = true;
            } else if wrote && !waited {
                // Without a random delay, two jobs could overwrite each other forever.
                tokio::time::sleep(jitter(&mut random, MAX_JITTER)).await;
                waited = true;
            } else {
                found.created = self.write(&found, &wanted).await?.or(found.created);
                (wrote, settled, waited) = (true, !update.shared, false);
            }
            found = match self.read_again(found).await {
                // The comment was written, so a failure to read it again is not an error.
                Err(error) if wrote => return Ok(CommentResult::Unverified(error)),
                found => found?,
            };
        }
        Err(ForgeError::Overwritten(MAX_ROUNDS))
    }

    /// Updates the oldest comment and deletes the others, which other jobs have created at the same time. If there is no comment,
    /// creates one and returns its ID.
    async fn write(&self, found: &ExistingComments, text: &str) -> Result<Option<u64>, ForgeError> {
        let body = json!({ "body": text });
        let Some(((oldest, current), others)) = found.comments.split_first() else {
            let number = found.number.to_string();
            let path = match self {
                Self::GitHub(_) => ["issues", &number, "comments"],
                Self::GitLab(_) => ["merge_requests", &number, "notes"],
            };
            let response = self.client().create(&path, &body, Permission::WritePullRequests).await?;
            return Ok(Some(response.json::<CreatedComment>()?.id));
        };
        if current != text {
            self.change_comment(found.number, *oldest, Some(&body)).await?;
        }
        for (id, _) in others {
            self.change_comment(found.number, *id, None).await?;
        }
        Ok(None)
    }

    /// Replaces the body of a comment, or deletes the comment if `body` is `None`. If the comment is already deleted, it does
    /// nothing: the next read detects that.
    async fn change_comment(
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
        match self.client().change(method, &path, body, Permission::WritePullRequests).await {
            Ok(_) | Err(ForgeError::Request(RequestError::NotFound(_))) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn read_again(&self, found: ExistingComments) -> Result<ExistingComments, ForgeError> {
        let mut comments = match self {
            Self::GitHub(github) => github.comments(found.number, found.marker, found.created).await?,
            Self::GitLab(gitlab) => gitlab.notes(found.number, found.marker).await?,
        };
        for (_, text) in &mut comments {
            *text = text.replace("\r\n", "\n");
        }
        comments.sort_by_key(|(id, _)| *id);
        // If someone adds a comment between the requests for two pages, a comment may be on both.
        comments.dedup_by_key(|(id, _)| *id);
        Ok(ExistingComments { comments, ..found })
    }
}
