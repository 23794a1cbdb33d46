//! Publishes integrations to production.

use super::{CommandResult, Context, Timed, in_order, skipped};
use crate::deploy::Verdict;

impl Context<'_> {
    /// Publishes the selected integrations to production.
    pub(super) async fn publish(&self) -> CommandResult {
        let mut result = CommandResult::default();
        let published = async {
            let selection = self.select(&mut result.problems)?;
            let share = self.share(&selection.sources);
            result.division = share.division;
            // The forge is asked while the integrations are packaged.
            let staleness = self.production_check();
            let env = self.config.env.as_deref();
            let (verdict, packaged) = futures::join!(
                staleness.recent(),
                self.package(&selection, &share.items, env, true, &mut result.problems)
            );
            let integrations = packaged?;
            if let Verdict::Stop(stop) = verdict {
                let reason = stop.to_string();
                // Without a preview and its comment, only a notice shows that production was not published.
                self.printer.notice(&format!("not published to production: {reason}"));
                let items = integrations.iter().map(|(i, _)| (i.name.clone(), &i.place));
                result.outcomes = skipped(items, false, &reason);
                return Ok(());
            }
            let gitbook = self.gitbook().await?;
            let deployment = self.deployment(&gitbook);
            // All integrations are read before the first is changed, so that one answer of the forge serves all.
            let look = async |timed: &'_ Timed| deployment.look(&timed.0.name).await;
            let looks = in_order(&integrations, self.config.concurrency.get(), look).await;
            let looked: Vec<_> = integrations.iter().zip(looks).collect();
            result.outcomes = self
                .deploy_all("publishing", looked, async |((built, time), look)| {
                    let _item = self.printer.start_item(&built.name);
                    deployment.publish(built, look, &staleness).await.packaged_in(*time)
                })
                .await;
            self.into_result(&result.outcomes)
        }
        .await;
        CommandResult { error: published.err(), ..result }
    }
}
