//! Finds unsafe characters in untrusted text and encodes untrusted links.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// The characters to encode in a parsed URL, because they could end a link such as `[text](<url>)` or have a meaning in Markdown.
const ENCODED_IN_LINKS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'`').add(b'|').add(b'^');

/// Returns true if a character controls a terminal, ends a line or changes the direction of text.
#[must_use]
pub(crate) fn is_unsafe_char(character: char) -> bool {
    character.is_control() || is_line_separator(character) || changes_direction(character)
}

/// Returns true if a character is not a control character, but ends a line in some programs.
#[must_use]
pub(crate) fn is_line_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

/// Returns true if a character changes the direction of the text after it.
#[must_use]
pub(crate) fn changes_direction(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns an `http` or `https` URL that is safe in Markdown and HTML, or `None` for any other text.
#[must_use]
pub(crate) fn web_link(address: &str) -> Option<String> {
    safe_link(address, &["http", "https"])
}

/// Returns an `http`, `https` or `file` URL that is safe in Markdown and HTML, or `None` for any other text. The sandbox uses
/// `file` URLs.
#[must_use]
pub(crate) fn web_or_file_link(address: &str) -> Option<String> {
    safe_link(address, &["http", "https", "file"])
}

fn safe_link(address: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| schemes.contains(&url.scheme()))?;
    Some(utf8_percent_encode(url.as_str(), ENCODED_IN_LINKS).to_string())
}

#[cfg(test)]
mod tests {
    use super::{is_unsafe_char, web_link, web_or_file_link};

    #[test]
    fn recognizes_unsafe_characters() {
        let check = |characters: &str, expected: bool| {
            for character in characters.chars() {
                assert_eq!(is_unsafe_char(character), expected, "{character:?}");
            }
        };
        check("\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{61c}\u{200e}\u{202e}\u{2066}", true);
        check("a 1ü日😀-\u{a0}\u{200d}", false);
    }

    #[test]
    fn encodes_web_links_and_rejects_other_schemes() {
        let check =
            |address: &str, expected: Option<&str>| assert_eq!(web_link(address).as_deref(), expected);
        check("https://app.gitbook.com/a?b=c#d", Some("https://app.gitbook.com/a?b=c#d"));
        check("https://x.example/ @me \\", Some("https://x.example/%20@me%20/"));
        check("https://x.example/?a|b\\`<>", Some("https://x.example/?a%7Cb%5C%60%3C%3E"));
        check("javascript:alert(1)", None);
        check("no address", None);
        check("file:///etc/passwd", None);
    }

    #[test]
    fn accepts_file_links_of_the_sandbox() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(web_or_file_link(address).as_deref(), expected);
        };
        check("file:///repo/a b/.gitbook-sandbox/hello", Some("file:///repo/a%20b/.gitbook-sandbox/hello"));
        check("https://app.gitbook.com/a", Some("https://app.gitbook.com/a"));
        check("javascript:alert(1)", None);
    }
}
