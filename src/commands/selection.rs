//! Selects the integrations of a run.

use super::Context;
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use crate::integration::{self, DiscoveryError, IntegrationSource};

/// The selected integrations, and the problems of those that were not found.
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
    /// Returns the integrations that `GITBOOK_INTEGRATIONS` selects, or the one that the variables define.
    pub(super) fn select(&self, problems: &mut Vec<Diagnostic>) -> Result<Selection, Error> {
        let folder = self.environment.folder();
        let Selection { sources, problems: found } =
            match integration::discover(&self.config.patterns(), folder) {
                Ok(sources) => sources.into(),
                // Without a path and a manifest, the variables are the manifest if they give a name.
                Err(DiscoveryError { found, is_unsearched: false, .. })
                    if found.is_empty()
                        && self.config.integrations.is_none()
                        && self.config.names_integration() =>
                {
                    vec![integration::from_variables(folder)].into()
                }
                Err(DiscoveryError { found, problems, .. }) => Selection { sources: found, problems },
            };
        // An override for one integration is ambiguous, so other problems could be its consequences.
        if let Some(ambiguous) = self.config.single_integration_override().filter(|_| sources.len() > 1) {
            self.report_problems(found.into_iter().chain([ambiguous]).collect(), problems)?;
            return Ok(sources.into());
        }
        Ok(Selection { sources, problems: found })
    }

    /// Returns the integrations if only their names matter. A variable may give the name without a checkout.
    pub(super) fn select_names(&self, problems: &mut Vec<Diagnostic>) -> Result<Selection, Error> {
        if self.config.names_integration() {
            Ok(vec![integration::from_variables(self.environment.folder())].into())
        } else {
            self.select(problems)
        }
    }
}
