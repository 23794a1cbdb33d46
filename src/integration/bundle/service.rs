//! The protocol of the bundler process: requests and answers as lines of JSON.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Bundle, OnParse, PackageSize};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::integration::packaging_context::{ProcessEnd, ProcessReply, Threads};

/// A request to bundle a script, or to check a built one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BundleRequest {
    pub(super) script: PathBuf,
    pub(super) root: PathBuf,
    pub(super) shown_from: PathBuf,
    /// True to write a line before each file is parsed. Files are then parsed one after another.
    pub(super) reports_parsing: bool,
    /// The text of a built script, to be checked without bundling.
    pub(super) built: Option<String>,
}

/// A line of an answer.
#[derive(Debug, Serialize, Deserialize)]
enum ServiceLine {
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
    notes: Vec<SerializedDiagnostic>,
}

/// A diagnostic in the form of the protocol.
#[derive(Debug, Serialize, Deserialize)]
struct SerializedDiagnostic {
    is_error: bool,
    file: Option<PathBuf>,
    position: Option<(usize, usize, Option<usize>)>,
    lines: Option<(String, usize)>,
    message: String,
    hint: Option<String>,
}

/// A process that ended before its answer was complete.
#[derive(Debug)]
pub(super) struct Crash {
    /// The file in the parser at that time.
    pub(super) file: Option<PathBuf>,
    /// The message of a panic.
    pub(super) panic: Option<String>,
    /// The exit status or the timeout.
    pub(super) end: ProcessEnd,
}

/// Returns true for the last line of an answer.
pub(super) fn is_last_line(line: &str) -> bool {
    line.starts_with("{\"Done\"")
}

/// Parses an answer.
///
/// # Errors
/// A crash of the process.
pub(super) fn parse_answer(answer: ProcessReply) -> Result<Result<Bundle, Vec<Diagnostic>>, Crash> {
    let (mut file, mut panic) = (None, None);
    for line in &answer.lines {
        match serde_json::from_str(line) {
            Ok(ServiceLine::Parsing(path)) => file = Some(path),
            Ok(ServiceLine::Parsed) => file = None,
            Ok(ServiceLine::Panic(message)) => panic = Some(message),
            Ok(ServiceLine::Done(result)) => return Ok(result.map(Into::into).map_err(deserialize)),
            Err(error) => panic = Some(error.to_string()),
        }
    }
    Err(Crash { file, panic, end: answer.end.unwrap_or(ProcessEnd::Timeout) })
}

/// Answers requests until the input ends. `output` opens the standard output, once for each line, so that the panic handler
/// can write too.
pub(crate) fn serve<W: Write + 'static>(requests: impl BufRead, output: fn() -> W) -> std::io::Result<()> {
    let write = move |line: &ServiceLine| -> std::io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut output = output();
        output.write_all(text.as_bytes())?;
        output.flush()
    };
    std::panic::set_hook(Box::new(move |info| drop(write(&ServiceLine::Panic(info.to_string())))));
    let threads = Threads::default();
    for request in requests.lines() {
        let request: BundleRequest = serde_json::from_str(&request?)?;
        let on_parse: Option<OnParse> = request.reports_parsing.then(|| {
            let on_parse: OnParse = std::sync::Arc::new(move |file| {
                drop(write(&file.map_or(ServiceLine::Parsed, |file| ServiceLine::Parsing(file.to_owned()))));
            });
            on_parse
        });
        let result = futures::executor::block_on(super::bundle_in_this_process(request, &threads, on_parse));
        write(&ServiceLine::Done(result.map(Into::into).map_err(serialize)))?;
    }
    Ok(())
}

fn serialize(diagnostics: Vec<Diagnostic>) -> Vec<SerializedDiagnostic> {
    diagnostics.into_iter().map(Into::into).collect()
}

fn deserialize(problems: Vec<SerializedDiagnostic>) -> Vec<Diagnostic> {
    problems.into_iter().map(Into::into).collect()
}

impl From<Bundle> for SerializedBundle {
    fn from(Bundle { script, packages, warnings, notes }: Bundle) -> Self {
        Self { script, packages, warnings: serialize(warnings), notes: serialize(notes) }
    }
}

impl From<SerializedBundle> for Bundle {
    fn from(SerializedBundle { script, packages, warnings, notes }: SerializedBundle) -> Self {
        Self { script, packages, warnings: deserialize(warnings), notes: deserialize(notes) }
    }
}

impl From<Diagnostic> for SerializedDiagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let place = diagnostic.location.as_ref();
        let position = place.and_then(|place| place.position);
        Self {
            is_error: diagnostic.is_error(),
            file: place.and_then(SourceLocation::path).map(ToOwned::to_owned),
            position: position.map(|position| (position.line, position.column, position.end_column)),
            lines: place
                .and_then(SourceLocation::attached_text)
                .map(|(text, first)| (text.to_owned(), first)),
            message: diagnostic.message,
            hint: diagnostic.hint,
        }
    }
}

impl From<SerializedDiagnostic> for Diagnostic {
    fn from(problem: SerializedDiagnostic) -> Self {
        let place = problem.file.map(|file| {
            let place = SourceLocation::file(file);
            let place = match &problem.lines {
                Some((text, first)) => place.with_lines(text, *first),
                None => place,
            };
            match problem.position {
                Some((line, column, end)) => place.at(line, column).up_to_column(end.unwrap_or_default()),
                None => place,
            }
        });
        let severity = if problem.is_error { Severity::Error } else { Severity::Warning };
        Self { severity, ..Self::error(place, problem.message) }.hint(problem.hint)
    }
}
