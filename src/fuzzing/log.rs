//! What is printed, and that no part of it acts on what reads it.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::LogFormat;
use crate::environment::Environment;
use crate::report::Printer;
use crate::untrusted::is_unsafe_char;

/// Every format that a log has.
pub(super) const FORMATS: [LogFormat; 3] = [LogFormat::Text, LogFormat::GitHub, LogFormat::Json];

/// What the program says by itself at the beginning of a line to GitHub's runner.
const COMMANDS: [&str; 5] = ["::error", "::warning", "::notice", "::debug", "::add-mask"];

/// A writer whose text can be read.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is printed in a format, after it was held that it is nothing but lines of that format.
pub(super) fn printed(format: LogFormat, environment: &Environment, print: impl FnOnce(&Printer)) -> String {
    let kept = Kept::default();
    print(&Printer::new(format, Box::new(kept.clone()), environment));
    let bytes = std::mem::take(&mut *kept.0.lock().unwrap_or_else(PoisonError::into_inner));
    let text = String::from_utf8(bytes).expect("a log is UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'), "a line is not ended: {text:?}");
    text.split_terminator('\n').for_each(|line| hold(format, line));
    text
}

/// Holds that a line does nothing but what the format is for.
fn hold(format: LogFormat, line: &str) {
    // The runner takes it away, and what is masked has to come out as it is.
    if line.starts_with("::add-mask::") {
        return;
    }
    let acting = line.chars().find(|character| is_unsafe_char(*character) && *character != '\t');
    assert_eq!(acting, None, "a character acts in {line:?}");
    // Data of a command is not looked through again.
    let is_command = format == LogFormat::GitHub && COMMANDS.iter().any(|command| is_of(command, line));
    assert!(is_command || !line.trim_start().starts_with("::"), "a command that is not ours: {line:?}");
    assert!(is_command || !line.contains("##["), "an old command: {line:?}");
    assert!(!line.contains("section_start:") || is_command, "a section of GitLab's: {line:?}");
    if format == LogFormat::Json {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line is a JSON document");
        assert!(value["level"].is_string() && value["message"].is_string(), "no level or message: {line:?}");
    }
}

/// Whether a line is this command, with properties or without.
fn is_of(command: &str, line: &str) -> bool {
    line.strip_prefix(command).is_some_and(|rest| rest.starts_with("::") || rest.starts_with(' '))
}
