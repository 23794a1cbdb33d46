//! What is wrong with a text that is no YAML, in words for who wrote it.

use serde_saphyr::{Error, UserMessageFormatter};

use super::Source;
use crate::diagnostic::{Diagnostic, Place, lower_case};

const UNCLOSED: &str =
    "look here and on the lines above for a bracket or quote that is not closed, and for the indentation";
const TAB: &str = "indent with blanks: YAML takes no tabs for that";

/// The parser's error as one of ours.
pub(super) fn problem(error: &Error, source: &Source<'_>) -> Diagnostic {
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
        Error::ExternalMessage { .. } => (said(error), Some(UNCLOSED)),
        _ => (said(error), None),
    };
    let (message, hint) = in_other_words(message, hint);
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
    } else {
        (message, hint)
    }
}

fn said(error: &Error) -> String {
    let message = error.render_with_formatter(&UserMessageFormatter);
    // The parser ends its first line with the place, which a diagnostic states in front.
    let message = message.lines().next().unwrap_or_default();
    lower_case(message.split(" at line ").next().unwrap_or(message))
}

/// The first tab in an indentation from a place on: the parser may notice it a line too early.
fn tab(text: &str, place: &Place) -> Option<(usize, usize)> {
    let first = place.position?.line;
    text.lines().enumerate().skip(first - 1).take(2).find_map(|(index, line)| {
        let blanks = line.chars().take_while(|character| matches!(character, ' ' | '\t'));
        let column = blanks.enumerate().find(|(_, character)| *character == '\t')?.0;
        Some((index + 1, column + 1))
    })
}
