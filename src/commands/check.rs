//! Builds and validates integrations without publishing them.

use super::{CommandResult, Context};
use crate::deploy::Outcome;
use crate::error::Error;

impl Context<'_> {
    /// Builds and validates the selected integrations: for previews in a pull request, and otherwise for production.
    pub(super) async fn check(&self) -> CommandResult {
        let is_preview = self.ci.event.pull_request_number().is_some();
        let env = if is_preview { &self.config.preview_env } else { &self.config.env };
        self.check_with_env(env.as_deref()).await
    }

    /// Builds and validates the selected integrations with an entry of `envs` in their manifests. `env` is the name of the entry.
    pub(super) async fn check_with_env(&self, env: Option<&str>) -> CommandResult {
        let mut result = CommandResult::default();
        let checked: Result<(), Error> = async {
            let selection = self.select(&mut result.problems)?;
            let share = self.share(&selection.sources);
            result.share_description = share.share_description;
            let integrations =
                self.package(&selection, &share.items, env, false, &mut result.problems).await?;
            let _section = self.printer.start_section("checking", integrations.len(), "integration");
            result.outcomes =
                integrations.iter().map(|(integration, time)| Outcome::checked(integration, *time)).collect();
            Ok(())
        }
        .await;
        CommandResult { error: checked.err(), ..result }
    }
}
