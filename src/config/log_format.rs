//! `GITBOOK_LOG_FORMAT`.

use super::value::{Reader, Value};
use crate::ci::Runner;
use crate::diagnostic::Diagnostic;
use crate::environment::Environment;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Workflow commands of GitHub Actions.
    GitHub,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The format that fits where the program runs.
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

    /// `GITBOOK_LOG_FORMAT`, or what fits; and what is wrong with the variable.
    #[must_use]
    pub(crate) fn from_environment(environment: &Environment) -> (Self, Vec<Diagnostic>) {
        let text = environment.get("GITBOOK_LOG_FORMAT").map(str::trim).filter(|text| *text != "auto");
        let mut reader = Reader::default();
        let format = reader.read("GITBOOK_LOG_FORMAT", text.map(str::to_owned), Self::detect(environment));
        (format, reader.finish().err().unwrap_or_default())
    }
}

impl Value for LogFormat {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        match text {
            "github" => Ok(Self::GitHub),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(("not a log format".to_owned(), None)),
        }
    }

    fn accepted() -> String {
        "auto, github, text, json".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::LogFormat::{self, GitHub, Json, Text};
    use crate::environment::Environment;

    /// The format, or what is wrong.
    fn check(variables: &[(&str, &str)], expected: Result<LogFormat, &str>) {
        let (format, problems) = LogFormat::from_environment(&Environment::of(variables));
        let problem = problems.first().map(|d| format!("{d} ({})", d.hint.as_deref().unwrap_or_default()));
        let found = problem.as_deref().map_or(Ok(format), Err);
        assert_eq!(found, expected, "{variables:?}");
    }

    #[test]
    fn a_log_is_written_for_who_reads_it() {
        let on_github: &[_] = &[("GITHUB_ACTIONS", "true"), ("CI", "true")];
        for asked in ["", "auto", " auto\n"] {
            let with = |variables: &[_], expected| {
                check(&[variables, &[("GITBOOK_LOG_FORMAT", asked)]].concat(), Ok(expected));
            };
            with(&[], Text);
            with(on_github, GitHub);
            with(&[("GITHUB_ACTIONS", "false")], Text);
            with(&[("CI", "true")], Json);
            with(&[("CI", "woodpecker")], Json);
            with(&[("CI", "False")], Text);
        }
        for (asked, expected) in [("github", GitHub), ("text", Text), ("json", Json)] {
            check(&[("GITBOOK_LOG_FORMAT", asked)], Ok(expected));
            check(&[on_github, &[("GITBOOK_LOG_FORMAT", asked)]].concat(), Ok(expected));
        }
        let problem = "GITBOOK_LOG_FORMAT: not a log format (accepted: auto, github, text, json)";
        check(&[("GITBOOK_LOG_FORMAT", "xml")], Err(problem));
    }
}
