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

/// Returns the text that `print` prints. Checks that each line conforms to the format.
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

/// Checks that a line has no effects other than those of its format.
fn check_line(format: LogFormat, line: &str) {
    // This line must contain the secret unchanged. The runner removes the line from the log.
    if line.starts_with("::add-mask::") {
        return;
    }
    let unsafe_char = line.chars().find(|character| is_unsafe_char(*character) && *character != '\t');
    assert_eq!(unsafe_char, None, "{line:?}");
    // The runner does not look for further commands in the data of a command.
    let is_ours = format == LogFormat::GitHub && COMMANDS.iter().any(|command| is_command(command, line));
    assert!(is_ours || !line.trim_start().starts_with("::"), "a foreign workflow command: {line:?}");
    assert!(is_ours || !line.contains("##["), "an old workflow command: {line:?}");
    assert!(!line.contains("section_start:") || is_ours, "a section marker of GitLab: {line:?}");
    if format == LogFormat::Json {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line is a JSON document");
        assert!(value["level"].is_string() && value["message"].is_string(), "no level or message: {line:?}");
    }
}

/// Returns true for a line with this command, with or without properties.
fn is_command(command: &str, line: &str) -> bool {
    line.strip_prefix(command).is_some_and(|rest| rest.starts_with("::") || rest.starts_with(' '))
}
