//! Keeps the comment on the pull requests that a run is about.

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

/// How long a cancelled run may take to say so: what GitHub's runner gives it is nearly over.
const AFTER_A_SIGNAL: Duration = Duration::from_millis(1500);

/// A branch whose pull requests are many is told of in the newest.
const MOST_PULL_REQUESTS: usize = 5;

impl Context<'_> {
    /// Says what came of the previews, also where that is a failure.
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
        // A preview that was there without a comment has a run which is about to write one that would be wrong.
        let has_deleted = target.pull_request.is_some() && run.outcomes.iter().any(Outcome::has_deleted);
        let create = !deletes || has_deleted;
        let work = async |forge: &Forge| {
            let found = self.find_comments(forge, target, deletes).await;
            self.keep_all(forge, found, &rows, create).await;
        };
        match self.cancel.signal() {
            None => drop(self.cancel.or_after(AFTER_A_SIGNAL, work(forge)).await),
            Some(_) => {
                let single_attempt = forge.single_attempt(AFTER_A_SIGNAL);
                drop(tokio::time::timeout(AFTER_A_SIGNAL, work(&single_attempt)).await);
            }
        }
    }

    /// The previews of integrations that have left the branch since they were published: the comment tells of them.
    /// Whether they are ours is the mark's to say.
    ///
    /// Only where an event asks for all previews of the branch: what is selected by name or folder leaves others out.
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
            // That there is no answer is told when the comment is written.
            let found = self.find_comments(forge, target, true).await.unwrap_or_default();
            let names = found.iter().flat_map(ExistingComments::texts).flat_map(comment::previews);
            let names = names.filter(|name| !named.iter().any(|known| known.name == *name));
            let mut removed_integrations = Vec::new();
            for name in names.collect::<BTreeSet<_>>() {
                match gitbook.read(&name).await {
                    Ok(existing) => {
                        let integration = existing.and_then(|existing| previews.integration_of(&existing));
                        let place = SourceLocation::variable("GITBOOK_INTEGRATIONS");
                        removed_integrations.extend(integration.map(|integration| NamedPreview {
                            integration,
                            place,
                            name,
                        }));
                    }
                    Err(error) => {
                        tracing::warn!("`{name}`, which has left the branch, is left to the sweep: {error}");
                    }
                }
            }
            removed_integrations
        };
        self.cancel.or_at_once(work).await.unwrap_or_default()
    }

    /// Says in what comments there are that a sweep has deleted a preview.
    pub(super) async fn comment_on_sweep(&self, forge: &Forge, target: &Target, rows: &[comment::Row]) {
        if !self.is_to_comment() {
            return;
        }
        let work = async |forge: &Forge| {
            let found = self.find_comments(forge, target, true).await;
            self.keep_all(forge, found, rows, false).await;
        };
        // Whatever the forge does after a signal, there must be time left to write the outputs.
        match self.cancel.signal() {
            None => drop(self.cancel.or_after(AFTER_A_SIGNAL, work(forge)).await),
            Some(_) => {
                let single_attempt = forge.single_attempt(AFTER_A_SIGNAL);
                drop(tokio::time::timeout(AFTER_A_SIGNAL, work(&single_attempt)).await);
            }
        }
    }

    /// The comments on the pull request of the event, or else on those from the branch: the open ones, or all.
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
        try_join_all(numbers.into_iter().take(MOST_PULL_REQUESTS).map(find)).await
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
            Err(error) => staleness::tell(self.printer, "no comment is kept", &error),
        }
    }

    async fn keep(&self, forge: &Forge, found: ExistingComments, rows: &[comment::Row], create: bool) {
        let place = forge.kind().pull_request(found.number());
        let text = |there: &[String]| comment::text(there, rows);
        let wish = CommentUpdate { text: &text, create, shared: self.is_one_of_several() };
        match forge.keep_comment(found, &wish).await {
            Ok(CommentResult::Written) => tracing::info!("the comment on {place} is up to date"),
            Ok(CommentResult::Unread(error)) => {
                tracing::info!("the comment on {place} was written, but not read back: {error}");
            }
            Ok(CommentResult::Unchanged | CommentResult::None) | Err(ForgeError::Cancelled) => {}
            Err(error) => staleness::tell(self.printer, &format!("no comment on {place}"), &error),
        }
    }

    fn is_to_comment(&self) -> bool {
        self.config.comment && !self.config.dry_run
    }

    /// Whether other jobs deploy what this one does not.
    fn is_one_of_several(&self) -> bool {
        let patterns = self.config.integrations.as_ref();
        self.shard.is_some()
            || patterns.is_some_and(|patterns| integration::selects_only_part(patterns, self.checkout()))
    }
}

/// The time to the minute.
pub(super) fn now() -> String {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    format!("{} {} UTC", &time[..10], &time[11..16])
}
