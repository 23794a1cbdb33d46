//! Values in an HTML comment on one line, encoded so that none of them can end it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything that could end a value or the comment is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'/').remove(b':').remove(b'-');

/// What every comment of ours starts with.
pub(crate) const START: &str = "<!-- gitbook-deploy:";
/// What it ends with.
pub(crate) const END: &str = " -->";

/// A comment of a kind, with its values.
#[must_use]
pub(crate) fn write(kind: &str, values: &[(&str, &str)]) -> String {
    // A comment must not hold two dashes in a row.
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string().replace("--", "-%2D");
    let values: String = values.iter().map(|(key, value)| format!(" {key}={}", encode(value))).collect();
    format!("{START}{kind}{values}{END}")
}

/// The values of a comment that is the whole text; `None` when it is of another kind, or was tampered with.
#[must_use]
pub(crate) fn read(kind: &str, text: &str) -> Option<Vec<(String, String)>> {
    let values = text.strip_prefix(START)?.strip_prefix(kind)?.strip_suffix(END)?;
    if !values.is_empty() && !values.starts_with(' ') {
        return None;
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in values.split_ascii_whitespace() {
        let (key, value) = pair.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
        if found.iter().any(|(known, _)| known == key) {
            return None;
        }
        found.push((key.to_owned(), value));
    }
    Some(found)
}

/// Whether a text holds what could be taken for a comment of ours, anywhere in it.
#[must_use]
pub(crate) fn is_in(text: &str) -> bool {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    squeezed.to_lowercase().contains("<!--gitbook-deploy:")
}
