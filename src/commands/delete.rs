//! Deletes the previews of a branch.

use super::{CommandResult, Context, skipped_outcomes};
use crate::deploy::Verdict;
use crate::plan::PreviewRef;

impl<'a> Context<'a> {
    /// Deletes the previews of a branch. Reads only the names of the integrations, and does not build their scripts.
    pub(super) async fn delete(&self, target: &'a PreviewRef) -> CommandResult {
        let mut result = CommandResult::default();
        let deleted = async {
            let previews = self.preview_context(target)?;
            let selection = self.select_for_deletion(&mut result.problems)?;
            let named_previews = self.unique_preview_names(&selection, &previews, &mut result.problems)?;
            let share = self.share_equally(named_previews);
            (result.previews, result.share_description) = (share.items, share.share_description);
            let precondition = self.deletion_check(target);
            if let Verdict::Stop(stop) = precondition.recent_verdict().await {
                let previews = std::mem::take(&mut result.previews);
                let items = previews.iter().map(|preview| (preview.name.clone(), &preview.location));
                result.outcomes = skipped_outcomes(items, true, &stop.to_string());
                return Ok(());
            }
            let gitbook = self.gitbook().await?;
            let deployer = self.deployer(&gitbook);
            let mut outcomes = self
                .deploy_all("deleting", &result.previews, async |preview| {
                    let _item = self.printer.start_item(&preview.name);
                    deployer.delete(preview, &previews, &precondition).await
                })
                .await;
            for preview in
                self.previews_of_removed_integrations(&result.previews, target, &previews, &gitbook).await
            {
                outcomes.push(deployer.delete(&preview, &previews, &precondition).await);
            }
            result.outcomes = self.check_reopened(&precondition, outcomes).await;
            self.check_outcomes(&result.outcomes)
        }
        .await;
        CommandResult { error: deleted.err(), ..result }
    }
}
