//! Captures a log, and checks that no line affects the terminal or CI system that displays it.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::LogFormat;
use crate::environment::Environment;
use crate::report::Printer;
use crate::untrusted::is_unsafe_char;

/// All formats of the log.
pub(super) const FORMATS: [LogFormat; 3] = [LogFormat::Text, LogFormat::GitHub, LogFormat::Json];

/// The workflow commands that the program prints for GitHub's runner.
const COMMANDS: [&str; 5] = ["::error", "::warning", "::notice", "::debug", "::add-mask"];

/// A writer that keeps its text in memory.
#[derive(Clone, Default)]
struct MemoryWriter(Arc<Mutex<Vec<u8>>>);

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the text that `print` prints. Checks each line.
pub(super) fn print_to_text(
    format: LogFormat,
    environment: &Environment,
    print: impl FnOnce(&Printer),
) -> String {
    let writer = MemoryWriter::default();
    print(&Printer::new(format, Box::new(writer.clone()), environment));
    let bytes = std::mem::take(&mut *writer.0.lock().unwrap_or_else(PoisonError::into_inner));
    let text = String::from_utf8(bytes).expect("a log is UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'), "the last line has no line break: {text:?}");
    text.split_terminator('\n').for_each(|line| check_line(format, line));
    text
}

/// Checks that the terminal or CI system only displays a line, or executes one of the program's own commands.
fn check_line(format: LogFormat, line: &str) {
    // A line with `::add-mask::` must contain the secret unchanged. The runner does not display such a line.
    if line.starts_with("::add-mask::") {
        return;
    }
    let unsafe_char = line.chars().find(|character| is_unsafe_char(*character) && *character != '\t');
    assert_eq!(unsafe_char, None, "{line:?}");
    // The runner does not look for commands in the data of another command.
    let is_own_command =
        format == LogFormat::GitHub && COMMANDS.iter().any(|command| is_command(command, line));
    assert!(
        is_own_command || !line.trim_start().starts_with("::"),
        "a workflow command from the input: {line:?}"
    );
    assert!(
        is_own_command || !line.contains("##["),
        "a workflow command from the input in the old syntax: {line:?}"
    );
    assert!(
        !line.contains("section_start:") || is_own_command,
        "a GitLab section marker from the input: {line:?}"
    );
    if format == LogFormat::Json {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line is a JSON document");
        assert!(value["level"].is_string() && value["message"].is_string(), "no level or message: {line:?}");
    }
}

/// Returns true if a line starts with a workflow command, with or without properties.
fn is_command(command: &str, line: &str) -> bool {
    line.strip_prefix(command).is_some_and(|rest| rest.starts_with("::") || rest.starts_with(' '))
}
