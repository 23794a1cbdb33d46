//! Text and links that come from outside: what of them does more than stand there.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// What a URL may hold after it was parsed, and what could end it or be markup in Markdown.
const NOT_IN_LINKS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'`').add(b'|').add(b'^');

/// Whether a character does anything to those around it: controls a terminal, ends a line or changes the direction of
/// what follows.
#[must_use]
pub(crate) fn is_unsafe_char(character: char) -> bool {
    character.is_control() || ends_line(character) || turns_text(character)
}

/// Whether a character ends a line for some readers, and is no control character.
#[must_use]
pub(crate) fn ends_line(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether a character changes the direction of what follows.
#[must_use]
pub(crate) fn turns_text(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The address in a form that stays one wherever it is written, if it can do no more than open a page.
#[must_use]
pub(crate) fn link(address: &str) -> Option<String> {
    of_scheme(address, &["http", "https"])
}

/// The same, where it may also be a folder of this machine, as the sandbox's are.
#[must_use]
pub(crate) fn link_or_folder(address: &str) -> Option<String> {
    of_scheme(address, &["http", "https", "file"])
}

fn of_scheme(address: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| schemes.contains(&url.scheme()))?;
    Some(utf8_percent_encode(url.as_str(), NOT_IN_LINKS).to_string())
}

#[cfg(test)]
mod tests {
    use super::{is_unsafe_char, link, link_or_folder};

    #[test]
    fn what_acts_on_what_is_around_it_is_no_text() {
        let check = |characters: &str, expected: bool| {
            for character in characters.chars() {
                assert_eq!(is_unsafe_char(character), expected, "{character:?}");
            }
        };
        check("\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{61c}\u{200e}\u{202e}\u{2066}", true);
        check("a 1ü日😀-\u{a0}\u{200d}", false);
    }

    #[test]
    fn a_link_opens_a_page_and_does_not_end_early() {
        let check = |address: &str, expected: Option<&str>| assert_eq!(link(address).as_deref(), expected);
        check("https://app.gitbook.com/a?b=c#d", Some("https://app.gitbook.com/a?b=c#d"));
        check("https://x.example/ @me \\", Some("https://x.example/%20@me%20/"));
        check("https://x.example/?a|b\\`<>", Some("https://x.example/?a%7Cb%5C%60%3C%3E"));
        check("javascript:alert(1)", None);
        check("no address", None);
        check("file:///etc/passwd", None);
    }

    #[test]
    fn what_the_sandbox_keeps_is_a_folder() {
        let check =
            |address: &str, expected: Option<&str>| assert_eq!(link_or_folder(address).as_deref(), expected);
        check("file:///repo/a b/.gitbook-sandbox/hello", Some("file:///repo/a%20b/.gitbook-sandbox/hello"));
        check("https://app.gitbook.com/a", Some("https://app.gitbook.com/a"));
        check("javascript:alert(1)", None);
    }
}
