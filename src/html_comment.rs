//! Writes and parses key-value pairs in an HTML comment on one line.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters to percent-encode in values. They include all characters that could end a value or the comment.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'/').remove(b':').remove(b'-');

/// The start of every comment that this program writes.
pub(crate) const START: &str = "<!-- gitbook-deploy:";
/// The end of every comment.
pub(crate) const END: &str = " -->";

/// Returns a comment of this kind that contains the key-value pairs.
#[must_use]
pub(crate) fn write(kind: &str, values: &[(&str, &str)]) -> String {
    // HTML does not allow two dashes in a row in a comment.
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string().replace("--", "-%2D");
    let values: String = values.iter().map(|(key, value)| format!(" {key}={}", encode(value))).collect();
    format!("{START}{kind}{values}{END}")
}

/// Parses text that consists of exactly one comment of this kind. Returns `None` for any other text, invalid values or a repeated
/// key.
#[must_use]
pub(crate) fn parse(kind: &str, text: &str) -> Option<Vec<(String, String)>> {
    let values = text.strip_prefix(START)?.strip_prefix(kind)?.strip_suffix(END)?;
    if !values.is_empty() && !values.starts_with(' ') {
        return None;
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in values.split_ascii_whitespace() {
        let (key, value) = pair.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
        if pairs.iter().any(|(known, _)| known == key) {
            return None;
        }
        pairs.push((key.to_owned(), value));
    }
    Some(pairs)
}

/// Returns true if a text contains anything that resembles a comment of this program, regardless of case and whitespace.
#[must_use]
pub(crate) fn resembles_own_comment(text: &str) -> bool {
    let without_spaces: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    without_spaces.to_lowercase().contains("<!--gitbook-deploy:")
}
