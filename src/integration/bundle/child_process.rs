//! Implements the protocol of the bundler process: requests and replies are lines of JSON.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Bundle, OnParse, PackageSize};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::integration::packaging_context::{ProcessEnd, ProcessReply, Threads};

/// A request to bundle a script, or to check a script that is already built.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BundleRequest {
    pub(super) script: PathBuf,
    pub(super) root: PathBuf,
    pub(super) display_base: PathBuf,
    /// True if the process must write a line before it parses each file. It then parses the files one after another.
    pub(super) reports_parsing: bool,
    /// The code of a built script to check, or `None` to bundle `script`.
    pub(super) built_code: Option<String>,
}

/// One line of a reply. A reply consists of one or more lines.
#[derive(Debug, Serialize, Deserialize)]
enum ReplyLine {
    /// The bundler starts to parse a file.
    Parsing(PathBuf),
    /// The bundler has parsed all files.
    Parsed,
    /// The bundler panicked.
    Panic(String),
    /// The result, in the last line.
    Done(Result<SerializedBundle, Vec<SerializedDiagnostic>>),
}

#[derive(Debug, Serialize, Deserialize)]
struct SerializedBundle {
    script: String,
    packages: Vec<PackageSize>,
    warnings: Vec<SerializedDiagnostic>,
    package_warnings: Vec<SerializedDiagnostic>,
}

/// A [`Diagnostic`] that can be converted to JSON.
#[derive(Debug, Serialize, Deserialize)]
struct SerializedDiagnostic {
    is_error: bool,
    file: Option<PathBuf>,
    /// The line, the column and the end column.
    position: Option<(usize, usize, Option<usize>)>,
    /// The lines around the problem, and the number of the first of these lines.
    lines: Option<(String, usize)>,
    message: String,
    hint: Option<String>,
}

/// A bundler process that ended before its reply was complete.
#[derive(Debug)]
pub(super) struct Crash {
    /// The file that the process was parsing.
    pub(super) file: Option<PathBuf>,
    /// The panic message, if the process panicked.
    pub(super) panic: Option<String>,
    /// The exit status or the timeout.
    pub(super) end: ProcessEnd,
}

/// Returns true if `line` is the last line of a reply.
pub(super) fn is_last_line(line: &str) -> bool {
    line.starts_with("{\"Done\"")
}

/// Returns the bundler's result from the reply to a [`BundleRequest`].
///
/// # Errors
/// Returns a [`Crash`] if the reply is incomplete.
pub(super) fn parse_reply(reply: ProcessReply) -> Result<Result<Bundle, Vec<Diagnostic>>, Crash> {
    let (mut file, mut panic) = (None, None);
    for line in &reply.lines {
        match serde_json::from_str(line) {
            Ok(ReplyLine::Parsing(path)) => file = Some(path),
            Ok(ReplyLine::Parsed) => file = None,
            Ok(ReplyLine::Panic(message)) => panic = Some(message),
            Ok(ReplyLine::Done(result)) => {
                return Ok(result.map(Into::into).map_err(deserialize_diagnostics));
            }
            Err(error) => panic = Some(error.to_string()),
        }
    }
    Err(Crash { file, panic, end: reply.end.unwrap_or(ProcessEnd::Timeout) })
}

/// Handles requests until the input ends. Calls `output` to open the standard output anew for each line, so that the panic hook
/// can also write lines.
pub(crate) fn serve<W: Write + 'static>(requests: impl BufRead, output: fn() -> W) -> std::io::Result<()> {
    let write = move |line: &ReplyLine| -> std::io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut output = output();
        output.write_all(text.as_bytes())?;
        output.flush()
    };
    std::panic::set_hook(Box::new(move |info| drop(write(&ReplyLine::Panic(info.to_string())))));
    let threads = Threads::default();
    for request in requests.lines() {
        let request: BundleRequest = serde_json::from_str(&request?)?;
        let on_parse: Option<OnParse> = request.reports_parsing.then(|| {
            let on_parse: OnParse = std::sync::Arc::new(move |file| {
                drop(write(&file.map_or(ReplyLine::Parsed, |file| ReplyLine::Parsing(file.to_owned()))));
            });
            on_parse
        });
        let result =
            futures::executor::block_on(super::handle_request_on_threads(request, &threads, on_parse));
        write(&ReplyLine::Done(result.map(Into::into).map_err(serialize_diagnostics)))?;
    }
    Ok(())
}

fn serialize_diagnostics(diagnostics: Vec<Diagnostic>) -> Vec<SerializedDiagnostic> {
    diagnostics.into_iter().map(Into::into).collect()
}

fn deserialize_diagnostics(problems: Vec<SerializedDiagnostic>) -> Vec<Diagnostic> {
    problems.into_iter().map(Into::into).collect()
}

impl From<Bundle> for SerializedBundle {
    fn from(Bundle { script, packages, warnings, package_warnings }: Bundle) -> Self {
        Self {
            script,
            packages,
            warnings: serialize_diagnostics(warnings),
            package_warnings: serialize_diagnostics(package_warnings),
        }
    }
}

impl From<SerializedBundle> for Bundle {
    fn from(SerializedBundle { script, packages, warnings, package_warnings }: SerializedBundle) -> Self {
        Self {
            script,
            packages,
            warnings: deserialize_diagnostics(warnings),
            package_warnings: deserialize_diagnostics(package_warnings),
        }
    }
}

impl From<Diagnostic> for SerializedDiagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let location = diagnostic.location.as_ref();
        let position = location.and_then(|location| location.position);
        Self {
            is_error: diagnostic.is_error(),
            file: location.and_then(SourceLocation::path).map(ToOwned::to_owned),
            position: position.map(|position| (position.line, position.column, position.end_column)),
            lines: location
                .and_then(SourceLocation::attached_text)
                .map(|(text, first_line)| (text.to_owned(), first_line)),
            message: diagnostic.message,
            hint: diagnostic.hint,
        }
    }
}

impl From<SerializedDiagnostic> for Diagnostic {
    fn from(problem: SerializedDiagnostic) -> Self {
        let location = problem.file.map(|file| {
            let location = SourceLocation::file(file);
            let location = match &problem.lines {
                Some((text, first_line)) => location.with_lines(text, *first_line),
                None => location,
            };
            match problem.position {
                Some((line, column, end_column)) => {
                    location.at(line, column).up_to_column(end_column.unwrap_or_default())
                }
                None => location,
            }
        });
        let severity = if problem.is_error { Severity::Error } else { Severity::Warning };
        Self { severity, ..Self::error(location, problem.message) }.with_hint(problem.hint)
    }
}
