//! Prints to the terminal in the format of the log, without secrets.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressDrawTarget;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::annotations::{AnnotationCounts, AnnotationTarget};
use super::log_section::{LinePlacement, Sections};
use super::progress::Progress;
use super::{escape, excerpt, report_file};
use crate::ci::Runner;
use crate::config::LogFormat;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation, display_path};
use crate::environment::Environment;
use crate::error::{causes, pluralize};
use crate::redact::Redactor;

/// The streams that the program writes to.
pub struct OutputStreams {
    /// The standard output, for `--help` and `--version`.
    pub output: Box<dyn Write + Send>,
    /// The log.
    pub log: Box<dyn Write + Send>,
    /// The terminal of the log, for a progress bar.
    pub screen: Option<ProgressDrawTarget>,
}

/// Prints problems, progress and results in the format of the log. Clones share the same output.
#[derive(Clone)]
pub(crate) struct Printer {
    format: LogFormat,
    log: Arc<Mutex<Log>>,
    redactor: Redactor,
    /// The working directory. The paths of problems are relative to it.
    folder: PathBuf,
    /// GitHub's workspace. The paths of annotations are relative to it.
    workspace: Option<PathBuf>,
    /// True on GitHub's runner, which masks each secret that a program reports to it.
    is_github_runner: bool,
}

struct Log {
    writer: Box<dyn Write + Send>,
    sections: Sections,
    annotations: AnnotationCounts,
    progress: Progress,
}

/// A guard for a phase of the run. Dropping the guard ends the phase.
#[must_use]
pub(crate) struct PhaseGuard<'a>(&'a Printer);

/// A guard for an item of a phase. Dropping the guard marks the item as finished.
#[must_use]
pub(crate) struct ItemGuard<'a>(&'a Printer, String);

impl Drop for ItemGuard<'_> {
    fn drop(&mut self) {
        self.0.log().progress.finish_item(&self.1);
    }
}

impl Drop for PhaseGuard<'_> {
    fn drop(&mut self) {
        let mut log = self.0.log();
        log.progress.end_phase();
        let end = log.sections.end_phase();
        log.write(&end);
    }
}

impl Log {
    /// Writes lines above the progress bar. Ignores errors, so that the run continues without a log.
    fn write(&mut self, lines: &str) {
        let Self { writer, progress, .. } = self;
        progress.print_above(|| {
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
    /// Creates a printer that writes to `log`.
    #[must_use]
    pub(crate) fn new(format: LogFormat, log: Box<dyn Write + Send>, environment: &Environment) -> Self {
        let runner = Runner::from_environment(environment);
        let sections = Sections::new(format, environment);
        Self {
            format,
            log: Arc::new(Mutex::new(Log {
                writer: log,
                sections,
                annotations: AnnotationCounts::default(),
                progress: Progress::default(),
            })),
            redactor: Redactor::default(),
            folder: environment.current_folder().to_owned(),
            workspace: runner.workspace,
            is_github_runner: runner.is_github,
        }
    }

    /// Adds a progress bar if the log is a terminal.
    #[must_use]
    pub(crate) fn with_progress(self, screen: Option<ProgressDrawTarget>, environment: &Environment) -> Self {
        self.log().progress = Progress::new(screen, self.format, environment);
        self
    }

    /// Returns the format of the log.
    #[must_use]
    pub(crate) fn format(&self) -> LogFormat {
        self.format
    }

    /// Starts a phase, and puts its log lines into a section, which CI systems may fold.
    pub(crate) fn start_section(&self, action: &str, items: usize, noun: &str) -> PhaseGuard<'_> {
        let mut log = self.log();
        log.sections.start_phase(format!("{action} {}", pluralize(items, noun)), items);
        log.progress.start_phase(action, items);
        PhaseGuard(self)
    }

    /// Starts a phase without a log section.
    pub(crate) fn start_phase(&self, action: &str, items: usize) -> PhaseGuard<'_> {
        self.log().progress.start_phase(action, items);
        PhaseGuard(self)
    }

    /// Starts an item of the current phase.
    pub(crate) fn start_item(&self, name: &str) -> ItemGuard<'_> {
        let name = self.redact(name);
        self.log().progress.start_item(&name);
        ItemGuard(self, name)
    }

    /// Adds a secret. In later output, `***` replaces the secret, each of its lines, and the usual encodings of both.
    ///
    /// On GitHub's runner, prints a command that masks the secret, even in the text and JSON formats. Prints nothing elsewhere,
    /// because the command would reveal the secret.
    pub(crate) fn add_secret(&self, secret: &SecretString) {
        for line in self.redactor.add(secret.expose_secret()) {
            if self.is_github_runner {
                self.write(
                    &format!("::add-mask::{}\n", escape::exact_command_data(line)),
                    LinePlacement::RunnerOnly,
                );
            }
        }
    }

    /// Returns the text with `***` in place of secrets. The caller must escape the text after this call, not before.
    #[must_use]
    pub(crate) fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// Returns the document with `***` in place of secrets. Keeps the fields `mode`, `result` and `severity`: their values come
    /// from fixed sets, and programs rely on them even if a secret happens to be the same word.
    #[must_use]
    pub(super) fn redact_json(&self, value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => self.redact(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.redact_json(item)).collect(),
            Value::Object(entries) => entries
                .into_iter()
                .map(|(key, value)| {
                    let is_fixed = ["mode", "result", "severity"].contains(&key.as_str());
                    let value = if is_fixed { value } else { self.redact_json(value) };
                    (key, value)
                })
                .collect(),
            other => other,
        }
    }

    /// Prints problems. Also prints annotations in the format for GitHub.
    pub(super) fn print_problems(&self, problems: &[Diagnostic]) {
        let redacted = |problem: &Diagnostic| Diagnostic {
            message: self.redact(&problem.message),
            hint: problem.hint.as_deref().map(|hint| self.redact(hint)),
            ..problem.clone()
        };
        let problems: Vec<_> = problems.iter().map(redacted).collect();
        for problem in &problems {
            match self.format {
                LogFormat::Text | LogFormat::GitHub => {
                    self.write(&self.problem_text(problem), LinePlacement::OutsideSection);
                }
                LogFormat::Json => {
                    self.print_json(self.redact_json(report_file::problem_object(problem, self)));
                }
            }
        }
        if self.format == LogFormat::GitHub {
            let lines = self.log().annotations.render(&problems, |location| match location.path() {
                Some(path) => AnnotationTarget::File(self.redact(&self.path_in_workspace(path))),
                None => AnnotationTarget::Message(self.redact(&location.to_string())),
            });
            self.write(&lines, LinePlacement::OutsideSection);
        }
    }

    /// Prints a line of the level `info`.
    pub(super) fn print_info(&self, text: &str) {
        let text = self.redact(text);
        let line = match self.format {
            LogFormat::Text => format!("info: {}", escape::log_line(&text)),
            LogFormat::GitHub => escape::log_line(&text),
            LogFormat::Json => escape::json_line(&json!({"level": "INFO", "message": text}).to_string()),
        };
        self.write(&format!("{line}\n"), LinePlacement::OutsideSection);
    }

    /// Reserves an annotation. Returns false if the limit is reached, because GitHub would not show the annotation.
    pub(super) fn reserve_annotation(&self, severity: Severity) -> bool {
        self.log().annotations.reserve(severity)
    }

    /// Prints a notice. GitHub shows a notice on the page of the run.
    pub(crate) fn print_notice(&self, text: &str) {
        let text = self.redact(text);
        match self.format {
            LogFormat::Text => {
                self.write(&format!("notice: {}\n", escape::log_line(&text)), LinePlacement::OutsideSection);
            }
            LogFormat::GitHub => {
                self.write(
                    &format!("::notice::{}\n", escape::command_data(&text)),
                    LinePlacement::OutsideSection,
                );
            }
            LogFormat::Json => {
                let line = json!({"level": "INFO", "message": text}).to_string();
                self.write(&format!("{}\n", escape::json_line(&line)), LinePlacement::OutsideSection);
            }
        }
    }

    /// Prints the error of the run with its causes and hint.
    pub(super) fn print_error(&self, error: &dyn std::error::Error, hint: Option<&str>) {
        self.print_with_hint(error, hint, true);
    }

    /// Prints the failure of an integration. In the format for GitHub, prints it as an annotation unless the limit is reached.
    pub(super) fn print_integration_failure(&self, error: &dyn std::error::Error, hint: Option<&str>) {
        let is_annotated = self.reserve_annotation(Severity::Error);
        self.print_with_hint(error, hint, is_annotated);
    }

    fn print_with_hint(&self, error: &dyn std::error::Error, hint: Option<&str>, is_annotated: bool) {
        let message = self.redact(&error.to_string());
        let cause = causes(error).map(|cause| self.redact(&cause));
        let hint = hint.map(|hint| self.redact(hint));
        let details = [("cause", cause.as_deref()), ("hint", hint.as_deref())];
        let details = details.iter().filter_map(|(name, text)| Some((name, (*text)?)));
        match self.format {
            LogFormat::GitHub if is_annotated => {
                let lines: Vec<_> = details.map(|(name, text)| format!("\n{name}: {text}")).collect();
                let data = escape::command_data(&format!("{message}{}", lines.concat()));
                self.write(&format!("::error::{data}\n"), LinePlacement::OutsideSection);
            }
            LogFormat::Text | LogFormat::GitHub => {
                let mut lines = format!("error: {}\n", escape::log_line(&message));
                for (name, text) in details {
                    lines.push_str(&format!("{name:>5}: {}\n", escape::log_line(text)));
                }
                self.write(&lines, LinePlacement::OutsideSection);
            }
            LogFormat::Json => {
                self.print_json(
                    json!({"severity": "error", "message": message, "cause": cause, "hint": hint}),
                );
            }
        }
    }

    /// Returns a problem as text. Adds the location and an excerpt of the source, unless the location is only the name of a
    /// variable.
    fn problem_text(&self, problem: &Diagnostic) -> String {
        let has_position_or_path = |l: &&SourceLocation| l.path().is_some() || l.position.is_some();
        if let Some(location) = problem.location.as_ref().filter(has_position_or_path) {
            return excerpt::render(problem, location, self);
        }
        let hint = problem.hint.as_ref().map(|hint| format!(" hint: {}\n", escape::log_line(hint)));
        format!(
            "{}: {}\n{}",
            problem.severity,
            escape::log_line(&self.redact(&problem.to_string())),
            hint.unwrap_or_default()
        )
    }

    /// Returns a path relative to GitHub's workspace, or an absolute path outside of the workspace.
    fn path_in_workspace(&self, path: &std::path::Path) -> String {
        let path = self.folder.join(path);
        let relative = self.workspace.as_ref().and_then(|workspace| path.strip_prefix(workspace).ok());
        display_path(relative.unwrap_or(&path))
    }

    fn print_json(&self, mut value: serde_json::Value) {
        let level = value["severity"].as_str().unwrap_or("error").to_uppercase();
        value["level"] = json!(if level == "WARNING" { "WARN".to_owned() } else { level });
        self.write(&format!("{}\n", escape::json_line(&value.to_string())), LinePlacement::OutsideSection);
    }

    /// Writes lines without redacting them. The caller must redact each value before inserting it into a line: redacting a whole
    /// line could replace fixed words that happen to be the same as a secret.
    pub(super) fn write(&self, lines: &str, line: LinePlacement) {
        let mut log = self.log();
        let marker = log.sections.marker_before(line);
        log.write(&(marker + lines));
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
