//! Selects the integrations that a run processes.

use super::Context;
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use crate::integration::{self, DiscoveryError, IntegrationSource};

/// The selected integrations, and the problems of the search for manifests, such as a pattern that selects no manifest.
pub(super) struct Selection {
    pub(super) sources: Vec<IntegrationSource>,
    pub(super) problems: Vec<Diagnostic>,
}

impl From<Vec<IntegrationSource>> for Selection {
    fn from(sources: Vec<IntegrationSource>) -> Self {
        Self { sources, problems: Vec::new() }
    }
}

impl Context<'_> {
    /// Returns the integrations that `GITBOOK_INTEGRATIONS` selects. If there is no manifest, returns the integration that environment
    /// variables define.
    pub(super) fn select(&self, problems: &mut Vec<Diagnostic>) -> Result<Selection, Error> {
        let folder = self.environment.current_folder();
        let Selection { sources, problems: new_problems } =
            match integration::discover(&self.config.integration_patterns(), folder) {
                Ok(sources) => sources.into(),
                // Without manifests, `GITBOOK_NAME` and the other variables define the integration.
                Err(DiscoveryError { manifests, is_incomplete: false, .. })
                    if manifests.is_empty()
                        && self.config.integrations.is_none()
                        && self.config.sets_integration_name() =>
                {
                    vec![integration::source_without_manifest(folder)].into()
                }
                Err(DiscoveryError { manifests, problems, .. }) => Selection { sources: manifests, problems },
            };
        // A variable for a single integration, such as `GITBOOK_NAME`, is set, but several integrations are selected. Only this
        // error is reported, since it may cause the other errors.
        if let Some(ambiguous) = self.config.multiple_integrations_error().filter(|_| sources.len() > 1) {
            self.report_problems(new_problems.into_iter().chain([ambiguous]).collect(), problems)?;
            return Ok(sources.into());
        }
        Ok(Selection { sources, problems: new_problems })
    }

    /// Returns the selected integrations for a command that needs only their names. If `GITBOOK_NAME` is set, no checkout is needed.
    pub(super) fn select_for_deletion(&self, problems: &mut Vec<Diagnostic>) -> Result<Selection, Error> {
        if self.config.sets_integration_name() {
            Ok(vec![integration::source_without_manifest(self.environment.current_folder())].into())
        } else {
            self.select(problems)
        }
    }
}
