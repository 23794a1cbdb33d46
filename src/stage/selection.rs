//! Selects the integrations that a run is about.

use super::Stage;
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use crate::integration::{self, Incomplete, Source};
use crate::report::Run;

/// What is to be deployed, and what of it was not found: that is told with all other problems.
pub(super) struct Selection {
    pub(super) sources: Vec<Source>,
    pub(super) problems: Vec<Diagnostic>,
}

impl From<Vec<Source>> for Selection {
    fn from(sources: Vec<Source>) -> Self {
        Self { sources, problems: Vec::new() }
    }
}

impl Stage<'_> {
    /// The sources that `GITBOOK_INTEGRATIONS` selects, or the one that the variables are.
    pub(super) fn select(&self, run: &mut Run) -> Result<Selection, Error> {
        let folder = self.environment.folder();
        let Selection { sources, problems } = match integration::discover(&self.config.patterns(), folder) {
            Ok(sources) => sources.into(),
            // Nothing was asked for by path, and the variables give an integration its name: they are the manifest.
            Err(Incomplete { found, is_unsearched: false, .. })
                if found.is_empty()
                    && self.config.integrations.is_none()
                    && self.config.names_integration() =>
            {
                vec![integration::from_variables(folder)].into()
            }
            Err(Incomplete { found, problems, .. }) => Selection { sources: found, problems },
        };
        // Whose the variable is can't be told, so neither can what is wrong with them.
        if let Some(ambiguous) = self.config.override_for_one_only().filter(|_| sources.len() > 1) {
            self.tell(problems.into_iter().chain([ambiguous]).collect(), run)?;
            return Ok(sources.into());
        }
        Ok(Selection { sources, problems })
    }

    /// The sources whose names matter only. There may be no checkout any more: then a variable gives the name.
    pub(super) fn select_names(&self, run: &mut Run) -> Result<Selection, Error> {
        if self.config.names_integration() {
            Ok(vec![integration::from_variables(self.environment.folder())].into())
        } else {
            self.select(run)
        }
    }
}
