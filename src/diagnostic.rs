//! Problems in the user's files and variables, with their locations and hints.

mod location;

pub(crate) use location::{Excerpt, REDACTED_CHAR, SourceLocation, TextPosition, display_path};

use std::fmt;

/// The severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// A problem that stops the deployment before anything is published.
    Error,
    /// A problem that does not stop the deployment.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A problem with its location and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub severity: Severity,
    /// The location, if the problem belongs to a file or a variable.
    pub location: Option<SourceLocation>,
    /// A description that begins in lower case and has no full stop.
    pub message: String,
    /// A way to solve the problem.
    pub hint: Option<String>,
    /// The name of the integration with the problem, if it is known.
    pub integration: Option<String>,
}

impl Diagnostic {
    /// Creates a diagnostic with the severity `Error`.
    pub(crate) fn error(location: impl Into<Option<SourceLocation>>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            location: location.into(),
            message: message.into(),
            hint: None,
            integration: None,
        }
    }

    /// Creates a diagnostic with the severity `Warning`.
    pub(crate) fn warning(location: impl Into<Option<SourceLocation>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(location, message) }
    }

    /// Sets the hint.
    #[must_use]
    pub(crate) fn with_hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// Sets the name of the integration, unless the diagnostic already has one.
    #[must_use]
    pub(crate) fn for_integration(self, integration: Option<&str>) -> Self {
        let integration = self.integration.or_else(|| integration.map(str::to_owned));
        Self { integration, ..self }
    }

    /// Returns true if two problems have the same severity, location and message.
    #[must_use]
    pub(crate) fn is_duplicate_of(&self, other: &Self) -> bool {
        (self.severity, &self.location, &self.message) == (other.severity, &other.location, &other.message)
    }

    /// Returns true if the problem stops the deployment.
    #[must_use]
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts problems by location, variables first, and removes duplicates.
pub(crate) fn sort_and_dedup(problems: &mut Vec<Diagnostic>) {
    problems
        .sort_by(|a, b| (&a.location, a.severity, &a.message).cmp(&(&b.location, b.severity, &b.message)));
    problems.dedup_by(|a, b| a.is_duplicate_of(b));
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Some(location) => write!(f, "{location}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Converts a library's message to the style of this program: the message begins in lower case and has no full stop. If the first word
/// is in capitals, such as `JSON`, it stays unchanged.
#[must_use]
pub(crate) fn normalize_message(message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    let mut characters = message.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(message.chars().skip(1)).collect()
        }
        _ => message.to_owned(),
    }
}

/// Returns the known name that is most similar to a misspelled name, or `None` if no known name is similar.
///
/// Similar names have a Jaro-Winkler similarity of at least 0.85: `visibilty` is similar to `visibility`, but `foo` is not.
#[must_use]
pub(crate) fn most_similar_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, SourceLocation, most_similar_name};

    #[test]
    fn displays_the_location_before_the_message() {
        let location = SourceLocation::file("a/gitbook-manifest.yaml").at(3, 8);
        let diagnostic = Diagnostic::error(location, "`title` is too long");
        assert_eq!(diagnostic.to_string(), "a/gitbook-manifest.yaml:3:8: `title` is too long");
    }

    #[test]
    fn finds_the_most_similar_known_name() {
        let known = ["visibility", "title", "target"];
        assert_eq!(most_similar_name("visibilty", known), Some("visibility"));
        assert_eq!(most_similar_name("Titel", known), Some("title"));
        assert_eq!(most_similar_name("organization", known), None);
    }
}
