//! A problem in what the user wrote, with the place where it is.

mod location;

pub(crate) use location::{Excerpt, HIDDEN, Position, SourceLocation, display_path};

use std::fmt;

/// How bad a problem is: an error stops the deployment, a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Nothing is sent.
    Error,
    /// Reported, and the deployment goes on.
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

/// One problem: what is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// Whether it stops the deployment.
    pub severity: Severity,
    /// Where it is, unless it is nowhere in particular.
    pub place: Option<SourceLocation>,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The integration that it is a problem of, as far as its name is known.
    pub integration: Option<String>,
}

impl Diagnostic {
    /// A problem that stops the deployment.
    pub(crate) fn error(place: impl Into<Option<SourceLocation>>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            place: place.into(),
            message: message.into(),
            hint: None,
            integration: None,
        }
    }

    /// A problem that does not.
    pub(crate) fn warning(place: impl Into<Option<SourceLocation>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, message) }
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// Says whose problem it is, where that is not known yet.
    #[must_use]
    pub(crate) fn of(self, integration: Option<&str>) -> Self {
        let integration = self.integration.or_else(|| integration.map(str::to_owned));
        Self { integration, ..self }
    }

    /// Whether both say the same, whichever integrations they are told for.
    #[must_use]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.severity, &self.place, &self.message) == (other.severity, &other.place, &other.message)
    }

    /// Whether it stops the deployment.
    #[must_use]
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Brings problems into the order of their places, variables first, and leaves each there once.
pub(crate) fn sort(problems: &mut Vec<Diagnostic>) {
    problems.sort_by(|a, b| (&a.place, a.severity, &a.message).cmp(&(&b.place, b.severity, &b.message)));
    problems.dedup_by(|a, b| a.is_same(b));
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// A library's message as ours are written: in lower case, but for a first word that is an acronym or a name, and
/// without a full stop.
#[must_use]
pub(crate) fn lower_case(message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    let mut characters = message.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(message.chars().skip(1)).collect()
        }
        _ => message.to_owned(),
    }
}

/// The known name that a misspelt one most likely means; `None` when nothing comes near.
///
/// Near is a Jaro-Winkler similarity of at least 0.85: `visibilty` finds `visibility`, `foo` finds nothing.
#[must_use]
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, SourceLocation, nearest};

    #[test]
    fn place_comes_first() {
        let place = SourceLocation::file("a/gitbook-manifest.yaml").at(3, 8);
        let diagnostic = Diagnostic::error(place, "`title` is too long");
        assert_eq!(diagnostic.to_string(), "a/gitbook-manifest.yaml:3:8: `title` is too long");
    }

    #[test]
    fn nearest_finds_a_slip_and_nothing_else() {
        let known = ["visibility", "title", "target"];
        assert_eq!(nearest("visibilty", known), Some("visibility"));
        assert_eq!(nearest("Titel", known), Some("title"));
        assert_eq!(nearest("organization", known), None);
    }
}
