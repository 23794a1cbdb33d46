//! Builds and validates integrations without publishing them.

use super::{CommandResult, Context};
use crate::deploy::Outcome;
use crate::error::Error;
use crate::integration::RequestedEnvs;

impl Context<'_> {
    /// Builds and validates the selected integrations. Uses the setting `GITBOOK_PREVIEW_ENV` in a run for a pull request, and
    /// `GITBOOK_ENV` otherwise.
    pub(super) async fn check(&self) -> CommandResult {
        let is_preview = self.ci.event.pull_request_number().is_some();
        let envs = if is_preview { &self.config.preview_envs } else { &self.config.envs };
        self.check_with_envs(envs).await
    }

    /// Builds and validates the selected integrations with the requested `envs` entries.
    pub(super) async fn check_with_envs(&self, envs: &RequestedEnvs) -> CommandResult {
        let mut result = CommandResult::default();
        let checked: Result<(), Error> = async {
            let selection = self.select(&mut result.problems)?;
            let share = self.share(&selection.sources);
            result.share_description = share.share_description;
            let integrations =
                self.package(&selection, &share.items, envs, false, &mut result.problems).await?;
            let _section = self.printer.start_section("checking", integrations.len(), "integration");
            result.outcomes =
                integrations.iter().map(|(integration, time)| Outcome::checked(integration, *time)).collect();
            Ok(())
        }
        .await;
        CommandResult { error: checked.err(), ..result }
    }
}
