//! Divides the work among the machines of a job, and plans how many there are to be.

use super::Context;
use crate::config::{Shard, shares_worth};
use crate::error::{Error, count};
use crate::integration::{self, IntegrationSource};
use crate::plan::Decision;
use crate::report::{RunReport, Shares};

/// How much work is done in the time that a machine takes to start, with its checkout and packages.
const START: u64 = 64 * integration::REQUEST_WEIGHT;

impl Context<'_> {
    /// Checks what the later job will do, and divides all the work among its runners.
    pub(crate) async fn plan(&self, decision: &Decision, run: &mut RunReport) -> Result<(), Error> {
        let all = Self { shard: None, ..*self };
        let weights = match decision {
            Decision::Publish => {
                all.check_with(self.config.env.as_deref(), run).await?;
                integration::weights(&self.select(run)?.sources)
            }
            Decision::Preview(target) => {
                let previews = self.previews(target)?;
                all.check_with(self.config.preview_env.as_deref(), run).await?;
                let selection = self.select(run)?;
                self.preview_names(&selection, &previews, run)?;
                for outcome in &mut run.outcomes {
                    (outcome.name, outcome.preview) = (previews.name(&outcome.name), true);
                }
                integration::weights(&selection.sources)
            }
            Decision::Delete(target) => {
                let previews = self.previews(target)?;
                let named = self.preview_names(&self.select_names(run)?, &previews, run)?;
                vec![integration::REQUEST_WEIGHT; named.len()]
            }
            Decision::Check | Decision::Plan(_) => {
                all.check(run).await?;
                integration::weights(&self.select(run)?.sources)
            }
            Decision::Sweep | Decision::Nothing | Decision::Refuse(_) => Vec::new(),
        };
        let shares = Shares { count: weights.len(), total: shares_worth(&weights, START) };
        run.shares = Some(shares);
        let division = format!("{} in {}", count(shares.count, "integration"), count(shares.total, "share"));
        tracing::info!("{division}");
        run.division = Some(division);
        Ok(())
    }

    /// This machine's share of the sources.
    pub(super) fn share<'s>(
        &self,
        sources: &'s [IntegrationSource],
        run: &mut RunReport,
    ) -> Vec<&'s IntegrationSource> {
        match self.shard {
            Some(shard) => told(shard, integration::weights(sources).into_iter().zip(sources), run),
            None => sources.iter().collect(),
        }
    }

    /// This machine's share of what is equally much work, whatever is checked out.
    pub(super) fn share_of_equals<T>(&self, items: Vec<T>, run: &mut RunReport) -> Vec<T> {
        match self.shard {
            Some(shard) => {
                told(shard, items.into_iter().map(|item| (integration::REQUEST_WEIGHT, item)), run)
            }
            None => items,
        }
    }
}

/// The items of a share. How many they are is said, since a share that has none is no mistake.
fn told<T>(shard: Shard, items: impl ExactSizeIterator<Item = (u64, T)>, run: &mut RunReport) -> Vec<T> {
    let all = count(items.len(), "integration");
    let mine = shard.of(items);
    let division = match mine.len() {
        0 => format!("share {shard} has none of {all}: nothing is to be done here"),
        count => format!("share {shard} has {count} of {all}"),
    };
    tracing::info!("{division}");
    run.division = Some(division);
    mine
}
