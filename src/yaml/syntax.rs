//! Converts errors of the YAML parser to diagnostics for manifest authors.

use serde_saphyr::{Error, UserMessageFormatter};

use super::YamlSource;
use crate::diagnostic::{Diagnostic, SourceLocation, TextPosition, normalize_message};

const UNCLOSED_HINT: &str =
    "check this line and the lines above for an unclosed bracket or quote and for wrong indentation";
const VARIABLE_HINT: &str =
    "write `${{ env.NAME }}` in a value of `secrets` to insert the environment variable `NAME`";
const REMOVE_TAG_HINT: &str = "remove the tag and write the value itself";
/// The beginning of a message about an unknown tag.
pub(super) const UNKNOWN_TAG_PREFIX: &str = "unknown tag `";
const TAG_MISMATCH_PREFIX: &str = "the value does not match its tag `";
/// The tags of YAML's core schema.
const CORE_TAGS: [&str; 7] = ["!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map"];
const TAB_HINT: &str = "indent with spaces; YAML does not allow tabs";

/// Converts an error of the YAML parser to a diagnostic.
pub(super) fn to_diagnostic(error: &Error, source: &YamlSource<'_>) -> Diagnostic {
    let error = error.without_snippet();
    let location = error
        .location()
        .map_or_else(|| source.location.clone(), |location| super::locate(source.location, location));
    let (message, hint) = match error {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(|key| format!(" `{key}`")).unwrap_or_default();
            (format!("duplicate key{key}"), Some("remove or rename one of the two keys"))
        }
        Error::UnknownAnchor { .. } => (
            "unknown alias".to_owned(),
            Some("put text that begins with `*` in quotes, or define its anchor with `&name` above"),
        ),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("the anchor refers to itself".to_owned(), Some("write the value itself instead of the alias"))
        }
        Error::MultipleDocuments { .. } => {
            ("more than one document".to_owned(), Some("remove the line `---` and everything below it"))
        }
        Error::UnsupportedTag { tag, .. } if CORE_TAGS.contains(&tag.as_str()) => {
            (format!("{TAG_MISMATCH_PREFIX}{tag}`"), None)
        }
        Error::UnsupportedTag { tag, .. } => (format!("{UNKNOWN_TAG_PREFIX}{tag}`"), None),
        Error::ExternalMessage { .. } => (parser_message(error), Some(UNCLOSED_HINT)),
        _ => (parser_message(error), None),
    };
    let (message, hint) = reword(message, hint);
    let location =
        tag_in_message(&message).and_then(|tag| locate_tag(tag, &location, source)).unwrap_or(location);
    match find_tab(source.text, &location).filter(|_| message.contains("tab")) {
        Some((line, column)) => {
            Diagnostic::error(location.at(line, column), "not valid YAML: indented with a tab")
                .with_hint(TAB_HINT.to_owned())
        }
        None => Diagnostic::error(location, format!("not valid YAML: {message}"))
            .with_hint(hint.map(str::to_owned)),
    }
}

/// Rewords the parser's messages about its limits, and adds hints to messages about tags.
fn reword(message: String, hint: Option<&str>) -> (String, Option<&str>) {
    if message.starts_with("YAML document too large") {
        let hint = "write the values themselves instead of aliases such as `*name`";
        ("the aliases expand to too many values".to_owned(), Some(hint))
    } else if message.contains("recursion limit") {
        ("the document is nested too deeply".to_owned(), Some(UNCLOSED_HINT))
    } else if let Some(tag) = tag_in_message(&message) {
        let is_variable = tag.to_ascii_lowercase().starts_with("!env");
        (message, Some(if is_variable { VARIABLE_HINT } else { REMOVE_TAG_HINT }))
    } else {
        (message, hint)
    }
}

/// Returns the tag in a message about an unknown or mismatched tag, or `None` for any other message.
fn tag_in_message(message: &str) -> Option<&str> {
    [UNKNOWN_TAG_PREFIX, TAG_MISMATCH_PREFIX]
        .iter()
        .find_map(|start| message.strip_prefix(start))?
        .strip_suffix('`')
}

/// Returns the location of a tag. The parser reports only the location of the value after the tag.
fn locate_tag(tag: &str, value: &SourceLocation, source: &YamlSource<'_>) -> Option<SourceLocation> {
    let TextPosition { line, column, .. } = value.position?;
    let length = tag.chars().count();
    let lines: Vec<_> = source.text.trim_start_matches('\u{feff}').lines().take(line).collect();
    lines.iter().enumerate().rev().find_map(|(index, text)| {
        let characters = if index + 1 == line { column - 1 + length } else { usize::MAX };
        let end = text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
        let start = text[..end].rfind(tag)?;
        let column = text[..start].chars().count() + 1;
        Some(source.location.at(index + 1, column).up_to_column(column + length))
    })
}

fn parser_message(error: &Error) -> String {
    let message = error.render_with_formatter(&UserMessageFormatter);
    // The parser appends the location to the message, but a diagnostic already begins with the location.
    let message = message.lines().next().unwrap_or_default();
    normalize_message(message.split(" at line ").next().unwrap_or(message))
}

/// Returns the line and column of the first tab in the indentation of the reported line or the next line. The parser may report a tab
/// one line too early.
fn find_tab(text: &str, location: &SourceLocation) -> Option<(usize, usize)> {
    let first = location.position?.line;
    text.lines().enumerate().skip(first - 1).take(2).find_map(|(index, line)| {
        let indent = line.chars().take_while(|character| matches!(character, ' ' | '\t'));
        let column = indent.enumerate().find(|(_, character)| *character == '\t')?.0;
        Some((index + 1, column + 1))
    })
}
