//! Calculates the number of machines that a later job should use.

use super::{CommandResult, Context};
use crate::config::recommended_shard_count;
use crate::error::pluralize;
use crate::integration;
use crate::plan::Decision;
use crate::report::ShardPlan;

/// The weight of the work that one machine can do while another machine starts, checks out the repository and installs packages.
const START_COST: u64 = 64 * integration::REQUEST_WEIGHT;

impl<'a> Context<'a> {
    /// Checks the integrations that a later job will deploy, and calculates the number of machines that the job should use.
    pub(super) async fn plan(&self, decision: &'a Decision) -> CommandResult {
        let without_shard = Self { shard: None, ..*self };
        let mut result = CommandResult::default();
        let planned = async {
            let weights = match decision {
                Decision::Publish => {
                    result = without_shard.check_with_envs(&self.config.envs).await;
                    result.take_error()?;
                    integration::integration_weights(&self.select(&mut result.problems)?.sources)
                }
                Decision::Preview(target) => {
                    let previews = self.preview_context(target)?;
                    result = without_shard.check_with_envs(&self.config.preview_envs).await;
                    result.take_error()?;
                    let selection = self.select(&mut result.problems)?;
                    self.unique_preview_names(&selection, &previews, &mut result.problems)?;
                    for outcome in &mut result.outcomes {
                        (outcome.name, outcome.is_preview) = (previews.name(&outcome.name), true);
                    }
                    integration::integration_weights(&selection.sources)
                }
                Decision::Delete(target) => {
                    let previews = self.preview_context(target)?;
                    let selection = self.select_for_deletion(&mut result.problems)?;
                    let named_previews =
                        self.unique_preview_names(&selection, &previews, &mut result.problems)?;
                    vec![integration::REQUEST_WEIGHT; named_previews.len()]
                }
                Decision::Check | Decision::Plan(_) => {
                    result = without_shard.check().await;
                    result.take_error()?;
                    integration::integration_weights(&self.select(&mut result.problems)?.sources)
                }
                Decision::Sweep | Decision::Nothing | Decision::Refuse(_) => Vec::new(),
            };
            let shard_plan = ShardPlan {
                integrations: weights.len(),
                shards: recommended_shard_count(&weights, START_COST),
            };
            let share_description = format!(
                "{} in {}",
                pluralize(shard_plan.integrations, "integration"),
                pluralize(shard_plan.shards, "shard")
            );
            tracing::info!("{share_description}");
            (result.shard_plan, result.share_description) = (Some(shard_plan), Some(share_description));
            Ok(())
        }
        .await;
        CommandResult { error: planned.err(), ..result }
    }
}
