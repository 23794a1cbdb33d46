//! What is wrong with a text that is no YAML, in words for who wrote it.

use serde_saphyr::{Error, UserMessageFormatter};

use super::YamlText;
use crate::diagnostic::{Diagnostic, SourceLocation, TextPosition, lower_case};

const UNCLOSED: &str =
    "look here and on the lines above for a bracket or quote that is not closed, and for the indentation";
const VARIABLE: &str =
    "write `${{ env.NAME }}` in a value of `secrets` to insert the environment variable `NAME`";
const LITERAL: &str = "remove the tag and write the value itself";
/// The beginning of a message about a tag.
pub(super) const UNKNOWN_TAG: &str = "unknown tag `";
const MISPLACED_TAG: &str = "the value does not match its tag `";
/// The tags of YAML's core schema.
const TAGS: [&str; 7] = ["!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map"];
const TAB: &str = "indent with blanks: YAML takes no tabs for that";

/// The parser's error as one of ours.
pub(super) fn problem(error: &Error, source: &YamlText<'_>) -> Diagnostic {
    let error = error.without_snippet();
    let place =
        error.location().map_or_else(|| source.place.clone(), |location| super::at(source.place, location));
    let (message, hint) = match error {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(|key| format!("the key `{key}`")).unwrap_or("a key".to_owned());
            (format!("{key} is there twice"), Some("remove one of the two, or rename it"))
        }
        Error::UnknownAnchor { .. } => (
            "there is no anchor of this name above".to_owned(),
            Some("`*name` needs an `&name` before it; put text that begins with `*` in quotes"),
        ),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an anchor refers to itself".to_owned(), Some("write out what is meant"))
        }
        Error::MultipleDocuments { .. } => (
            "there is more than one document".to_owned(),
            Some("remove the line `---` and all that is below it"),
        ),
        Error::UnsupportedTag { tag, .. } if TAGS.contains(&tag.as_str()) => {
            (format!("{MISPLACED_TAG}{tag}`"), None)
        }
        Error::UnsupportedTag { tag, .. } => (format!("{UNKNOWN_TAG}{tag}`"), None),
        Error::ExternalMessage { .. } => (said(error), Some(UNCLOSED)),
        _ => (said(error), None),
    };
    let (message, hint) = in_other_words(message, hint);
    let place = tag_of(&message).and_then(|tag| tag_place(tag, &place, source)).unwrap_or(place);
    match tab(source.text, &place).filter(|_| message.contains("tab")) {
        Some((line, column)) => {
            Diagnostic::error(place.at(line, column), "not valid YAML: indented with a tab")
                .hint(TAB.to_owned())
        }
        None => Diagnostic::error(place, format!("not valid YAML: {message}")).hint(hint.map(str::to_owned)),
    }
}

/// What of the parser's limits would mean nothing to who wrote the text.
fn in_other_words(message: String, hint: Option<&str>) -> (String, Option<&str>) {
    if message.starts_with("YAML document too large") {
        let hint = "write out what `*name` stands for instead of unfolding it again and again";
        ("its anchors unfold to more than any manifest needs".to_owned(), Some(hint))
    } else if message.contains("recursion limit") {
        ("it is nested deeper than any manifest needs".to_owned(), Some(UNCLOSED))
    } else if let Some(tag) = tag_of(&message) {
        let is_variable = tag.to_ascii_lowercase().starts_with("!env");
        (message, Some(if is_variable { VARIABLE } else { LITERAL }))
    } else {
        (message, hint)
    }
}

/// Returns the tag that a message is about.
fn tag_of(message: &str) -> Option<&str> {
    [UNKNOWN_TAG, MISPLACED_TAG].iter().find_map(|start| message.strip_prefix(start))?.strip_suffix('`')
}

/// Returns the place of a tag: the parser names the value behind it.
fn tag_place(tag: &str, value: &SourceLocation, source: &YamlText<'_>) -> Option<SourceLocation> {
    let TextPosition { line, column, .. } = value.position?;
    let length = tag.chars().count();
    let lines: Vec<_> = source.text.trim_start_matches('\u{feff}').lines().take(line).collect();
    lines.iter().enumerate().rev().find_map(|(index, text)| {
        let characters = if index + 1 == line { column - 1 + length } else { usize::MAX };
        let end = text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
        let start = text[..end].rfind(tag)?;
        let column = text[..start].chars().count() + 1;
        Some(source.place.at(index + 1, column).up_to_column(column + length))
    })
}

fn said(error: &Error) -> String {
    let message = error.render_with_formatter(&UserMessageFormatter);
    // The parser ends its first line with the place, which a diagnostic states in front.
    let message = message.lines().next().unwrap_or_default();
    lower_case(message.split(" at line ").next().unwrap_or(message))
}

/// The first tab in an indentation from a place on: the parser may notice it a line too early.
fn tab(text: &str, place: &SourceLocation) -> Option<(usize, usize)> {
    let first = place.position?.line;
    text.lines().enumerate().skip(first - 1).take(2).find_map(|(index, line)| {
        let blanks = line.chars().take_while(|character| matches!(character, ' ' | '\t'));
        let column = blanks.enumerate().find(|(_, character)| *character == '\t')?.0;
        Some((index + 1, column + 1))
    })
}
