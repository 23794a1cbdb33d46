//! Bundles scripts for another process of this program: requests and answers, one a line.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Bundle, Part, Traced};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::integration::packaging_context::{Answer, End, Threads};

/// A script to bundle.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) script: PathBuf,
    pub(super) root: PathBuf,
    pub(super) shown_from: PathBuf,
    /// True to name each file before it is parsed, one after another.
    pub(super) is_traced: bool,
    /// The text of a script that was built before, which is only checked.
    pub(super) built: Option<String>,
}

/// A line of an answer.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    /// A file is about to be parsed.
    Parsing(PathBuf),
    /// All files are parsed.
    Parsed,
    /// The bundler panicked.
    Panic(String),
    /// The last line.
    Done(Result<Bundled, Vec<Problem>>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Bundled {
    script: String,
    parts: Vec<Part>,
    warnings: Vec<Problem>,
    notes: Vec<Problem>,
}

/// A diagnostic of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Problem {
    is_error: bool,
    file: Option<PathBuf>,
    position: Option<(usize, usize, Option<usize>)>,
    lines: Option<(String, usize)>,
    message: String,
    hint: Option<String>,
}

/// The end of a process before the end of its answer.
#[derive(Debug)]
pub(super) struct Crash {
    /// The file that was being parsed.
    pub(super) file: Option<PathBuf>,
    /// The message of a panic.
    pub(super) panic: Option<String>,
    /// The way that the process ended.
    pub(super) end: End,
}

/// Returns whether a line ends an answer.
pub(super) fn is_last(line: &str) -> bool {
    line.starts_with("{\"Done\"")
}

/// Reads an answer.
///
/// # Errors
/// The crash of the process.
pub(super) fn read(answer: Answer) -> Result<Result<Bundle, Vec<Diagnostic>>, Crash> {
    let (mut file, mut panic) = (None, None);
    for line in &answer.lines {
        match serde_json::from_str(line) {
            Ok(Line::Parsing(path)) => file = Some(path),
            Ok(Line::Parsed) => file = None,
            Ok(Line::Panic(message)) => panic = Some(message),
            Ok(Line::Done(result)) => return Ok(result.map(Into::into).map_err(diagnostics)),
            Err(error) => panic = Some(error.to_string()),
        }
    }
    Err(Crash { file, panic, end: answer.end.unwrap_or(End::Late) })
}

/// Answers requests until there are no more. `output` gives the standard output, of which the handler of panics needs its own.
pub(crate) fn serve<W: Write + 'static>(requests: impl BufRead, output: fn() -> W) -> std::io::Result<()> {
    let write = move |line: &Line| -> std::io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut output = output();
        output.write_all(text.as_bytes())?;
        output.flush()
    };
    std::panic::set_hook(Box::new(move |info| drop(write(&Line::Panic(info.to_string())))));
    let threads = Threads::default();
    for request in requests.lines() {
        let request: Request = serde_json::from_str(&request?)?;
        let traced: Option<Traced> = request.is_traced.then(|| {
            let traced: Traced = std::sync::Arc::new(move |file| {
                drop(write(&file.map_or(Line::Parsed, |file| Line::Parsing(file.to_owned()))));
            });
            traced
        });
        let result = futures::executor::block_on(super::in_this_process(request, &threads, traced));
        write(&Line::Done(result.map(Into::into).map_err(problems)))?;
    }
    Ok(())
}

fn problems(diagnostics: Vec<Diagnostic>) -> Vec<Problem> {
    diagnostics.into_iter().map(Into::into).collect()
}

fn diagnostics(problems: Vec<Problem>) -> Vec<Diagnostic> {
    problems.into_iter().map(Into::into).collect()
}

impl From<Bundle> for Bundled {
    fn from(Bundle { script, parts, warnings, notes }: Bundle) -> Self {
        Self { script, parts, warnings: problems(warnings), notes: problems(notes) }
    }
}

impl From<Bundled> for Bundle {
    fn from(Bundled { script, parts, warnings, notes }: Bundled) -> Self {
        Self { script, parts, warnings: diagnostics(warnings), notes: diagnostics(notes) }
    }
}

impl From<Diagnostic> for Problem {
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

impl From<Problem> for Diagnostic {
    fn from(problem: Problem) -> Self {
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
