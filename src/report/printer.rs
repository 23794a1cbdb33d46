//! Writes to the terminal in the log's format, and lets no secret through.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressDrawTarget;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::annotations::{Annotations, Beside};
use super::progress::Progress;
use super::section::{Line, Sections};
use super::{escape, excerpt};
use crate::ci::Runner;
use crate::config::LogFormat;
use crate::diagnostic::{Diagnostic, Severity, display_path};
use crate::environment::Environment;
use crate::error::count;
use crate::redact::Redactor;

/// Where a program writes to.
pub struct Terminal {
    /// What was asked for, such as `--help`.
    pub output: Box<dyn Write + Send>,
    /// The log.
    pub log: Box<dyn Write + Send>,
    /// Where the log goes to, if that is a terminal on which a line can be drawn again and again.
    pub screen: Option<ProgressDrawTarget>,
}

/// Prints in a format. Clones print to the same place.
#[derive(Clone)]
pub(crate) struct Printer {
    format: LogFormat,
    log: Arc<Mutex<Log>>,
    hidden: Redactor,
    /// The folder that paths are relative to, and the one that annotations are.
    folders: (PathBuf, Option<PathBuf>),
    /// Whether a runner reads along that hides what it is told to.
    has_runner: bool,
}

struct Log {
    writer: Box<dyn Write + Send>,
    sections: Sections,
    annotations: Annotations,
    progress: Progress,
}

/// A phase of the run, which ends when this is dropped.
#[must_use]
pub(crate) struct Section<'a>(&'a Printer);

/// Work on one item of a phase, which is done when this is dropped.
#[must_use]
pub(crate) struct Work<'a>(&'a Printer, String);

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.log().progress.finishes(&self.1);
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        let mut log = self.0.log();
        log.progress.end();
        let end = log.sections.end();
        log.write(&end);
    }
}

impl Log {
    /// Nothing can be done about a log that can't be written.
    fn write(&mut self, lines: &str) {
        let Self { writer, progress, .. } = self;
        progress.above(|| {
            let _ = writer.write_all(lines.as_bytes()).and_then(|()| writer.flush());
        });
    }
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints to `log`. Paths are relative to the environment's folder; GitHub wants them relative to its workspace.
    #[must_use]
    pub(crate) fn new(format: LogFormat, log: Box<dyn Write + Send>, environment: &Environment) -> Self {
        let runner = Runner::from_environment(environment);
        let sections = Sections::new(format, environment);
        Self {
            format,
            log: Arc::new(Mutex::new(Log {
                writer: log,
                sections,
                annotations: Annotations::default(),
                progress: Progress::default(),
            })),
            hidden: Redactor::default(),
            folders: (environment.folder().to_owned(), runner.workspace),
            has_runner: runner.is_github,
        }
    }

    /// Shows on a terminal, too, what is being worked on.
    #[must_use]
    pub(crate) fn on(self, screen: Option<ProgressDrawTarget>, environment: &Environment) -> Self {
        self.log().progress = Progress::new(screen, self.format, environment);
        self
    }

    /// The format.
    #[must_use]
    pub(crate) fn format(&self) -> LogFormat {
        self.format
    }

    /// Begins a phase of so many items, whose lines the CI system may fold.
    pub(crate) fn section(&self, doing: &str, items: usize, what: &str) -> Section<'_> {
        let mut log = self.log();
        log.sections.begin(format!("{doing} {}", count(items, what)), items);
        log.progress.begin(doing, items);
        Section(self)
    }

    /// Begins a phase of so many items that is no section of the log: it has nothing to say there.
    pub(crate) fn start_phase(&self, doing: &str, items: usize) -> Section<'_> {
        self.log().progress.begin(doing, items);
        Section(self)
    }

    /// Begins an item of the phase.
    pub(crate) fn start_item(&self, name: &str) -> Work<'_> {
        let name = self.redacted(name);
        self.log().progress.starts(&name);
        Work(self, name)
    }

    /// From now on shows `***` in place of a secret, each of its lines, and its base64 and URL-encoded forms. On
    /// GitHub the runner is told to do the same in all that follows, whatever the format; anybody else would only
    /// be shown the secret.
    pub(crate) fn hide(&self, secret: &SecretString) {
        for line in self.hidden.add(secret.expose_secret()) {
            if self.has_runner {
                self.write(&format!("::add-mask::{}\n", escape::mask(line)), Line::Unseen);
            }
        }
    }

    /// The text without secrets; to be called before it is escaped.
    #[must_use]
    pub(crate) fn redacted(&self, text: &str) -> String {
        self.hidden.redacted(text)
    }

    /// The document with every text of it redacted, but for the words that are the program's own: a secret may well
    /// be called `publish`, and what reads the document relies on them.
    #[must_use]
    pub(super) fn redacted_values(&self, value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => self.redacted(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.redacted_values(item)).collect(),
            Value::Object(entries) => entries
                .into_iter()
                .map(|(key, value)| {
                    let own = ["mode", "result", "severity"].contains(&key.as_str());
                    let value = if own { value } else { self.redacted_values(value) };
                    (key, value)
                })
                .collect(),
            other => other,
        }
    }

    /// Shows problems where they are.
    pub(super) fn problems(&self, problems: &[Diagnostic]) {
        let redacted = |problem: &Diagnostic| Diagnostic {
            message: self.redacted(&problem.message),
            hint: problem.hint.as_deref().map(|hint| self.redacted(hint)),
            ..problem.clone()
        };
        let problems: Vec<_> = problems.iter().map(redacted).collect();
        for problem in &problems {
            match self.format {
                LogFormat::Text | LogFormat::GitHub => self.write(&self.text(problem), Line::Stands),
                LogFormat::Json => self.json(self.redacted_values(super::problem(problem, self))),
            }
        }
        if self.format == LogFormat::GitHub {
            let lines = self.log().annotations.of(&problems, |place| match place.path() {
                Some(path) => Beside::File(self.redacted(&self.in_workspace(path))),
                None => Beside::Nothing(self.redacted(&place.to_string())),
            });
            self.write(&lines, Line::Stands);
        }
    }

    /// Says something beside the log's own events.
    pub(super) fn info(&self, text: &str) {
        let text = self.redacted(text);
        let line = match self.format {
            LogFormat::Text => format!("info: {}", escape::line(&text)),
            LogFormat::GitHub => escape::line(&text),
            LogFormat::Json => escape::json_line(&json!({"level": "INFO", "message": text}).to_string()),
        };
        self.write(&format!("{line}\n"), Line::Stands);
    }

    /// Whether GitHub shows one more annotation of this kind.
    pub(super) fn annotates(&self, kind: Severity) -> bool {
        self.log().annotations.take(kind)
    }

    /// Says what nobody should miss, although nothing is wrong.
    pub(crate) fn notice(&self, text: &str) {
        let text = self.redacted(text);
        match self.format {
            LogFormat::Text => self.write(&format!("notice: {}\n", escape::line(&text)), Line::Stands),
            LogFormat::GitHub => {
                self.write(&format!("::notice::{}\n", escape::command_data(&text)), Line::Stands);
            }
            LogFormat::Json => {
                let line = json!({"level": "INFO", "message": text}).to_string();
                self.write(&format!("{}\n", escape::json_line(&line)), Line::Stands);
            }
        }
    }

    /// Shows how the run failed: what happened, caused by what, and what to do about it.
    pub(super) fn failure(&self, error: &dyn std::error::Error, hint: Option<&str>) {
        self.failed(error, hint, true);
    }

    /// Shows how one of several failed, on GitHub as an annotation as long as there is room.
    pub(super) fn one_failure(&self, error: &dyn std::error::Error, hint: Option<&str>) {
        let annotated = self.annotates(Severity::Error);
        self.failed(error, hint, annotated);
    }

    fn failed(&self, error: &dyn std::error::Error, hint: Option<&str>, annotated: bool) {
        let message = self.redacted(&error.to_string());
        let cause = cause(error).map(|cause| self.redacted(&cause));
        let hint = hint.map(|hint| self.redacted(hint));
        let below = [("cause", cause.as_deref()), ("hint", hint.as_deref())];
        let below = below.iter().filter_map(|(name, text)| Some((name, (*text)?)));
        match self.format {
            LogFormat::GitHub if annotated => {
                let lines: Vec<_> = below.map(|(name, text)| format!("\n{name}: {text}")).collect();
                let data = escape::command_data(&format!("{message}{}", lines.concat()));
                self.write(&format!("::error::{data}\n"), Line::Stands);
            }
            LogFormat::Text | LogFormat::GitHub => {
                let mut lines = format!("error: {}\n", escape::line(&message));
                for (name, text) in below {
                    lines.push_str(&format!("{name:>5}: {}\n", escape::line(text)));
                }
                self.write(&lines, Line::Stands);
            }
            LogFormat::Json => {
                self.json(json!({"severity": "error", "message": message, "cause": cause, "hint": hint}));
            }
        }
    }

    /// A problem for people. A variable is all there is to say of where.
    fn text(&self, problem: &Diagnostic) -> String {
        let place = problem.place.as_ref();
        if let Some(place) = place.filter(|place| place.path().is_some() || place.position.is_some()) {
            return excerpt::rendered(problem, place, self);
        }
        let hint = problem.hint.as_ref().map(|hint| format!(" hint: {}\n", escape::line(hint)));
        format!(
            "{}: {}\n{}",
            problem.severity,
            escape::line(&self.redacted(&problem.to_string())),
            hint.unwrap_or_default()
        )
    }

    fn in_workspace(&self, path: &std::path::Path) -> String {
        let (folder, workspace) = &self.folders;
        let path = folder.join(path);
        let relative = workspace.as_ref().and_then(|workspace| path.strip_prefix(workspace).ok());
        display_path(relative.unwrap_or(&path))
    }

    fn json(&self, mut value: serde_json::Value) {
        let level = value["severity"].as_str().unwrap_or("error").to_uppercase();
        value["level"] = json!(if level == "WARNING" { "WARN".to_owned() } else { level });
        self.write(&format!("{}\n", escape::json_line(&value.to_string())), Line::Stands);
    }

    /// Writes lines whose parts were redacted before they were put together: the program's own words are no secrets.
    pub(super) fn write(&self, lines: &str, line: Line) {
        let mut log = self.log();
        let before = log.sections.before(line);
        log.write(&(before + lines));
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All causes of an error, in one line.
pub(super) fn cause(error: &dyn std::error::Error) -> Option<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    (!causes.is_empty()).then(|| causes.join(": "))
}
