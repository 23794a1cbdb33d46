//! `GITBOOK_LOG_FORMAT`.

use super::value::{Reader, Value};
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
        if environment.get("GITHUB_ACTIONS") == Some("true") {
            Self::GitHub
        } else if environment.get("CI").is_some_and(|ci| !ci.eq_ignore_ascii_case("false")) {
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
