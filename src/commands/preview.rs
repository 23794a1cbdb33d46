//! Publishes previews of a branch.

use super::{CommandResult, Context, skipped_outcomes};
use crate::deploy::Verdict;
use crate::plan::PreviewRef;

impl<'a> Context<'a> {
    /// Publishes the previews of a branch.
    pub(super) async fn preview(&self, target: &'a PreviewRef) -> CommandResult {
        let mut result = CommandResult::default();
        let published = async {
            self.refuse_unverified_comment(target).await?;
            let previews = self.preview_context(target)?;
            let selection = self.select(&mut result.problems)?;
            let share = self.share(&selection.sources);
            result.share_description = share.share_description;
            result.previews = self.valid_preview_names(&share.items, &previews);
            let precondition = self.preview_check(target);
            let envs = &self.config.preview_envs;
            let (verdict, packaged) = futures::join!(
                precondition.recent_verdict(),
                self.package(&selection, &share.items, envs, true, &mut result.problems)
            );
            let integrations = packaged?;
            self.unique_preview_names(&selection, &previews, &mut result.problems)?;
            if let Verdict::Stop(stop) = verdict {
                let previews = std::mem::take(&mut result.previews);
                let items = previews.iter().map(|preview| (preview.name.clone(), &preview.location));
                result.outcomes = skipped_outcomes(items, true, &stop.to_string());
                return Ok(());
            }
            let gitbook = self.gitbook().await?;
            let deployer = self.deployer(&gitbook);
            let outcomes = self
                .deploy_all("publishing", &integrations, async |(integration, time)| {
                    let _item = self.printer.start_item(&integration.name);
                    deployer.preview(integration, &previews, &precondition).await.with_packaging_time(*time)
                })
                .await;
            let named_previews = &result.previews;
            result.outcomes = self
                .recheck_published_previews(&deployer, &previews, &integrations, named_previews, outcomes)
                .await;
            self.check_outcomes(&result.outcomes)
        }
        .await;
        CommandResult { error: published.err(), ..result }
    }
}
