//! Turns the bundler's problems into ours: each cause once, with its place and a remedy.

use std::collections::HashMap;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::ExitStatus;

use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use super::causes;
use super::service::Crash;
use super::sources::{Unread, file_of};
use crate::diagnostic::{Diagnostic, Place, Severity, lower_case, shown};
use crate::integration::files;
use crate::integration::workshop::End;

/// The context of problems.
pub(super) struct Problems<'a> {
    /// The entry script, an absolute path.
    pub(super) script: &'a Path,
    /// The repository.
    pub(super) root: &'a Path,
    /// The folder that paths in messages are relative to.
    pub(super) shown_from: &'a Path,
    /// Files that were not read.
    pub(super) unread: &'a HashMap<PathBuf, Unread>,
}

impl Problems<'_> {
    /// Returns errors, without repeating one.
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

    /// Returns what is only to be logged, and the warnings. Nobody can act on a warning about a file of a package.
    pub(super) fn warnings(&self, problems: &[BuildDiagnostic]) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let mut found: Vec<Diagnostic> = Vec::new();
        for problem in problems {
            let next = Diagnostic { severity: Severity::Warning, ..self.plain(problem) };
            if !found.contains(&next) {
                found.push(next);
            }
        }
        found.into_iter().partition(|problem| {
            let path = problem.place.as_ref().and_then(Place::path);
            path.is_some_and(|path| path.iter().any(|part| part == "node_modules"))
        })
    }

    fn error(&self, problem: &BuildDiagnostic) -> Diagnostic {
        match problem.kind() {
            EventKind::UnloadableDependencyError => self.unread(problem),
            EventKind::UnhandleableError => self.failed(problem),
            EventKind::MissingExportError => self.plain(problem),
            _ if is_missing(problem) => self.unresolved(problem),
            _ => self.plain(problem),
        }
    }

    /// Explains an import that cannot be resolved.
    fn unresolved(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let importer = problem.id().map(PathBuf::from).unwrap_or_else(|| self.script.to_owned());
        let specifier = problem.exporter().unwrap_or_default();
        let cause = causes::explain(&specifier, &importer, self.root);
        match cause {
            causes::Cause::Elsewhere(problem) => self.relative(problem),
            causes::Cause::Here { message, hint } => {
                let plain = self.plain(problem);
                Diagnostic { message: message.unwrap_or(plain.message), ..plain }.hint(hint)
            }
        }
    }

    /// Explains a file that was not read.
    fn unread(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let plain = self.plain(problem);
        let message = problem.to_message_with(&self.options());
        let named =
            message.strip_prefix("Could not load ").and_then(|rest| rest.split(" (imported by ").next());
        let folder = self.script.parent().unwrap_or(self.script);
        let path = named.map(|named| normalized(&file_of(&folder.join(named).to_string_lossy())));
        let reason = path.as_deref().and_then(|path| {
            let exact = self.unread.get(path);
            exact.or_else(|| {
                self.unread.iter().find(|(unread, _)| normalized(unread) == path).map(|(_, reason)| reason)
            })
        });
        let name = shown(&self.shown(path.as_deref().unwrap_or(Path::new(named.unwrap_or_default()))));
        let (message, hint) = match reason {
            Some(Unread::Outside) => (
                format!("`{name}` is imported and lies outside the repository"),
                "keep all files of an integration in its repository",
            ),
            Some(Unread::Type(extension)) => (
                format!("files of the type `{extension}` cannot be imported"),
                "to import a file's text, name it `….raw.js` or `….raw.css`",
            ),
            Some(Unread::Io(error)) => {
                (format!("cannot read `{name}`: {error}"), "check the path and its permissions")
            }
            None => return plain,
        };
        Diagnostic { message, ..plain }.hint(hint.to_owned())
    }

    /// Explains a failure inside the bundler, of which the usual cause is a `package.json` that is no JSON.
    fn failed(&self, problem: &BuildDiagnostic) -> Diagnostic {
        if let Some(broken) = causes::broken_package_json(self.script, self.root) {
            return self.relative(broken);
        }
        let message = problem.to_message_with(&self.options());
        let reason = message.lines().nth(1).unwrap_or_default();
        let place = Place::file(self.shown(self.script));
        Diagnostic::error(place, format!("the bundler failed: {}", lower_case(reason)))
    }

    fn options(&self) -> DiagnosticOptions {
        DiagnosticOptions { cwd: self.shown_from.to_owned() }
    }

    /// Returns a problem in the bundler's words, at its place. Columns count from 0 there.
    fn plain(&self, problem: &BuildDiagnostic) -> Diagnostic {
        let options = self.options();
        let position = problem.to_diagnostic_with(&options).get_primary_location();
        let named =
            position.as_ref().map(|(file, ..)| self.shown_from.join(file)).filter(|file| file.is_file());
        let file =
            named.clone().or_else(|| problem.id().map(PathBuf::from).filter(|file| file.is_absolute()));
        let place = Place::file(self.shown(&file.unwrap_or_else(|| self.script.to_owned())));
        let place = match (position, named) {
            (Some((_, line, column, _)), Some(file)) => at_column(&place, &file, self.root, line, column),
            _ => place,
        };
        let message = lower_case(problem.to_message_with(&options).lines().next().unwrap_or_default());
        let message = message.replace(&format!("{}{MAIN_SEPARATOR}", self.shown_from.display()), "");
        Diagnostic::error(place, message)
    }

    fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.shown_from).unwrap_or(path).to_owned()
    }

    /// Returns a problem with its path relative to the folder that messages start from.
    pub(super) fn relative(&self, diagnostic: Diagnostic) -> Diagnostic {
        let place = diagnostic.place.map(|place| match place.path() {
            Some(path) => {
                let path = self.shown(path);
                place.renamed(path)
            }
            None => place,
        });
        Diagnostic { place, ..diagnostic }
    }
}

/// Returns the error for a crash of the bundler's process.
pub(super) fn crashed(crash: &Crash, script: &Path, shown_from: &Path) -> Diagnostic {
    let file = crash.file.as_deref().unwrap_or(script);
    let place = Place::file(file.strip_prefix(shown_from).unwrap_or(file));
    let (message, hint) = match (&crash.panic, crash.end) {
        (Some(panic), _) => {
            let reason =
                panic.lines().find(|line| !line.starts_with("thread") && !line.starts_with("panicked at"));
            (
                format!("the bundler crashed: {}", reason.unwrap_or_default().trim()),
                "simplify the file, or bundle the script before this step and set `GITBOOK_BUNDLE=false`",
            )
        }
        (None, End::Exit(status)) if is_overflow(status) => (
            "the code is nested too deeply for the bundler".to_owned(),
            "split the expression, or import large data as JSON or as the text of a `.raw.js` file",
        ),
        (None, End::Late) => (
            "the script takes more than 2 minutes to bundle".to_owned(),
            "split expressions of thousands of parts, or bundle the script before this step and set `GITBOOK_BUNDLE=false`",
        ),
        (None, End::Exit(status)) => (
            format!("the bundler was ended by the system: {status}"),
            "give the step more memory, or make the script smaller",
        ),
    };
    Diagnostic::error(place, message).hint(hint.to_owned())
}

/// Returns whether a process ended as one does whose stack is too small: Rust aborts it.
#[cfg(unix)]
fn is_overflow(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    // SIGABRT and SIGSEGV.
    matches!(status.signal(), Some(6 | 11))
}

/// Returns whether a process ended as one does whose stack is too small: with `STATUS_STACK_OVERFLOW`.
#[cfg(not(unix))]
fn is_overflow(status: ExitStatus) -> bool {
    status.code() == Some(0xC000_00FD_u32 as i32)
}

/// Returns whether a problem is an import of something that does not exist.
pub(super) fn is_missing(problem: &BuildDiagnostic) -> bool {
    matches!(
        problem.kind(),
        EventKind::ResolveError | EventKind::UnresolvedEntry | EventKind::UnresolvedImport
    )
}

/// Returns the place of a byte in a text that was read from a file, with the file's own line.
pub(super) fn in_source(path: &Path, root: &Path, source: &str, offset: usize) -> Place {
    let before = source.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
    at_column(&Place::file(path), path, root, line + 1, column)
}

/// Returns the place of a line and a column, both counted from 0, in a file.
pub(super) fn in_file(file: &Path, root: &Path, line: usize, column: usize) -> Place {
    let file = normalized(file);
    at_column(&Place::file(&file), &file, root, line + 1, column)
}

/// Returns a place in a script, with its line. The bundler's columns count UTF-16 units from 0, and the byte order mark, which
/// is not shown.
fn at_column(place: &Place, file: &Path, root: &Path, line: usize, column: usize) -> Place {
    let text = files::read_text(file, |path| files::is_module(path, root)).unwrap_or_default();
    let first = line.saturating_sub(1).max(1);
    let lines: Vec<_> = text.lines().skip(first - 1).take(2).collect();
    let own = lines.get(line.saturating_sub(first)).copied().unwrap_or_default();
    let mut units = 0;
    let before = own.chars().take_while(|character| {
        units += character.len_utf16();
        units <= column
    });
    let unseen = usize::from(own.starts_with('\u{feff}'));
    let characters = before.count().saturating_sub(unseen);
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
