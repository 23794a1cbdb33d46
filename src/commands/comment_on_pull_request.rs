//! Writes the results of a run as a comment on the pull request.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use futures::future::try_join_all;

use super::{Context, newer_commit_check};
use crate::config::Mode;
use crate::deploy::{NamedPreview, Outcome, PreviewContext};
use crate::diagnostic::SourceLocation;
use crate::error::Error;
use crate::forge::{CommentResult, CommentUpdate, ExistingComments, Forge, ForgeError};
use crate::gitbook::GitBook;
use crate::http::RequestError;
use crate::integration;
use crate::plan::{Decision, PreviewRef};
use crate::report::{RunReport, comment};

/// The maximum time to write the comment after a signal. GitHub's runner kills the run soon after the signal.
const MAX_AFTER_SIGNAL: Duration = Duration::from_millis(1500);

/// The maximum number of pull requests from one branch that get the comment. The newest pull requests get it.
const MAX_PULL_REQUESTS: usize = 5;

impl Context<'_> {
    /// Writes the results of publishing or deleting previews, including failures, as a comment.
    pub(super) async fn write_comment(&self, decision: &Decision, run: &RunReport, error: Option<&Error>) {
        let (target, deletes) = match decision {
            Decision::Preview(target) => (target, false),
            Decision::Delete(target) => (target, true),
            _ => return,
        };
        let Some(forge) = self.forge.filter(|_| self.writes_comments()) else { return };
        let rows = comment::preview_rows(run, error, &current_minute(), self.printer);
        if rows.is_empty() {
            return;
        }
        // A run that published the preview may not have written its comment yet. The comment would then report the deleted
        // preview as published, unless an existing comment reports the deletion. So this run creates a comment if there is none.
        let has_deleted = target.pull_request.is_some() && run.outcomes.iter().any(Outcome::has_deleted);
        let create = !deletes || has_deleted;
        let work = async |forge: &Forge| {
            let comments = self.find_comments(forge, target, deletes).await;
            self.update_comments(forge, comments, &rows, create).await;
        };
        match self.cancel.signal() {
            None => drop(self.cancel.run_with_grace_period(MAX_AFTER_SIGNAL, work(forge)).await),
            Some(_) => {
                let single_attempt = forge.single_attempt(MAX_AFTER_SIGNAL);
                drop(tokio::time::timeout(MAX_AFTER_SIGNAL, work(&single_attempt)).await);
            }
        }
    }

    /// Returns the branch's previews of integrations that no longer exist in the repository. Takes the names of the previews from
    /// the comment, and reads the ownership marker of each preview from GitBook.
    ///
    /// Returns an empty list if the run covers only some of the integrations, because the other integrations may still exist.
    pub(super) async fn previews_of_removed_integrations(
        &self,
        named_previews: &[NamedPreview],
        target: &PreviewRef,
        previews: &PreviewContext<'_>,
        gitbook: &GitBook,
    ) -> Vec<NamedPreview> {
        let covers_all = self.config.mode == Mode::Auto
            && !self.config.sets_integration_name()
            && !self.is_one_of_several_jobs()
            && integration::is_at_repository_root(self.checkout());
        let Some(forge) = self.forge.filter(|_| self.config.comment && covers_all) else {
            return Vec::new();
        };
        let work = async {
            // If the comment cannot be found now, this run reports the failure later, when it writes the comment.
            let comments = self.find_comments(forge, target, true).await.unwrap_or_default();
            let names =
                comments.iter().flat_map(ExistingComments::texts).flat_map(comment::existing_preview_names);
            let names = names.filter(|name| !named_previews.iter().any(|known| known.name == *name));
            let mut removed = Vec::new();
            for name in names.collect::<BTreeSet<_>>() {
                match gitbook.read(&name).await {
                    Ok(existing) => {
                        let integration = existing.and_then(|existing| previews.integration_of(&existing));
                        let location = SourceLocation::variable("GITBOOK_INTEGRATIONS");
                        removed.extend(integration.map(|integration| NamedPreview {
                            integration,
                            location,
                            name,
                        }));
                    }
                    Err(error) => {
                        tracing::warn!(
                            "could not read `{name}`, a preview of a removed integration: {error}; run `GITBOOK_MODE=sweep` to delete it"
                        );
                    }
                }
            }
            removed
        };
        self.cancel.run_until_cancelled(work).await.unwrap_or_default()
    }

    /// Updates the existing comments on the pull requests of a preview after a sweep has deleted the preview.
    pub(super) async fn comment_on_swept_preview(
        &self,
        forge: &Forge,
        target: &PreviewRef,
        rows: &[comment::Row],
    ) {
        if !self.writes_comments() {
            return;
        }
        let work = async |forge: &Forge| {
            let comments = self.find_comments(forge, target, true).await;
            self.update_comments(forge, comments, rows, false).await;
        };
        // After a signal, the time for the comment is limited, because the run must also write its outputs.
        match self.cancel.signal() {
            None => drop(self.cancel.run_with_grace_period(MAX_AFTER_SIGNAL, work(forge)).await),
            Some(_) => {
                let single_attempt = forge.single_attempt(MAX_AFTER_SIGNAL);
                drop(tokio::time::timeout(MAX_AFTER_SIGNAL, work(&single_attempt)).await);
            }
        }
    }

    /// Finds the comments on the target's pull request or, if it has none, on the pull requests from its branch.
    async fn find_comments(
        &self,
        forge: &Forge,
        target: &PreviewRef,
        include_closed: bool,
    ) -> Result<Vec<ExistingComments>, ForgeError> {
        let numbers = match target.pull_request {
            Some(number) => vec![number],
            None => forge.pull_request_numbers(&target.branch, !include_closed).await?,
        };
        let find = |number| forge.find_comment(number, comment::MARKER);
        try_join_all(numbers.into_iter().take(MAX_PULL_REQUESTS).map(find)).await
    }

    async fn update_comments(
        &self,
        forge: &Forge,
        comments: Result<Vec<ExistingComments>, ForgeError>,
        rows: &[comment::Row],
        create: bool,
    ) {
        match comments {
            Ok(comments) => {
                for existing in comments {
                    self.update_comment(forge, existing, rows, create).await;
                }
            }
            Err(error) => {
                newer_commit_check::report_forge_failure(
                    self.printer,
                    "could not update the comment",
                    &error,
                );
            }
        }
    }

    async fn update_comment(
        &self,
        forge: &Forge,
        existing: ExistingComments,
        rows: &[comment::Row],
        create: bool,
    ) {
        let pull_request = forge.kind().describe_pull_request(existing.number());
        let new_text = |existing_texts: &[String]| comment::merge_rows(existing_texts, rows);
        let update = CommentUpdate {
            new_text: &new_text,
            create_if_missing: create,
            has_other_jobs: self.is_one_of_several_jobs(),
        };
        match forge.update_comment(existing, &update).await {
            Ok(CommentResult::Written) => tracing::info!("updated the comment on {pull_request}"),
            Ok(CommentResult::Unverified(error)) => {
                tracing::info!("wrote the comment on {pull_request}, but could not read it back: {error}");
            }
            Ok(CommentResult::Unchanged | CommentResult::Missing)
            | Err(ForgeError::Request(RequestError::Cancelled)) => {}
            Err(error) => newer_commit_check::report_forge_failure(
                self.printer,
                &format!("could not write the comment on {pull_request}"),
                &error,
            ),
        }
    }

    fn writes_comments(&self) -> bool {
        self.config.comment && !self.config.dry_run
    }

    /// Returns true if other jobs may deploy other integrations of this repository.
    fn is_one_of_several_jobs(&self) -> bool {
        let patterns = self.config.integrations.as_ref();
        self.shard.is_some()
            || patterns
                .is_some_and(|patterns| integration::leaves_manifests_unselected(patterns, self.checkout()))
    }
}

/// Returns the current UTC time without seconds, such as `2026-01-31 09:05 UTC`.
pub(super) fn current_minute() -> String {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    format!("{} {} UTC", &time[..10], &time[11..16])
}
