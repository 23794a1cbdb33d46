//! The `envs` entries that a run requests, and their use by the selected manifests.

use std::collections::BTreeSet;

use super::manifest::split_list;
use super::{IntegrationSource, Packaging, load_manifest};
use crate::diagnostic::{Diagnostic, SourceLocation, most_similar_name};

/// The `envs` entries that a variable requests. Each manifest uses the first entry that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestedEnvs {
    /// The variable; empty if none is set.
    variable: &'static str,
    names: Vec<String>,
}

/// The result of comparing the requested entries with the manifests.
#[derive(Debug, Default)]
pub(crate) struct EnvsCheck {
    /// An error if no manifest has a requested entry, or else a warning for each entry that no manifest has.
    pub problems: Vec<Diagnostic>,
    /// A notice if only some manifests have a requested entry.
    pub notice: Option<String>,
}

impl RequestedEnvs {
    /// Parses the value of `GITBOOK_ENV` or `GITBOOK_PREVIEW_ENV`.
    pub(crate) fn parse(variable: &'static str, text: &str) -> Self {
        Self { variable, names: split_list(text).map(str::to_owned).collect() }
    }

    /// Returns the names of the entries, in the order of preference. Empty if no entry is requested.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Checks that the selected manifests have the requested `envs` entries. Skips unreadable manifests, which packaging reports.
    pub(crate) fn check(&self, sources: &[IntegrationSource], packaging: &Packaging<'_>) -> EnvsCheck {
        let manifests = sources.iter().filter_map(|source| load_manifest(source, packaging).ok());
        self.compare(&manifests.map(|manifest| manifest.env_names()).collect::<Vec<_>>())
    }

    /// Compares the requested entries with the entries of each manifest.
    fn compare(&self, manifests: &[Vec<String>]) -> EnvsCheck {
        if self.names.is_empty() || manifests.is_empty() {
            return EnvsCheck::default();
        }
        let has_requested = |entries: &&Vec<String>| self.names.iter().any(|name| entries.contains(name));
        let matching = manifests.iter().filter(has_requested).count();
        let known: BTreeSet<_> = manifests.iter().flatten().map(String::as_str).collect();
        if matching == 0 {
            let message = format!("no selected manifest has {} in `envs`", self.describe_names());
            return EnvsCheck { problems: vec![self.error(message, &known)], notice: None };
        }
        let unused = self.names.iter().filter(|name| !known.contains(name.as_str()));
        let problems = unused.map(|name| self.unused_warning(name, &known)).collect();
        let others = manifests.len() - matching;
        let notice = (others > 0).then(|| {
            let total = manifests.len();
            format!(
                "`{}`: {others} of {total} manifests do not have {} in `envs` and are used unchanged",
                self.variable,
                self.describe_names()
            )
        });
        EnvsCheck { problems, notice }
    }

    fn describe_names(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| format!("`{name}`")).collect();
        names.join(" or ")
    }

    fn error(&self, message: String, known: &BTreeSet<&str>) -> Diagnostic {
        let similar = self.names.iter().find_map(|name| most_similar_name(name, known.iter().copied()));
        let hint = match similar {
            Some(name) => format!("did you mean `{name}`?"),
            None if known.is_empty() => format!("add `envs` to a manifest, or unset `{}`", self.variable),
            None => {
                let known: Vec<_> = known.iter().copied().collect();
                format!("use one of: {}", known.join(", "))
            }
        };
        Diagnostic::error(SourceLocation::variable(self.variable), message).with_hint(hint)
    }

    fn unused_warning(&self, name: &str, known: &BTreeSet<&str>) -> Diagnostic {
        let hint = most_similar_name(name, known.iter().copied()).map_or_else(
            || "remove it from the list".to_owned(),
            |similar| format!("did you mean `{similar}`?"),
        );
        let message = format!("no selected manifest has `{name}` in `envs`");
        Diagnostic::warning(SourceLocation::variable(self.variable), message).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::{EnvsCheck, RequestedEnvs};

    fn check(requested: &str, manifests: &[&[&str]], expected: &[&str]) {
        let manifests: Vec<Vec<_>> =
            manifests.iter().map(|entries| entries.iter().map(|&name| name.to_owned()).collect()).collect();
        let EnvsCheck { problems, notice } =
            RequestedEnvs::parse("GITBOOK_ENV", requested).compare(&manifests);
        let problems = problems.iter().map(|problem| {
            format!("{} {problem} ({})", problem.severity, problem.hint.as_deref().unwrap_or_default())
        });
        assert_eq!(problems.chain(notice).collect::<Vec<_>>(), expected, "{requested}");
    }

    #[test]
    fn manifests_without_a_requested_entry_are_counted() {
        check("", &[&["prod"], &[]], &[]);
        check("prod", &[&["prod"], &["dev", "prod"]], &[]);
        let notice = "`GITBOOK_ENV`: 2 of 3 manifests do not have `prod` in `envs` and are used unchanged";
        check("prod", &[&["prod"], &["dev"], &[]], &[notice]);
        let notice =
            "`GITBOOK_ENV`: 1 of 3 manifests do not have `prod` or `live` in `envs` and are used unchanged";
        check("prod, live", &[&["prod"], &["live"], &[]], &[notice]);
    }

    #[test]
    fn an_entry_that_no_manifest_has_is_a_warning_beside_others() {
        check(
            "prod\nlvie",
            &[&["prod", "live"]],
            &["warning GITBOOK_ENV: no selected manifest has `lvie` in `envs` (did you mean `live`?)"],
        );
        check(
            "prod, staging",
            &[&["prod"]],
            &["warning GITBOOK_ENV: no selected manifest has `staging` in `envs` (remove it from the list)"],
        );
    }

    #[test]
    fn only_unknown_entries_are_an_error() {
        check(
            "productoin",
            &[&["production"], &[]],
            &[
                "error GITBOOK_ENV: no selected manifest has `productoin` in `envs` (did you mean `production`?)",
            ],
        );
        check(
            "qa, x",
            &[&["prod", "test"], &["dev"]],
            &[
                "error GITBOOK_ENV: no selected manifest has `qa` or `x` in `envs` (use one of: dev, prod, test)",
            ],
        );
        check(
            "qa",
            &[&[]],
            &[
                "error GITBOOK_ENV: no selected manifest has `qa` in `envs` (add `envs` to a manifest, or unset `GITBOOK_ENV`)",
            ],
        );
    }
}
