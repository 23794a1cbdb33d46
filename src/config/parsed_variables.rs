//! Reads the variables of the program from the environment.

use std::time::Duration;

use serde::Deserialize;

use super::from_variable::{Concurrency, Parsed, PreviewVisibility, Retries};
use super::token::Token;
use super::variables::{self, FIELDS};
use super::{BranchPatterns, Endpoint, Mode, Shard};
use crate::diagnostic::{Diagnostic, SourceLocation, most_similar_name};
use crate::environment::Environment;
use crate::integration::Override;
use crate::preview::Template;

/// The variables of `Config` with the prefix `GITBOOK_`, as typed fields.
///
/// The crate envy stops at the first error, names the field instead of the variable, and prints the value. Therefore each field
/// is a `Parsed`, which always deserializes successfully, and `Reader` reports the errors of all variables.
#[derive(Deserialize)]
pub(super) struct ParsedVariables {
    pub(super) token: Option<Parsed<Token>>,
    pub(super) endpoint: Option<Parsed<Endpoint>>,
    pub(super) sandbox_dir: Option<String>,
    pub(super) mode: Option<Parsed<Mode>>,
    pub(super) integrations: Option<String>,
    pub(super) env: Option<String>,
    pub(super) preview_env: Option<String>,
    pub(super) production_branch: Option<Parsed<BranchPatterns>>,
    pub(super) preview_name: Option<Parsed<Template>>,
    pub(super) preview_visibility: Option<Parsed<PreviewVisibility>>,
    pub(super) dry_run: Option<Parsed<bool>>,
    pub(super) bundle: Option<Parsed<bool>>,
    pub(super) skip_unchanged: Option<Parsed<bool>>,
    pub(super) concurrency: Option<Parsed<Concurrency>>,
    pub(super) shard: Option<Parsed<Shard>>,
    pub(super) timeout: Option<Parsed<Duration>>,
    pub(super) retries: Option<Parsed<Retries>>,
    pub(super) comment: Option<Parsed<bool>>,
    pub(super) deployments: Option<Parsed<bool>>,
}

impl ParsedVariables {
    /// Reads all variables in the table.
    ///
    /// # Errors
    /// Returns an error for each variable that is not Unicode.
    pub(super) fn read(environment: &Environment) -> Result<Self, Vec<Diagnostic>> {
        let unreadable: Vec<_> = variables::names()
            .filter(|name| environment.is_not_unicode(name))
            .map(|name| {
                Diagnostic::error(SourceLocation::variable(name), "the value is not UTF-8")
                    .with_hint("set it to UTF-8 text".to_owned())
            })
            .collect();
        if !unreadable.is_empty() {
            return Err(unreadable);
        }
        // Without this filter, envy would also read `GITBOOK_GITBOOK_MODE` and `GITBOOK_mode` as `GITBOOK_MODE`.
        let known =
            variables::names().filter_map(|name| Some((name.to_owned(), environment.get(name)?.to_owned())));
        envy::prefixed("GITBOOK_").from_iter(known).map_err(|error| {
            vec![Diagnostic::error(None, format!("could not read the environment: {error}"))]
        })
    }
}

/// Returns the manifest fields that variables set, sorted by variable name.
pub(super) fn read_overrides(environment: &Environment) -> Vec<Override> {
    let fields = FIELDS.iter().filter_map(|field| {
        let value = environment.get(field.name)?.to_owned();
        Some(Override { key: field.key, variable: field.name.to_owned(), format: field.format, value })
    });
    let mut overrides: Vec<_> = fields.collect();
    overrides.sort_by(|a, b| a.variable.cmp(&b.variable));
    overrides
}

/// Returns a warning for each unknown variable with a name that is similar to a known name.
pub(super) fn find_misspelled_names(environment: &Environment) -> Vec<Diagnostic> {
    let unknown = environment.names().filter(|name| variables::names().all(|known| known != *name));
    let warning = |name: &str| {
        // Names are compared without the common prefix, because the prefix would make all names similar.
        let suffix = name.strip_prefix("GITBOOK_")?;
        let suffixes = variables::names().filter_map(|known| known.strip_prefix("GITBOOK_"));
        let suggestion = most_similar_name(suffix, suffixes)?;
        let message = "unknown variable; it has no effect";
        let hint = format!("did you mean `GITBOOK_{suggestion}`?");
        Some(Diagnostic::warning(SourceLocation::variable(name), message).with_hint(hint))
    };
    unknown.filter_map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::find_misspelled_names;
    use crate::environment::Environment;

    #[test]
    fn suggests_the_name_closest_to_a_misspelled_variable() {
        let check = |name: &str, expected: Option<&str>| {
            let warnings = find_misspelled_names(&Environment::of(&[(name, "x")]));
            let hint = warnings.first().map(|warning| warning.hint.clone().unwrap());
            assert_eq!(hint, expected.map(|known| format!("did you mean `{known}`?")), "{name}");
        };
        check("GITBOOK_TOKNE", Some("GITBOOK_TOKEN"));
        check("GITBOOK_INTEGRATION", Some("GITBOOK_INTEGRATIONS"));
        check("GITBOOK_TITEL", Some("GITBOOK_TITLE"));
        check("GITBOOK_TOKEN", None);
        check("GITBOOK_SOMETHING_ELSE", None);
        check("OTHER_TOKEN", None);
    }
}
