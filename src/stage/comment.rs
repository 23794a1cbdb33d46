//! Keeps the comment on the pull requests that a run is about.

use std::time::{Duration, SystemTime};

use super::{Stage, races};
use crate::error::Error;
use crate::forge::{Forge, ForgeError, Kept, Wish};
use crate::plan::{Decision, Target};
use crate::preview::Branch;
use crate::report::{Run, comment};

/// How long a cancelled run may take to say so: what GitHub's runner gives it is nearly over.
const AFTER_A_SIGNAL: Duration = Duration::from_millis(1500);

/// A branch whose pull requests are many is told of in the newest.
const MOST_PULL_REQUESTS: usize = 5;

impl Stage<'_> {
    /// Says what came of the previews, also where that is a failure.
    pub(crate) async fn comment(&self, decision: &Decision, run: &mut Run, error: Option<&Error>) {
        let (target, deletes) = match decision {
            Decision::Preview(target) => (target, false),
            Decision::Delete(target) => (target, true),
            _ => return,
        };
        let Some(forge) = self.forge.filter(|_| self.comments()) else { return };
        let rows = comment::rows(run, error, &now(), self.printer);
        if rows.is_empty() {
            return;
        }
        let mut work = async |forge: &Forge| {
            if deletes && let Some(numbers) = self.told_of(forge, &target.branch, target.pull_request).await {
                run.pull_requests = numbers;
            }
            for number in &run.pull_requests {
                self.keep(forge, *number, &rows, !deletes).await;
            }
        };
        match self.cancel.signal() {
            None => work(forge).await,
            Some(_) => {
                let hurried = forge.hurried(AFTER_A_SIGNAL);
                drop(tokio::time::timeout(AFTER_A_SIGNAL, work(&hurried)).await);
            }
        }
    }

    /// Says in what comments there are that a sweep has deleted a preview.
    pub(super) async fn comment_on_sweep(&self, forge: &Forge, target: &Target, rows: &[comment::Row]) {
        if !self.comments() {
            return;
        }
        let work = async |forge: &Forge| {
            let numbers = self.told_of(forge, &target.branch, target.pull_request).await;
            for number in numbers.unwrap_or_default() {
                self.keep(forge, number, rows, false).await;
            }
        };
        // Whatever the forge does after a signal, there must be time left to write the outputs.
        match self.cancel.signal() {
            None => drop(self.cancel.or_after_grace(work(forge)).await),
            Some(_) => {
                let hurried = forge.hurried(AFTER_A_SIGNAL);
                drop(tokio::time::timeout(AFTER_A_SIGNAL, work(&hurried)).await);
            }
        }
    }

    fn comments(&self) -> bool {
        self.config.comment && !self.config.dry_run
    }

    /// The pull requests to comment on: that of the event, or those that are open from the branch.
    pub(super) async fn pull_requests(&self, target: &Target) -> Vec<u64> {
        let Some(forge) = self.forge.filter(|_| self.comments()) else { return Vec::new() };
        if let Some(number) = target.pull_request {
            return vec![number];
        }
        match self.cancel.or_at_once(forge.pull_requests(&target.branch, true)).await {
            Ok(Ok(numbers)) => numbers.into_iter().take(MOST_PULL_REQUESTS).collect(),
            Ok(Err(error)) => {
                races::tell(self.printer, "no comment is kept", &error);
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// The pull requests, closed ones too, in which there may be a comment.
    async fn told_of(&self, forge: &Forge, branch: &Branch, pull_request: Option<u64>) -> Option<Vec<u64>> {
        if let Some(number) = pull_request {
            return Some(vec![number]);
        }
        match forge.pull_requests(branch, false).await {
            Ok(numbers) => Some(numbers.into_iter().take(MOST_PULL_REQUESTS).collect()),
            Err(error) => {
                races::tell(self.printer, "the comment does not say that the preview is gone", &error);
                None
            }
        }
    }

    async fn keep(&self, forge: &Forge, number: u64, rows: &[comment::Row], create: bool) {
        let wish = Wish {
            number,
            marker: comment::MARKER,
            text: &|there| comment::text(there, rows),
            create,
            // Other jobs deploy what this one does not.
            shared: self.shard.is_some() || self.config.integrations.is_some(),
        };
        match forge.keep_comment(&wish).await {
            Ok(Kept::Written) => tracing::info!("the comment on pull request #{number} is up to date"),
            Ok(Kept::Unchanged | Kept::None) => {}
            Err(ForgeError::Cancelled) => {}
            Err(error) => {
                races::tell(self.printer, &format!("no comment on pull request #{number}"), &error);
            }
        }
    }
}

/// The time to the minute.
pub(super) fn now() -> String {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    format!("{} {} UTC", &time[..10], &time[11..16])
}
