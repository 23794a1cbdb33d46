//! Parses the values of variables into types.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::variables;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::preview::{NameTemplateError, Template};

/// A type that is parsed from the value of a variable.
pub(super) trait FromVariable: Sized {
    /// Parses a value, which has no surrounding whitespace. The error never contains the value, because it may be a secret.
    fn parse(text: &str) -> Result<Self, InvalidValue>;

    /// Returns the hint for an invalid value: an instruction that names the accepted values.
    fn hint() -> String;
}

/// The reason why a value is invalid.
#[derive(Debug)]
pub(super) struct InvalidValue {
    message: String,
    /// The accepted value that is most similar to the invalid value.
    suggestion: Option<&'static str>,
}

impl InvalidValue {
    pub(super) fn with_suggestion(message: &str, suggestion: Option<&'static str>) -> Self {
        Self { message: message.to_owned(), suggestion }
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl<T: Into<String>> From<T> for InvalidValue {
    fn from(message: T) -> Self {
        Self { message: message.into(), suggestion: None }
    }
}

/// The result of parsing a variable. `Reader` reports the error with the variable's name.
pub(super) struct Parsed<T>(Result<T, InvalidValue>);

impl<T: FromVariable> Parsed<T> {
    pub(super) fn from_text(text: &str) -> Self {
        Self(T::parse(text.trim()))
    }
}

impl<'de, T: FromVariable> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from_text(&text))
    }
}

/// A reader of parsed variables that collects their errors.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<Diagnostic>,
}

impl Reader {
    /// Returns the value of a variable, or the default from the table if the variable is unset or invalid.
    #[expect(
        clippy::expect_used,
        reason = "the unit tests read an empty environment, which parses every default"
    )]
    pub(super) fn read<T: FromVariable>(&mut self, variable: &str, parsed: Option<Parsed<T>>) -> T {
        self.read_optional(variable, parsed).unwrap_or_else(|| {
            let default = variables::literal_default(variable);
            default.and_then(|text| T::parse(text).ok()).expect("the table has a valid default")
        })
    }

    /// Returns the value of a variable, or `None` if the variable is unset or invalid.
    pub(super) fn read_optional<T: FromVariable>(
        &mut self,
        variable: &str,
        parsed: Option<Parsed<T>>,
    ) -> Option<T> {
        let InvalidValue { message, suggestion } = match parsed?.0 {
            Ok(value) => return Some(value),
            Err(invalid) => invalid,
        };
        let suggestion = suggestion.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
        let hint = format!("{suggestion}{}", T::hint());
        self.problems.push(Diagnostic::error(SourceLocation::variable(variable), message).with_hint(hint));
        None
    }

    /// Returns the errors of all variables.
    pub(super) fn finish(self) -> Result<(), Vec<Diagnostic>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

impl FromVariable for bool {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("neither `true` nor `false`".into()),
        }
    }

    fn hint() -> String {
        "use `true` or `false`".to_owned()
    }
}

impl FromVariable for Duration {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
        let duration = humantime::parse_duration(text).ok().filter(|_| has_unit);
        match duration {
            None => Err("invalid duration".into()),
            Some(Self::ZERO) => Err("the duration is zero".into()),
            Some(duration) => Ok(duration),
        }
    }

    fn hint() -> String {
        "use a number with a unit, such as `500ms`, `60s` or `2m`".to_owned()
    }
}

impl FromVariable for Template {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        text.parse().map_err(|error: NameTemplateError| error.to_string().into())
    }

    fn hint() -> String {
        "use `{name}` and at least one of `{branch}`, `{pr}` and `{hash}`, such as `{name}-{branch}`"
            .to_owned()
    }
}

/// The visibility of previews.
pub(super) struct PreviewVisibility(pub(super) &'static str);

impl FromVariable for PreviewVisibility {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "private" => Ok(Self("private")),
            "unlisted" => Ok(Self("unlisted")),
            "public" => Err("a preview cannot be public".into()),
            _ => Err("unknown visibility".into()),
        }
    }

    fn hint() -> String {
        "use `private` or `unlisted`".to_owned()
    }
}

/// The number of integrations deployed at the same time.
pub(super) struct Concurrency(pub(super) NonZeroUsize);

impl Concurrency {
    const RANGE: RangeInclusive<usize> = 1..=64;
}

impl FromVariable for Concurrency {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let number = parse_in_range(text, &Self::RANGE)?;
        NonZeroUsize::new(number).map(Self).ok_or_else(|| out_of_range_error(&Self::RANGE))
    }

    fn hint() -> String {
        range_hint(&Self::RANGE)
    }
}

/// The number of retries of a request.
pub(super) struct Retries(pub(super) u32);

impl Retries {
    const RANGE: RangeInclusive<u32> = 0..=20;
}

impl FromVariable for Retries {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        parse_in_range(text, &Self::RANGE).map(Self)
    }

    fn hint() -> String {
        range_hint(&Self::RANGE)
    }
}

fn parse_in_range<T: FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    range: &RangeInclusive<T>,
) -> Result<T, InvalidValue> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| out_of_range_error(range))
}

fn out_of_range_error<T: std::fmt::Display>(range: &RangeInclusive<T>) -> InvalidValue {
    format!("not a whole number from {} to {}", range.start(), range.end()).into()
}

fn range_hint<T: std::fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("use a whole number from {} to {}", range.start(), range.end())
}
