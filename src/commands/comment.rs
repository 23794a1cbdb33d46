//! Writes the comment on the pull requests of a run.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use futures::future::try_join_all;

use super::{Context, staleness};
use crate::config::Mode;
use crate::deploy::{NamedPreview, Outcome, Previews};
use crate::diagnostic::SourceLocation;
use crate::error::Error;
use crate::forge::{CommentResult, CommentUpdate, ExistingComments, Forge, ForgeError};
use crate::gitbook::GitBook;
use crate::integration;
use crate::plan::{Decision, Target};
use crate::report::{RunReport, comment};

/// The time that a cancelled run may spend on the comment. GitHub's runner ends it soon after.
const AFTER_A_SIGNAL: Duration = Duration::from_millis(1500);

/// The maximum number of pull requests of one branch that get the comment. The newest come first.
const MAX_PULL_REQUESTS: usize = 5;

impl Context<'_> {
    /// Writes the results of the previews, failures included.
    pub(super) async fn comment(&self, decision: &Decision, run: &RunReport, error: Option<&Error>) {
        let (target, deletes) = match decision {
            Decision::Preview(target) => (target, false),
            Decision::Delete(target) => (target, true),
            _ => return,
        };
        let Some(forge) = self.forge.filter(|_| self.is_to_comment()) else { return };
        let rows = comment::rows(run, error, &now(), self.printer);
        if rows.is_empty() {
            return;
        }
        // The run that published a preview may not have written its comment yet, and would write a wrong one after this.
        let has_deleted = target.pull_request.is_some() && run.outcomes.iter().any(Outcome::has_deleted);
        let create = !deletes || has_deleted;
        let work = async |forge: &Forge| {
            let found = self.find_comments(forge, target, deletes).await;
            self.keep_all(forge, found, &rows, create).await;
        };
        match self.cancel.signal() {
            None => drop(self.cancel.run_with_grace_period(AFTER_A_SIGNAL, work(forge)).await),
            Some(_) => {
                let single_attempt = forge.single_attempt(AFTER_A_SIGNAL);
                drop(tokio::time::timeout(AFTER_A_SIGNAL, work(&single_attempt)).await);
            }
        }
    }

    /// Returns the previews of integrations that were removed from the branch since they were published. The comment lists
    /// them, and their ownership markers are read.
    ///
    /// Returns none if the configuration selects integrations by name or folder: others may still exist.
    pub(super) async fn removed_integrations(
        &self,
        named: &[NamedPreview],
        target: &Target,
        previews: &Previews<'_>,
        gitbook: &GitBook,
    ) -> Vec<NamedPreview> {
        let asks_for_all = self.config.mode == Mode::Auto
            && !self.config.names_integration()
            && !self.is_one_of_several()
            && integration::is_whole_repository(self.checkout());
        let Some(forge) = self.forge.filter(|_| self.config.comment && asks_for_all) else {
            return Vec::new();
        };
        let work = async {
            // Writing the comment reports a failure.
            let found = self.find_comments(forge, target, true).await.unwrap_or_default();
            let names = found.iter().flat_map(ExistingComments::texts).flat_map(comment::previews);
            let names = names.filter(|name| !named.iter().any(|known| known.name == *name));
            let mut removed = Vec::new();
            for name in names.collect::<BTreeSet<_>>() {
                match gitbook.read(&name).await {
                    Ok(existing) => {
                        let integration = existing.and_then(|existing| previews.integration_of(&existing));
                        let place = SourceLocation::variable("GITBOOK_INTEGRATIONS");
                        removed.extend(integration.map(|integration| NamedPreview {
                            integration,
                            place,
                            name,
                        }));
                    }
                    Err(error) => {
                        tracing::warn!(
                            "could not read `{name}` of a removed integration, so the sweep has to delete it: {error}"
                        );
                    }
                }
            }
            removed
        };
        self.cancel.run_until_cancelled(work).await.unwrap_or_default()
    }

    /// Writes to existing comments that a sweep has deleted a preview.
    pub(super) async fn comment_on_sweep(&self, forge: &Forge, target: &Target, rows: &[comment::Row]) {
        if !self.is_to_comment() {
            return;
        }
        let work = async |forge: &Forge| {
            let found = self.find_comments(forge, target, true).await;
            self.keep_all(forge, found, rows, false).await;
        };
        // After a signal, there must be time left to write the outputs.
        match self.cancel.signal() {
            None => drop(self.cancel.run_with_grace_period(AFTER_A_SIGNAL, work(forge)).await),
            Some(_) => {
                let single_attempt = forge.single_attempt(AFTER_A_SIGNAL);
                drop(tokio::time::timeout(AFTER_A_SIGNAL, work(&single_attempt)).await);
            }
        }
    }

    /// Returns the comments on the pull request of the event, or else on the pull requests from the branch.
    async fn find_comments(
        &self,
        forge: &Forge,
        target: &Target,
        closed_too: bool,
    ) -> Result<Vec<ExistingComments>, ForgeError> {
        let numbers = match target.pull_request {
            Some(number) => vec![number],
            None => forge.pull_requests(&target.branch, !closed_too).await?,
        };
        let find = |number| forge.find_comment(number, comment::MARKER);
        try_join_all(numbers.into_iter().take(MAX_PULL_REQUESTS).map(find)).await
    }

    async fn keep_all(
        &self,
        forge: &Forge,
        found: Result<Vec<ExistingComments>, ForgeError>,
        rows: &[comment::Row],
        create: bool,
    ) {
        match found {
            Ok(found) => {
                for found in found {
                    self.keep(forge, found, rows, create).await;
                }
            }
            Err(error) => staleness::warn(self.printer, "could not update the comment", &error),
        }
    }

    async fn keep(&self, forge: &Forge, found: ExistingComments, rows: &[comment::Row], create: bool) {
        let place = forge.kind().pull_request(found.number());
        let text = |there: &[String]| comment::merge(there, rows);
        let wish = CommentUpdate { text: &text, create, shared: self.is_one_of_several() };
        match forge.keep_comment(found, &wish).await {
            Ok(CommentResult::Written) => tracing::info!("updated the comment on {place}"),
            Ok(CommentResult::Unread(error)) => {
                tracing::info!("wrote the comment on {place}, but could not read it back: {error}");
            }
            Ok(CommentResult::Unchanged | CommentResult::None) | Err(ForgeError::Cancelled) => {}
            Err(error) => {
                staleness::warn(self.printer, &format!("could not write the comment on {place}"), &error)
            }
        }
    }

    fn is_to_comment(&self) -> bool {
        self.config.comment && !self.config.dry_run
    }

    /// Returns whether other jobs deploy other integrations.
    fn is_one_of_several(&self) -> bool {
        let patterns = self.config.integrations.as_ref();
        self.shard.is_some()
            || patterns.is_some_and(|patterns| integration::selects_only_part(patterns, self.checkout()))
    }
}

/// Returns the time to the minute.
pub(super) fn now() -> String {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    format!("{} {} UTC", &time[..10], &time[11..16])
}
