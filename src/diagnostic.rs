//! A problem in what the user wrote, with the place where it is.

use std::borrow::Cow;
use std::fmt;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

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

/// What a value was read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A file, as an absolute path or relative to the folder that the program was started in.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

/// Where something stands: a file or a variable and, where known, line and column, both counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file or variable.
    pub origin: Arc<Origin>,
    /// Line and column.
    pub position: Option<(usize, usize)>,
}

impl Place {
    /// A whole file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self { origin: Arc::new(Origin::File(path.into())), position: None }
    }

    /// A whole variable.
    pub(crate) fn variable(name: impl Into<String>) -> Self {
        Self { origin: Arc::new(Origin::Variable(name.into())), position: None }
    }

    /// The same file or variable, at a line and a column.
    #[must_use]
    pub(crate) fn at(&self, line: usize, column: usize) -> Self {
        Self { origin: Arc::clone(&self.origin), position: Some((line, column)) }
    }

    /// The path, if this is in a file.
    #[must_use]
    pub(crate) fn path(&self) -> Option<&Path> {
        match &*self.origin {
            Origin::File(path) => Some(path),
            Origin::Variable(_) => None,
        }
    }
}

impl Place {
    /// The path or the variable's name.
    #[must_use]
    pub(crate) fn origin_text(&self) -> Cow<'_, str> {
        match &*self.origin {
            Origin::File(path) => shown(path).into(),
            Origin::Variable(name) => name.into(),
        }
    }
}

/// A path as messages have it: with `/` between its parts, on Windows too, as manifests, workflows and GitHub write it.
#[must_use]
pub(crate) fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(MAIN_SEPARATOR, "/")
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin_text())?;
        match self.position {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// One problem: what is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// Whether it stops the deployment.
    pub severity: Severity,
    /// Where it is, unless it is nowhere in particular.
    pub place: Option<Place>,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A problem that stops the deployment.
    pub(crate) fn error(place: impl Into<Option<Place>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), message: message.into(), hint: None }
    }

    /// A problem that does not.
    pub(crate) fn warning(place: impl Into<Option<Place>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, message) }
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// Whether it stops the deployment.
    #[must_use]
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
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
    use super::{Diagnostic, Place, nearest};

    #[test]
    fn place_comes_first() {
        let place = Place::file("a/gitbook-manifest.yaml").at(3, 8);
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
