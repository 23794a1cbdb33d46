//! Converts the bundler's errors and warnings to diagnostics: one for each cause, with its location and a hint.

use std::collections::HashMap;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::ExitStatus;

use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use super::causes;
use super::service::Crash;
use super::sources::{ReadFailure, file_of};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation, display_path, lower_case};
use crate::integration::files;
use crate::integration::packaging_context::ProcessEnd;

/// The paths that a diagnostic depends on.
pub(super) struct DiagnosticContext<'a> {
    /// The entry script, an absolute path.
    pub(super) script: &'a Path,
    /// The root of the repository.
    pub(super) root: &'a Path,
    /// The base of relative paths in messages.
    pub(super) shown_from: &'a Path,
    /// Files that could not be read.
    pub(super) read_failures: &'a HashMap<PathBuf, ReadFailure>,
}

impl DiagnosticContext<'_> {
    /// Returns the diagnostics for errors, without duplicates.
    pub(super) fn errors(&self, problems: &[BuildDiagnostic]) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = Vec::new();
        for problem in problems {
            let next = self.error(problem);
            if !found.contains(&next) {
                found.push(next);
            }
        }
        found
    }

    /// Returns the notes for the debug log, and the warnings. Warnings about files of packages are notes: users cannot fix
    /// them.
    pub(super) fn warnings(&self, problems: &[BuildDiagnostic]) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let mut found: Vec<Diagnostic> = Vec::new();
        for problem in problems {
            let next = Diagnostic { severity: Severity::Warning, ..self.original(problem) };
            if !found.contains(&next) {
                found.push(next);
            }
        }
        found.into_iter().partition(|problem| {
            let path = problem.location.as_ref().and_then(SourceLocation::path);
            path.is_some_and(|path| path.iter().any(|part| part == "node_modules"))
        })
    }

    fn error(&self, problem: &BuildDiagnostic) -> Diagnostic {
        match problem.kind() {
            EventKind::UnloadableDependencyError => self.read_failure(problem),
            EventKind::UnhandleableError => self.bundler_failure(problem),
            EventKind::MissingExportError => self.original(problem),
            _ if is_unresolved(problem) => self.unresolved_import(problem),
            _ => self.original(problem),
        }
    }

    /// Explains an import that cannot be resolved.
    fn unresolved_import(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let importer = problem.id().map(PathBuf::from).unwrap_or_else(|| self.script.to_owned());
        let Some(specifier) = problem.exporter() else { return self.original(problem) };
        match causes::explain(&specifier, &importer, self.root) {
            causes::Explanation::Replacement(problem) => self.relative(problem),
            causes::Explanation::AtImport { reason, hint } => {
                let message = format!("`{specifier}` cannot be imported: {reason}");
                Diagnostic { message, ..self.original(problem) }.hint(hint)
            }
        }
    }

    /// Explains a file that was not read.
    fn read_failure(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let original = self.original(problem);
        let message = problem.to_message_with(&self.options());
        let named =
            message.strip_prefix("Could not load ").and_then(|rest| rest.split(" (imported by ").next());
        let folder = self.script.parent().unwrap_or(self.script);
        let path = named.map(|named| normalized(&file_of(&folder.join(named).to_string_lossy())));
        let reason = path.as_deref().and_then(|path| {
            let exact = self.read_failures.get(path);
            exact.or_else(|| {
                self.read_failures
                    .iter()
                    .find(|(failed, _)| normalized(failed) == path)
                    .map(|(_, reason)| reason)
            })
        });
        let name =
            display_path(&self.display(path.as_deref().unwrap_or(Path::new(named.unwrap_or_default()))));
        let (message, hint) = match reason {
            Some(ReadFailure::Outside) => (
                format!("`{name}` cannot be imported: it lies outside the repository"),
                "move the file into the repository of the integration",
            ),
            Some(ReadFailure::Type(extension)) => (
                format!("`{name}` cannot be imported: `{extension}` files are not supported"),
                "rename the file to `….raw.js` or `….raw.css` to import it as text",
            ),
            Some(ReadFailure::Io(error)) => (
                format!("`{name}` cannot be imported: {error}"),
                "check the path and the permissions of the file",
            ),
            None => return original,
        };
        Diagnostic { message, ..original }.hint(hint.to_owned())
    }

    /// Explains a failure inside the bundler. The usual cause is a `package.json` with a syntax error.
    fn bundler_failure(&self, problem: &BuildDiagnostic) -> Diagnostic {
        if let Some(broken) = causes::broken_package_json(self.script, self.root) {
            return self.relative(broken);
        }
        let message = problem.to_message_with(&self.options());
        let reason = message.lines().nth(1).unwrap_or_default();
        let place = SourceLocation::file(self.display(self.script));
        Diagnostic::error(place, format!("the bundler failed: {}", lower_case(reason)))
    }

    fn options(&self) -> DiagnosticOptions {
        DiagnosticOptions { cwd: self.shown_from.to_owned() }
    }

    /// Returns a problem with the bundler's message and location. The bundler counts columns from 0.
    fn original(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let options = self.options();
        let position = problem.to_diagnostic_with(&options).get_primary_location();
        let named =
            position.as_ref().map(|(file, ..)| self.shown_from.join(file)).filter(|file| file.is_file());
        let file =
            named.clone().or_else(|| problem.id().map(PathBuf::from).filter(|file| file.is_absolute()));
        let place = SourceLocation::file(self.display(&file.unwrap_or_else(|| self.script.to_owned())));
        let place = match (position, named) {
            (Some((_, line, column, _)), Some(file)) => {
                at_utf16_column(&place, &file, self.root, line, column)
            }
            _ => place,
        };
        let message = lower_case(problem.to_message_with(&options).lines().next().unwrap_or_default());
        let message = message.replace(&format!("{}{MAIN_SEPARATOR}", self.shown_from.display()), "");
        Diagnostic::error(place, message)
    }

    fn display(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.shown_from).unwrap_or(path).to_owned()
    }

    /// Returns a diagnostic with its path relative to `shown_from`.
    pub(super) fn relative(&self, diagnostic: Diagnostic) -> Diagnostic {
        let place = diagnostic.location.map(|place| match place.path() {
            Some(path) => {
                let path = self.display(path);
                place.with_path(path)
            }
            None => place,
        });
        Diagnostic { location: place, ..diagnostic }
    }
}

/// Returns the error for a crash of the bundler process.
pub(super) fn crash_error(crash: &Crash, script: &Path, shown_from: &Path) -> Diagnostic {
    let file = crash.file.as_deref().unwrap_or(script);
    let place = SourceLocation::file(file.strip_prefix(shown_from).unwrap_or(file));
    let (message, hint) = match (&crash.panic, crash.end) {
        (Some(panic), _) => {
            let reason =
                panic.lines().find(|line| !line.starts_with("thread") && !line.starts_with("panicked at"));
            (
                format!("the bundler crashed: {}", reason.unwrap_or_default().trim()),
                "simplify this file, or bundle the script in an earlier step and set `GITBOOK_BUNDLE=false`",
            )
        }
        (None, ProcessEnd::Exit(status)) if is_stack_overflow(status) => (
            "the code is nested too deeply for the bundler".to_owned(),
            "split the nested expression, or import large data as JSON or as the text of a `.raw.js` file",
        ),
        (None, ProcessEnd::Timeout) => (
            "bundling took too long: the limit is 2 minutes".to_owned(),
            "split expressions with thousands of operands, or bundle the script in an earlier step and set `GITBOOK_BUNDLE=false`",
        ),
        (None, ProcessEnd::Exit(status)) => (
            format!("the bundler process ended unexpectedly: {status}"),
            "give this step more memory, or make the script smaller",
        ),
    };
    Diagnostic::error(place, message).hint(hint.to_owned())
}

/// Returns true if a stack overflow ended the process. Rust aborts it.
#[cfg(unix)]
fn is_stack_overflow(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    // SIGABRT and SIGSEGV.
    matches!(status.signal(), Some(6 | 11))
}

/// Returns true if a stack overflow ended the process, with the status `STATUS_STACK_OVERFLOW`.
#[cfg(not(unix))]
fn is_stack_overflow(status: ExitStatus) -> bool {
    status.code() == Some(0xC000_00FD_u32 as i32)
}

/// Returns true if the bundler cannot resolve an import.
pub(super) fn is_unresolved(problem: &BuildDiagnostic) -> bool {
    matches!(
        problem.kind(),
        EventKind::ResolveError | EventKind::UnresolvedEntry | EventKind::UnresolvedImport
    )
}

/// Returns the location of a byte in the text of a file, with the line as excerpt.
pub(super) fn location_at_offset(path: &Path, root: &Path, source: &str, offset: usize) -> SourceLocation {
    let before = source.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
    at_utf16_column(&SourceLocation::file(path), path, root, line + 1, column)
}

/// Returns the location of a line and a column in a file, with the line as excerpt. Both count from 0.
pub(super) fn location_in_file(file: &Path, root: &Path, line: usize, column: usize) -> SourceLocation {
    let file = normalized(file);
    at_utf16_column(&SourceLocation::file(&file), &file, root, line + 1, column)
}

/// Returns a location with its line as excerpt. The bundler counts columns from 0 in UTF-16 units and includes the byte
/// order mark, which the excerpt omits.
fn at_utf16_column(
    place: &SourceLocation,
    file: &Path,
    root: &Path,
    line: usize,
    column: usize,
) -> SourceLocation {
    let text = files::read_text(file, |path| files::is_module(path, root)).unwrap_or_default();
    let first = line.saturating_sub(1).max(1);
    let lines: Vec<_> = text.lines().skip(first - 1).take(2).collect();
    let own = lines.get(line.saturating_sub(first)).copied().unwrap_or_default();
    let mut units = 0;
    let before = own.chars().take_while(|character| {
        units += character.len_utf16();
        units <= column
    });
    let byte_order_mark = usize::from(own.starts_with('\u{feff}'));
    let characters = before.count().saturating_sub(byte_order_mark);
    place.with_lines(&lines.join("\n"), first).at(line, characters + 1)
}

/// Returns a path without `.` and `..`.
fn normalized(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts
}
