//! Secrets that were seen so far, and texts without them.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// Shorter secrets are not looked for: they would blot out half the log, and anybody can guess them.
const SHORTEST: usize = 4;

const REPLACEMENT: &str = "***";

/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What `encodeURIComponent` leaves as it is.
const URI_COMPONENT: &AsciiSet =
    &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// The secrets, in all forms in which somebody may repeat them. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Redactor(Arc<RwLock<Secrets>>);

#[derive(Default)]
struct Secrets {
    forms: HashSet<String>,
    /// Finds all of them at once; made when something is looked for first, and again after others were added.
    finder: Option<AhoCorasick>,
}

impl Redactor {
    /// Hides a secret and each of its lines from now on. The lines that were not hidden yet are given back.
    pub(super) fn add<'a>(&self, secret: &'a str) -> Vec<&'a str> {
        let mut lines: Vec<_> = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST).collect();
        let mut hidden = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if hidden.forms.contains(secret) {
            return Vec::new();
        }
        lines.retain(|line| !hidden.forms.contains(*line));
        for text in lines.iter().copied().chain([secret].into_iter().filter(|text| text.len() >= SHORTEST)) {
            hidden.forms.extend(forms(text));
        }
        hidden.finder = None;
        lines
    }

    /// The text with `***` in place of every secret. It must not be escaped yet: that could change a secret so that
    /// it is not found here, but is read by people.
    pub(super) fn redacted(&self, text: &str) -> String {
        let hidden = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(finder) = &hidden.finder {
            return without(finder, text);
        }
        drop(hidden);
        let mut hidden = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // More than it can find are more than memory holds.
        // The other kinds take time by the square of a secret's length where it repeats itself.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let finder = AhoCorasick::builder().kind(kind).build(&hidden.forms);
        let Ok(finder) = finder else { return REPLACEMENT.to_owned() };
        without(hidden.finder.insert(finder), text)
    }
}

/// The text without what is found, of which one may hold another, or begin within it.
fn without(finder: &AhoCorasick, text: &str) -> String {
    let mut found: Vec<_> = finder.find_overlapping_iter(text).map(|secret| secret.range()).collect();
    found.sort_by_key(|range| range.start);
    let mut rest = String::with_capacity(text.len());
    let mut end = 0;
    for Range { start, end: until } in found {
        if start >= end {
            rest.push_str(&text[end..start]);
            rest.push_str(REPLACEMENT);
        }
        end = end.max(until);
    }
    rest + &text[end..]
}

/// A text as it is, in base64, in URLs, in HTML and inside a JSON document.
fn forms(text: &str) -> Vec<String> {
    let json = json!(text).to_string();
    let base64 = [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD];
    let url = [NON_ALPHANUMERIC, UNRESERVED, URI_COMPONENT];
    let mut forms = vec![
        text.to_owned(),
        json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&json).to_owned(),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    ];
    forms.extend(base64.map(|engine| engine.encode(text)));
    forms.extend(url.into_iter().flat_map(|set| {
        let encoded = utf8_percent_encode(text, set).to_string();
        [lower_case_hex(&encoded), encoded]
    }));
    forms.extend(within_base64(text));
    forms.extend(of_other_json(&forms[1].clone()));
    forms.extend(of_html(text));
    forms
}

/// What is the same in base64 wherever the text stands in a longer one, such as the name and password of a request.
fn within_base64(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let parts =
        (0..3).filter_map(|skipped| bytes.get(skipped..)).map(|part| &part[..part.len() - part.len() % 3]);
    let long = parts.filter(|part| part.len() >= SHORTEST);
    long.flat_map(|part| [BASE64_STANDARD.encode(part), BASE64_URL_SAFE.encode(part)]).collect()
}

/// The same text in JSON as PHP, Go and Python write it, and in quotes as Rust shows it.
fn of_other_json(json: &str) -> [String; 4] {
    let ascii = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
    [
        json.replace('/', "\\/"),
        json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"),
        json.chars().map(ascii).collect(),
        json.replace("\\u00", "\\u{").replace('\'', "\\'"),
    ]
}

/// The text as HTML has it, by each of the ways to write quotes.
fn of_html(text: &str) -> Vec<String> {
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quotes =
        [["\"", "'"], ["&quot;", "'"], ["&quot;", "&#39;"], ["&quot;", "&#x27;"], ["&#34;", "&#39;"]];
    quotes.map(|[double, single]| html.replace('"', double).replace('\'', single)).into()
}

/// Percent-encoded bytes in small letters, as some write them.
fn lower_case_hex(encoded: &str) -> String {
    let mut of_byte = 0;
    let lower = |character: char| match (character, of_byte) {
        ('%', _) => {
            of_byte = 2;
            character
        }
        (_, 0) => character,
        _ => {
            of_byte -= 1;
            character.to_ascii_lowercase()
        }
    };
    encoded.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let hidden = Redactor::default();
        assert_eq!(hidden.add("a+b/\"c\"\nsecond line\n x \n"), ["a+b/\"c\"", "second line"]);
        let check = |text: &str| assert_eq!(hidden.redacted(&format!("<{text}>")), "<***>");
        check("a+b/\"c\"");
        check("a+b/\\\"c\\\"");
        check("a%2Bb%2F%22c%22");
        check("YStiLyJjIg==");
        check("a%2bb%2f%22c%22");
        check("a+b/&quot;c&quot;");
        // Within a longer text two bytes at most are left at its ends.
        assert_eq!(hidden.redacted("eDphK2IvImMiOg=="), "eDph***Og==");
        check("second line");
        check("second+line");
        assert_eq!(hidden.redacted("x and a+b"), "x and a+b");
    }

    #[test]
    fn a_secret_that_holds_another_is_hidden_whole() {
        let hidden = Redactor::default();
        hidden.add("inner");
        hidden.add("outer-inner-outer");
        assert_eq!(hidden.redacted("outer-inner-outer, inner"), "***, ***");
    }

    #[test]
    fn of_secrets_that_overlap_nothing_is_left() {
        let hidden = Redactor::default();
        hidden.add("abcdef");
        hidden.add("defghi");
        assert_eq!(hidden.redacted("<abcdefghi>"), "<***>");
        assert_eq!(hidden.redacted("<abcdefdefghi>"), "<******>");
        assert_eq!(hidden.redacted("ä<abcdef>ö"), "ä<***>ö");
        hidden.add("hijkl");
        assert_eq!(hidden.redacted("<abcdefghijkl>"), "<***>");
    }

    #[test]
    fn a_long_secret_that_repeats_itself_is_found() {
        let hidden = Redactor::default();
        hidden.add(&"a".repeat(10_000));
        assert_eq!(hidden.redacted(&format!("<{}>", "a".repeat(25_000))), "<***>");
        assert_eq!(hidden.redacted(&"a".repeat(9_999)), "a".repeat(9_999));
    }
}
