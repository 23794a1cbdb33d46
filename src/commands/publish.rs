//! Publishes integrations to production.

use super::{CommandResult, Context, TimedIntegration, run_concurrently, skipped_outcomes};
use crate::deploy::Verdict;

impl Context<'_> {
    /// Publishes the selected integrations to production.
    pub(super) async fn publish(&self) -> CommandResult {
        let mut result = CommandResult::default();
        let published = async {
            let selection = self.select(&mut result.problems)?;
            let share = self.share(&selection.sources);
            result.share_description = share.share_description;
            // The check for a newer commit runs while the integrations are packaged.
            let precondition = self.production_check();
            let envs = &self.config.envs;
            let (verdict, packaged) = futures::join!(
                precondition.recent_verdict(),
                self.package(&selection, &share.items, envs, true, &mut result.problems)
            );
            let integrations = packaged?;
            if let Verdict::Stop(stop) = verdict {
                let reason = stop.to_string();
                // Production has no comment on a pull request, so a notice must show that nothing was published.
                self.printer.print_notice(&format!("not published to production: {reason}"));
                let items = integrations.iter().map(|(i, _)| (i.name.clone(), &i.location));
                result.outcomes = skipped_outcomes(items, false, &reason);
                return Ok(());
            }
            let gitbook = self.gitbook().await?;
            let deployer = self.deployer(&gitbook);
            // All integrations are read before the first request, so that one check for a newer commit covers all of them.
            let read = async |timed: &'_ TimedIntegration| deployer.read_production(&timed.0.name).await;
            let snapshots = run_concurrently(&integrations, self.config.concurrency.get(), read).await;
            let items: Vec<_> = integrations.iter().zip(snapshots).collect();
            result.outcomes = self
                .deploy_all("publishing", items, async |((integration, time), snapshot)| {
                    let _item = self.printer.start_item(&integration.name);
                    deployer.publish(integration, snapshot, &precondition).await.with_packaging_time(*time)
                })
                .await;
            self.check_outcomes(&result.outcomes)
        }
        .await;
        CommandResult { error: published.err(), ..result }
    }
}
