//! Converts the bundler's errors and warnings to diagnostics: one for each cause, with its location and a hint.

use std::collections::HashMap;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::ExitStatus;

use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use super::child_process::Crash;
use super::sources::{ReadFailure, source_path};
use super::unresolved_imports;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation, display_path, normalize_message};
use crate::integration::files;
use crate::integration::packaging_context::ProcessEnd;

/// The hint for a failure of the bundler itself.
pub(super) const BUNDLE_EARLIER_HINT: &str =
    "simplify this file, or bundle the script in an earlier step and set `GITBOOK_BUNDLE=false`";

/// The paths and read failures for describing the bundler's problems.
pub(super) struct DiagnosticContext<'a> {
    /// The entry script, an absolute path.
    pub(super) script: &'a Path,
    /// The root of the repository.
    pub(super) root: &'a Path,
    /// The folder to which the paths in messages are relative.
    pub(super) display_base: &'a Path,
    /// The files that could not be read, each with the reason.
    pub(super) read_failures: &'a HashMap<PathBuf, ReadFailure>,
}

impl DiagnosticContext<'_> {
    /// Converts the bundler's errors to diagnostics, without duplicates.
    pub(super) fn convert_errors(&self, problems: &[BuildDiagnostic]) -> Vec<Diagnostic> {
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for problem in problems {
            let diagnostic = self.convert_error(problem);
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        diagnostics
    }

    /// Converts the bundler's warnings to diagnostics, without duplicates. Returns two lists: first the warnings about files in
    /// `node_modules`, which go only to the debug log because users cannot fix these files, and then all other warnings.
    pub(super) fn convert_warnings(
        &self,
        problems: &[BuildDiagnostic],
    ) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for problem in problems {
            let diagnostic = Diagnostic { severity: Severity::Warning, ..self.bundler_diagnostic(problem) };
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        diagnostics.into_iter().partition(|diagnostic| {
            let path = diagnostic.location.as_ref().and_then(SourceLocation::path);
            path.is_some_and(|path| path.iter().any(|component| component == "node_modules"))
        })
    }

    fn convert_error(&self, problem: &BuildDiagnostic) -> Diagnostic {
        match problem.kind() {
            EventKind::UnloadableDependencyError => self.explain_read_failure(problem),
            EventKind::UnhandleableError => self.explain_internal_error(problem),
            EventKind::MissingExportError => self.bundler_diagnostic(problem),
            _ if is_unresolved_import(problem) => self.explain_unresolved_import(problem),
            _ => self.bundler_diagnostic(problem),
        }
    }

    /// Explains the cause of an unresolved import.
    fn explain_unresolved_import(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let importer = problem.id().map(PathBuf::from).unwrap_or_else(|| self.script.to_owned());
        let Some(specifier) = problem.exporter() else { return self.bundler_diagnostic(problem) };
        match unresolved_imports::explain(&specifier, &importer, self.root) {
            unresolved_imports::Explanation::SharedCause(problem) => self.with_relative_path(problem),
            unresolved_imports::Explanation::PerImport { reason, hint } => {
                let message = format!("`{specifier}` cannot be imported: {reason}");
                Diagnostic { message, ..self.bundler_diagnostic(problem) }.with_hint(hint)
            }
        }
    }

    /// Explains an import of a file that could not be read.
    fn explain_read_failure(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let original = self.bundler_diagnostic(problem);
        let message = problem.to_message_with(&self.diagnostic_options());
        let imported_name = message
            .strip_prefix("Could not load ")
            .and_then(|message| message.split(" (imported by ").next());
        let folder = self.script.parent().unwrap_or(self.script);
        let path =
            imported_name.map(|name| normalize_path(&source_path(&folder.join(name).to_string_lossy())));
        let reason = path.as_deref().and_then(|path| {
            let failure = self.read_failures.get(path);
            failure.or_else(|| {
                self.read_failures
                    .iter()
                    .find(|(failed, _)| normalize_path(failed) == path)
                    .map(|(_, reason)| reason)
            })
        });
        let name = display_path(
            &self.relative_path(path.as_deref().unwrap_or(Path::new(imported_name.unwrap_or_default()))),
        );
        let (message, hint) = match reason {
            Some(ReadFailure::Outside) => (
                format!("`{name}` cannot be imported: it is outside the repository"),
                "move the file into the repository of the integration",
            ),
            Some(ReadFailure::UnsupportedType(extension)) => (
                format!("`{name}` cannot be imported: `{extension}` files are not supported"),
                "rename the file to `….raw.js` or `….raw.css` to import it as text",
            ),
            Some(ReadFailure::Io(error)) => (
                format!("`{name}` cannot be imported: {error}"),
                "check the path and the permissions of the file",
            ),
            None => return original,
        };
        Diagnostic { message, ..original }.with_hint(hint.to_owned())
    }

    /// Explains an internal error of the bundler. The usual cause is a `package.json` with a syntax error.
    fn explain_internal_error(&self, problem: &BuildDiagnostic) -> Diagnostic {
        if let Some(broken) = unresolved_imports::broken_package_json_error(self.script, self.root) {
            return self.with_relative_path(broken);
        }
        let message = problem.to_message_with(&self.diagnostic_options());
        let reason = message.lines().nth(1).unwrap_or_default();
        let location = SourceLocation::file(self.relative_path(self.script));
        Diagnostic::error(location, format!("the bundler failed: {}", normalize_message(reason)))
            .with_hint(BUNDLE_EARLIER_HINT.to_owned())
    }

    fn diagnostic_options(&self) -> DiagnosticOptions {
        DiagnosticOptions { cwd: self.display_base.to_owned() }
    }

    /// Returns a diagnostic with the bundler's own message and location.
    fn bundler_diagnostic(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let options = self.diagnostic_options();
        let position = problem.to_diagnostic_with(&options).get_primary_location();
        let positioned_file =
            position.as_ref().map(|(file, ..)| self.display_base.join(file)).filter(|file| file.is_file());
        let file = positioned_file
            .clone()
            .or_else(|| problem.id().map(PathBuf::from).filter(|file| file.is_absolute()));
        let location =
            SourceLocation::file(self.relative_path(&file.unwrap_or_else(|| self.script.to_owned())));
        let location = match (position, positioned_file) {
            (Some((_, line, column, _)), Some(file)) => {
                with_position_from_utf16(&location, &file, self.root, line, column)
            }
            _ => location,
        };
        let message = normalize_message(problem.to_message_with(&options).lines().next().unwrap_or_default());
        let message = message.replace(&format!("{}{MAIN_SEPARATOR}", self.display_base.display()), "");
        Diagnostic::error(location, message)
    }

    fn relative_path(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.display_base).unwrap_or(path).to_owned()
    }

    /// Makes the path of a diagnostic relative to `display_base`.
    pub(super) fn with_relative_path(&self, diagnostic: Diagnostic) -> Diagnostic {
        let location = diagnostic.location.map(|location| match location.path() {
            Some(path) => {
                let path = self.relative_path(path);
                location.with_path(path)
            }
            None => location,
        });
        Diagnostic { location, ..diagnostic }
    }
}

/// Returns the error for a crash of the bundler process.
pub(super) fn crash_error(crash: &Crash, script: &Path, display_base: &Path) -> Diagnostic {
    let file = crash.file.as_deref().unwrap_or(script);
    let location = SourceLocation::file(file.strip_prefix(display_base).unwrap_or(file));
    let (message, hint) = match (&crash.panic, crash.end) {
        (Some(panic), _) => {
            let reason =
                panic.lines().find(|line| !line.starts_with("thread") && !line.starts_with("panicked at"));
            (format!("the bundler crashed: {}", reason.unwrap_or_default().trim()), BUNDLE_EARLIER_HINT)
        }
        (None, ProcessEnd::Exit(status)) if is_stack_overflow(status) => (
            "the code is nested too deeply for the bundler".to_owned(),
            "split the nested expression, or import large data as JSON or as the text of a `.raw.js` file",
        ),
        (None, ProcessEnd::Timeout) => (
            "bundling timed out after 2 minutes".to_owned(),
            "split expressions with thousands of operands, or bundle the script in an earlier step and set `GITBOOK_BUNDLE=false`",
        ),
        (None, ProcessEnd::Exit(status)) => (
            format!("the bundler process ended unexpectedly: {status}"),
            "give this step more memory, or make the script smaller",
        ),
    };
    Diagnostic::error(location, message).with_hint(hint.to_owned())
}

/// Returns true if a stack overflow probably ended the process. Rust aborts a process whose stack overflows.
#[cfg(unix)]
fn is_stack_overflow(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    // Signal 6 is SIGABRT, and signal 11 is SIGSEGV.
    matches!(status.signal(), Some(6 | 11))
}

/// Returns true if a stack overflow ended the process with the status `STATUS_STACK_OVERFLOW`.
#[cfg(not(unix))]
fn is_stack_overflow(status: ExitStatus) -> bool {
    status.code() == Some(0xC000_00FD_u32 as i32)
}

/// Returns true if the problem is an import that the bundler cannot resolve.
pub(super) fn is_unresolved_import(problem: &BuildDiagnostic) -> bool {
    matches!(
        problem.kind(),
        EventKind::ResolveError | EventKind::UnresolvedEntry | EventKind::UnresolvedImport
    )
}

/// Converts a byte offset in `source` to a location with an excerpt. `source` is the text of the file at `path`, possibly after
/// rewriting.
pub(super) fn location_at_offset(path: &Path, root: &Path, source: &str, offset: usize) -> SourceLocation {
    let text_before = source.get(..offset).unwrap_or_default();
    let line = text_before.matches('\n').count();
    let column = text_before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
    with_position_from_utf16(&SourceLocation::file(path), path, root, line + 1, column)
}

/// Returns the location at a line and a column of a file, with an excerpt. `line` and `column` count from 0.
pub(super) fn location_in_file(file: &Path, root: &Path, line: usize, column: usize) -> SourceLocation {
    let file = normalize_path(file);
    with_position_from_utf16(&SourceLocation::file(&file), &file, root, line + 1, column)
}

/// Adds a line, a column and an excerpt of the file to a location. `line` counts from 1. `column` counts UTF-16 units from 0 and
/// includes a byte order mark, like the bundler's columns. The column in the location counts characters from 1 and excludes a
/// byte order mark.
fn with_position_from_utf16(
    location: &SourceLocation,
    file: &Path,
    root: &Path,
    line: usize,
    column: usize,
) -> SourceLocation {
    let text =
        files::read_text(file, |path| files::is_repository_or_package_file(path, root)).unwrap_or_default();
    let first_line = line.saturating_sub(1).max(1);
    let lines: Vec<_> = text.lines().skip(first_line - 1).take(2).collect();
    let target_line = lines.get(line.saturating_sub(first_line)).copied().unwrap_or_default();
    let mut utf16_units = 0;
    let characters_before = target_line.chars().take_while(|character| {
        utf16_units += character.len_utf16();
        utf16_units <= column
    });
    let byte_order_mark = usize::from(target_line.starts_with('\u{feff}'));
    let characters = characters_before.count().saturating_sub(byte_order_mark);
    location.with_lines(&lines.join("\n"), first_line).at(line, characters + 1)
}

/// Removes `.` and `..` from a path without reading the file system.
fn normalize_path(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                normalized.pop();
            }
            other => normalized.push(other),
        }
    }
    normalized
}
