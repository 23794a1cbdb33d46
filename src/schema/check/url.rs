//! Checks URLs strictly by RFC 3986, because GitBook rejects many URLs that browsers accept.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// Returns the problem with an absolute URL, or `None` if it is valid.
pub(super) fn find_problem(text: &str) -> Option<String> {
    if let Err(error) = Url::parse(text) {
        return Some(error.to_string());
    }
    if text.trim() != text {
        return Some("remove the white space around it".to_owned());
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (scheme, rest) = rest.split_once(':').unwrap_or(("", rest));
    let (authority, path_and_query) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    // The URL parser has already checked an IPv6 address in brackets.
    let host = if host.starts_with('[') { host.split_once(']').map_or("", |(_, port)| port) } else { host };
    let parts = [(scheme, ""), (user, ":@"), (host, ":"), (path_and_query, ":@/?"), (fragment, ":@/?")];
    parts.into_iter().find_map(|(part, delimiters)| find_unescaped_character(part, delimiters))
}

/// Returns a message about the first character that must be escaped in a part of a URL, or `None` if there is no such character.
/// Characters in `delimiters` need no escaping in this part.
fn find_unescaped_character(part: &str, delimiters: &str) -> Option<String> {
    let is_escape = |at: usize| {
        let digits = part.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let is_allowed = |at: usize, character: char| match character {
        '%' => is_escape(at),
        _ => {
            character.is_ascii_alphanumeric()
                || "-._~!$&'()*+,;=".contains(character)
                || delimiters.contains(character)
        }
    };
    let (_, character) = part.char_indices().find(|(at, character)| !is_allowed(*at, *character))?;
    let mut text = [0; 4];
    let escaped = utf8_percent_encode(character.encode_utf8(&mut text), NON_ALPHANUMERIC);
    Some(format!("write `{}` as `{escaped}`", character.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::find_problem;

    #[test]
    fn accepts_valid_urls() {
        for text in [
            "https://example.com",
            "https://user:p%40ss@example.com:8080/a/b;c=d,e?f=g/h?i&j='k'#l/m?n",
            "http://[::1]:80/",
            "mailto:someone@example.com",
            "urn:isbn:0451450523",
            "https://example.com/K%C3%B6ln",
        ] {
            assert_eq!(find_problem(text), None, "{text}");
        }
    }

    #[test]
    fn tells_how_to_correct_an_invalid_url() {
        let check =
            |text: &str, expected: &str| assert_eq!(find_problem(text).as_deref(), Some(expected), "{text}");
        check("docs/page", "relative URL without a base");
        check("https://", "empty host");
        check("https://example.com/a b", "write ` ` as `%20`");
        check(" https://example.com", "remove the white space around it");
        check("ht\ntps://example.com", "write `\\n` as `%0A`");
        check("https://example.com/Köln", "write `ö` as `%C3%B6`");
        check("https://example.com/100%", "write `%` as `%25`");
        check("https://example.com/%zz", "write `%` as `%25`");
        check("https://example.com/{id}", "write `{` as `%7B`");
        check("https://example.com/a[0]", "write `[` as `%5B`");
        check("https://a b@example.com", "write ` ` as `%20`");
        check("https://example.com/#a#b", "write `#` as `%23`");
        check("https://example.com\\a", "write `\\\\` as `%5C`");
        check("mailto:a\tb", "write `\\t` as `%09`");
    }
}
