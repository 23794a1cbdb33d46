//! Parses `GITBOOK_LOG_FORMAT`.

use super::from_variable::{FromVariable, InvalidValue, Parsed, Reader};
use crate::ci::Runner;
use crate::diagnostic::Diagnostic;
use crate::environment::Environment;

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text with GitHub Actions workflow commands.
    GitHub,
    /// Plain text for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    /// Returns the default format: `GitHub` on GitHub Actions, `Json` on other CI systems, and `Text` elsewhere.
    #[must_use]
    pub(crate) fn detect(environment: &Environment) -> Self {
        let runner = Runner::from_environment(environment);
        if runner.is_github {
            Self::GitHub
        } else if runner.is_ci {
            Self::Json
        } else {
            Self::Text
        }
    }

    /// Returns the format from `GITBOOK_LOG_FORMAT` or the default format, and the problems with the variable.
    #[must_use]
    pub(crate) fn from_environment(environment: &Environment) -> (Self, Vec<Diagnostic>) {
        let text = environment.get("GITBOOK_LOG_FORMAT").filter(|text| text.trim() != "auto");
        let mut reader = Reader::default();
        let format = reader.read_optional("GITBOOK_LOG_FORMAT", text.map(Parsed::from_text));
        let format = format.unwrap_or_else(|| Self::detect(environment));
        (format, reader.finish().err().unwrap_or_default())
    }
}

impl FromVariable for LogFormat {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "github" => Ok(Self::GitHub),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("unknown log format".into()),
        }
    }

    fn hint() -> String {
        "use `auto`, `github`, `text` or `json`".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::LogFormat::{self, GitHub, Json, Text};
    use crate::environment::Environment;

    /// Checks the format, or the error if the variable is invalid.
    fn check(variables: &[(&str, &str)], expected: Result<LogFormat, &str>) {
        let (format, problems) = LogFormat::from_environment(&Environment::of(variables));
        let problem = problems.first().map(|d| format!("{d} ({})", d.hint.as_deref().unwrap_or_default()));
        let found = problem.as_deref().map_or(Ok(format), Err);
        assert_eq!(found, expected, "{variables:?}");
    }

    #[test]
    fn selects_the_format_by_the_variable_or_the_ci_system() {
        let on_github: &[_] = &[("GITHUB_ACTIONS", "true"), ("CI", "true")];
        for value in ["", "auto", " auto\n"] {
            let with = |variables: &[_], expected| {
                check(&[variables, &[("GITBOOK_LOG_FORMAT", value)]].concat(), Ok(expected));
            };
            with(&[], Text);
            with(on_github, GitHub);
            with(&[("GITHUB_ACTIONS", "false")], Text);
            with(&[("CI", "true")], Json);
            with(&[("CI", "woodpecker")], Json);
            with(&[("CI", "False")], Text);
        }
        for (value, expected) in [("github", GitHub), ("text", Text), ("json", Json)] {
            check(&[("GITBOOK_LOG_FORMAT", value)], Ok(expected));
            check(&[on_github, &[("GITBOOK_LOG_FORMAT", value)]].concat(), Ok(expected));
        }
        let problem = "GITBOOK_LOG_FORMAT: unknown log format (use `auto`, `github`, `text` or `json`)";
        check(&[("GITBOOK_LOG_FORMAT", "xml")], Err(problem));
    }
}
