//! One comment on a pull request, which several jobs may keep at the same time.
//!
//! The API has no compare-and-set. So what was written is read back, and written again until it stands; where other
//! jobs may write, too, it is looked at once more a while later, since one that had read the old text may have been
//! about to write.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::models::CreatedComment;
use super::{Forge, ForgeError, Permission};

/// Our comments on a pull request, as they were found.
#[derive(Clone, Debug)]
pub(crate) struct ExistingComments {
    number: u64,
    marker: &'static str,
    /// The one that was made just now, which is ours whatever its author is called.
    made: Option<u64>,
    /// Oldest first: there is more than one where two jobs made one at the same time.
    comments: Vec<(u64, String)>,
}

impl ExistingComments {
    /// The pull request.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What the comments say.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.comments.iter().map(|(_, text)| text.as_str())
    }
}

/// What should stand in the comment.
pub(crate) struct CommentUpdate<'a> {
    /// The text, made from those that are there, oldest first. Given its own text, it must give it back.
    pub text: &'a (dyn Fn(&[String]) -> String + Sync),
    /// Whether one is made where there is none.
    pub create: bool,
    /// Whether other jobs may write it at the same time.
    pub shared: bool,
}

/// What came of a wish.
#[derive(Debug)]
pub(crate) enum CommentResult {
    /// It was written.
    Written,
    /// It was written, but could not be read back.
    Unread(ForgeError),
    /// It was there already, word by word.
    Unchanged,
    /// There was none, and none was to be made.
    None,
}

/// More rounds than some dozens of jobs need that end at once.
const MOST_ROUNDS: usize = 30;

/// Longer than it takes a job from reading the comment to writing it.
const SETTLED_AFTER: Duration = Duration::from_millis(1200);

/// The most that jobs which write over one another wait in addition, each for another time.
const JITTER: Duration = Duration::from_millis(600);

impl Forge {
    /// Finds our comments on a pull request: by a line that no others have, and by who wrote them, since anybody can
    /// write that line.
    ///
    /// # Errors
    /// Whatever the forge or the network says.
    pub(crate) async fn find_comment(
        &self,
        number: u64,
        marker: &'static str,
    ) -> Result<ExistingComments, ForgeError> {
        self.find_again(ExistingComments { number, marker, made: None, comments: Vec::new() }).await
    }

    /// Keeps a comment as wished.
    ///
    /// # Errors
    /// Whatever the forge or the network says, and [`ForgeError::Contended`].
    pub(crate) async fn keep_comment(
        &self,
        mut found: ExistingComments,
        wish: &CommentUpdate<'_>,
    ) -> Result<CommentResult, ForgeError> {
        let (mut wrote, mut settled, mut waited) = (false, !wish.shared, false);
        for _ in 0..MOST_ROUNDS {
            if found.comments.is_empty() && !wish.create {
                return Ok(CommentResult::None);
            }
            let bodies: Vec<_> = found.comments.iter().map(|(_, body)| body.clone()).collect();
            let wanted = (wish.text)(&bodies);
            if matches!(&bodies[..], [only] if *only == wanted) {
                match (wrote, settled) {
                    (false, _) => return Ok(CommentResult::Unchanged),
                    (true, true) => return Ok(CommentResult::Written),
                    (true, false) => tokio::time::sleep(SETTLED_AFTER + JITTER.mul_f64(chance())).await,
                }
                settled = true;
            } else if wrote && !waited {
                // Somebody has written over it; both doing so again at once would go on like this.
                tokio::time::sleep(JITTER.mul_f64(chance())).await;
                waited = true;
            } else {
                found.made = self.write(&found, &wanted).await?.or(found.made);
                (wrote, settled, waited) = (true, !wish.shared, false);
            }
            found = match self.find_again(found).await {
                // It is written, and that is what counts.
                Err(error) if wrote => return Ok(CommentResult::Unread(error)),
                found => found?,
            };
        }
        Err(ForgeError::Contended(MOST_ROUNDS))
    }

    /// Writes the oldest of our comments and removes the others, which two jobs made at the same time. Where there is none,
    /// one is made, and its number given.
    async fn write(&self, found: &ExistingComments, text: &str) -> Result<Option<u64>, ForgeError> {
        let body = json!({ "body": text });
        let Some(((oldest, there), others)) = found.comments.split_first() else {
            let number = found.number.to_string();
            let path = match self {
                Self::GitHub(_) => ["issues", &number, "comments"],
                Self::GitLab(_) => ["merge_requests", &number, "notes"],
            };
            let answer = self.client().make(&path, &body, Permission::WritePullRequests).await?;
            return Ok(Some(self.client().parse::<CreatedComment>(&answer)?.id));
        };
        if there != text {
            self.change_comment(found.number, *oldest, Some(&body)).await?;
        }
        for (id, _) in others {
            self.change_comment(found.number, *id, None).await?;
        }
        Ok(None)
    }

    /// Gives it a new body, or deletes it. That somebody has deleted it meanwhile is found out when it is read back.
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
            Ok(_) | Err(ForgeError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn find_again(&self, found: ExistingComments) -> Result<ExistingComments, ForgeError> {
        let mut comments = match self {
            Self::GitHub(github) => github.comments(found.number, found.marker, found.made).await?,
            Self::GitLab(gitlab) => gitlab.notes(found.number, found.marker).await?,
        };
        for (_, text) in &mut comments {
            *text = text.replace("\r\n", "\n");
        }
        comments.sort_by_key(|(id, _)| *id);
        // One is on two pages where somebody wrote another while they were read, newest first.
        comments.dedup_by_key(|(id, _)| *id);
        Ok(ExistingComments { comments, ..found })
    }
}

/// A number from 0 to 1.
fn chance() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}
