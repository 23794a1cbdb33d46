//! The values that a variable may have.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::preview::{Template, TemplateError};

/// A value that is read from a variable's text.
pub(super) trait Value: Sized {
    /// What is wrong with a text, without showing it, and optionally a hint in front of what is accepted.
    fn parse(text: &str) -> Result<Self, (String, Option<String>)>;

    /// What is accepted.
    fn accepted() -> String;
}

/// Reads values and remembers what is wrong with them.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<Diagnostic>,
}

impl Reader {
    pub(super) fn read<T: Value>(&mut self, variable: &str, text: Option<String>, default: T) -> T {
        self.optional(variable, text).unwrap_or(default)
    }

    pub(super) fn optional<T: Value>(&mut self, variable: &str, text: Option<String>) -> Option<T> {
        T::parse(text?.trim())
            .map_err(|(message, hint)| {
                let accepted = format!("accepted: {}", T::accepted());
                let hint = hint.map_or_else(|| accepted.clone(), |hint| format!("{hint} {accepted}"));
                self.problems.push(Diagnostic::error(SourceLocation::variable(variable), message).hint(hint));
            })
            .ok()
    }

    pub(super) fn flag(&mut self, variable: &str, text: Option<String>, default: bool) -> bool {
        self.read(variable, text, Flag(default)).0
    }

    pub(super) fn finish(self) -> Result<(), Vec<Diagnostic>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

impl Value for Template {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        text.parse().map_err(|error: TemplateError| (error.to_string(), None))
    }

    fn accepted() -> String {
        "text with `{name}` and at least one of `{branch}`, `{pr}` and `{hash}` in it, such as `{name}-{branch}`"
            .to_owned()
    }
}

/// The visibility of previews.
pub(super) struct Visibility(pub(super) &'static str);

impl Value for Visibility {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        match text {
            "private" => Ok(Self("private")),
            "unlisted" => Ok(Self("unlisted")),
            "public" => Err(("a preview is never public".to_owned(), None)),
            _ => Err(("not a visibility".to_owned(), None)),
        }
    }

    fn accepted() -> String {
        "private, unlisted".to_owned()
    }
}

struct Flag(bool);

impl Value for Flag {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            _ => Err(("neither true nor false".to_owned(), None)),
        }
    }

    fn accepted() -> String {
        "true, false".to_owned()
    }
}

/// A whole number in a range.
fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    range: std::ops::RangeInclusive<T>,
) -> Result<T, (String, Option<String>)> {
    let refused = || (format!("not a whole number from {} to {}", range.start(), range.end()), None);
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(refused)
}

pub(super) struct Concurrency(pub(super) NonZeroUsize);

impl Default for Concurrency {
    fn default() -> Self {
        Self(const { NonZeroUsize::new(4).unwrap() })
    }
}

impl Value for Concurrency {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let refused = || ("not a whole number from 1 to 64".to_owned(), None);
        NonZeroUsize::new(number(text, 1..=64)?).map(Self).ok_or_else(refused)
    }

    fn accepted() -> String {
        "a whole number from 1 to 64".to_owned()
    }
}

pub(super) struct Retries(pub(super) u32);

impl Default for Retries {
    fn default() -> Self {
        Self(4)
    }
}

impl Value for Retries {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        number(text, 0..=20).map(Self)
    }

    fn accepted() -> String {
        "a whole number from 0 to 20".to_owned()
    }
}

pub(super) struct Timeout(pub(super) Duration);

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

impl Value for Timeout {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
        let parsed = humantime::parse_duration(text).ok().filter(|timeout| has_unit && !timeout.is_zero());
        parsed.map(Self).ok_or_else(|| ("not a duration".to_owned(), None))
    }

    fn accepted() -> String {
        "a number with its unit, such as `500ms`, `60s` or `2m`".to_owned()
    }
}
