//! Implements the protocol of the bundler process: requests and answers are lines of JSON.

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
    pub(super) display_base: PathBuf,
    /// True to write a line before each file is parsed. Files are then parsed one after another.
    pub(super) reports_parsing: bool,
    /// The text of a built script to check. If this is `None`, `script` is bundled.
    pub(super) built_text: Option<String>,
}

/// One line of an answer. An answer consists of one or more lines.
#[derive(Debug, Serialize, Deserialize)]
enum AnswerLine {
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

/// A [`Diagnostic`] that can be converted to JSON.
#[derive(Debug, Serialize, Deserialize)]
struct SerializedDiagnostic {
    is_error: bool,
    file: Option<PathBuf>,
    /// The line, the column and the end column.
    position: Option<(usize, usize, Option<usize>)>,
    /// The text of the excerpt and the number of its first line.
    lines: Option<(String, usize)>,
    message: String,
    hint: Option<String>,
}

/// The end of a bundler process before its answer was complete.
#[derive(Debug)]
pub(super) struct Crash {
    /// The file that was being parsed.
    pub(super) file: Option<PathBuf>,
    /// The panic message, if the process panicked.
    pub(super) panic: Option<String>,
    /// The exit status or the timeout.
    pub(super) end: ProcessEnd,
}

/// Returns true if a line is the last one of an answer.
pub(super) fn is_last_line(line: &str) -> bool {
    line.starts_with("{\"Done\"")
}

/// Parses an answer.
///
/// # Errors
/// Returns a [`Crash`] if the answer is incomplete.
pub(super) fn parse_answer(answer: ProcessReply) -> Result<Result<Bundle, Vec<Diagnostic>>, Crash> {
    let (mut file, mut panic) = (None, None);
    for line in &answer.lines {
        match serde_json::from_str(line) {
            Ok(AnswerLine::Parsing(path)) => file = Some(path),
            Ok(AnswerLine::Parsed) => file = None,
            Ok(AnswerLine::Panic(message)) => panic = Some(message),
            Ok(AnswerLine::Done(result)) => {
                return Ok(result.map(Into::into).map_err(deserialize_diagnostics));
            }
            Err(error) => panic = Some(error.to_string()),
        }
    }
    Err(Crash { file, panic, end: answer.end.unwrap_or(ProcessEnd::Timeout) })
}

/// Handles requests until the input ends. `output` opens the standard output anew for each line, so that the panic hook
/// can also write to it.
pub(crate) fn serve<W: Write + 'static>(requests: impl BufRead, output: fn() -> W) -> std::io::Result<()> {
    let write = move |line: &AnswerLine| -> std::io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut output = output();
        output.write_all(text.as_bytes())?;
        output.flush()
    };
    std::panic::set_hook(Box::new(move |info| drop(write(&AnswerLine::Panic(info.to_string())))));
    let threads = Threads::default();
    for request in requests.lines() {
        let request: BundleRequest = serde_json::from_str(&request?)?;
        let on_parse: Option<OnParse> = request.reports_parsing.then(|| {
            let on_parse: OnParse = std::sync::Arc::new(move |file| {
                drop(write(&file.map_or(AnswerLine::Parsed, |file| AnswerLine::Parsing(file.to_owned()))));
            });
            on_parse
        });
        let result = futures::executor::block_on(super::bundle_in_this_process(request, &threads, on_parse));
        write(&AnswerLine::Done(result.map(Into::into).map_err(serialize_diagnostics)))?;
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
    fn from(Bundle { script, packages, warnings, notes }: Bundle) -> Self {
        Self {
            script,
            packages,
            warnings: serialize_diagnostics(warnings),
            notes: serialize_diagnostics(notes),
        }
    }
}

impl From<SerializedBundle> for Bundle {
    fn from(SerializedBundle { script, packages, warnings, notes }: SerializedBundle) -> Self {
        Self {
            script,
            packages,
            warnings: deserialize_diagnostics(warnings),
            notes: deserialize_diagnostics(notes),
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
                .map(|(text, first)| (text.to_owned(), first)),
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
                Some((text, first)) => location.with_lines(text, *first),
                None => location,
            };
            match problem.position {
                Some((line, column, end)) => location.at(line, column).up_to_column(end.unwrap_or_default()),
                None => location,
            }
        });
        let severity = if problem.is_error { Severity::Error } else { Severity::Warning };
        Self { severity, ..Self::error(location, problem.message) }.hint(problem.hint)
    }
}
