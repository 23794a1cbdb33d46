//! Removes known secrets from text.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// The minimum length of a secret in bytes. A shorter secret is easy to guess, and removing it everywhere would make the log
/// unreadable.
const MIN_SECRET_LENGTH: usize = 4;

const REPLACEMENT: &str = "***";

/// The characters that RFC 3986 requires to be encoded in a URL.
const ENCODED_BY_RFC_3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The characters that JavaScript's `encodeURIComponent` encodes.
const ENCODED_BY_JAVASCRIPT: &AsciiSet =
    &ENCODED_BY_RFC_3986.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// A redactor that removes known secrets from text. All clones share the same secrets.
#[derive(Clone, Default)]
pub(super) struct Redactor(Arc<RwLock<KnownSecrets>>);

#[derive(Default)]
struct KnownSecrets {
    /// Every secret in every encoding.
    encoded: HashSet<String>,
    /// The automaton that finds all encoded secrets in one pass. `redact` builds it on demand, and `add` drops it.
    searcher: Option<AhoCorasick>,
}

impl Redactor {
    /// Adds a secret and each of its lines. Returns the lines that were not known before.
    pub(super) fn add<'a>(&self, secret: &'a str) -> Vec<&'a str> {
        let mut lines: Vec<_> =
            secret.lines().map(str::trim).filter(|line| line.len() >= MIN_SECRET_LENGTH).collect();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.encoded.contains(secret) {
            return Vec::new();
        }
        lines.retain(|line| !known.encoded.contains(*line));
        let whole = [secret].into_iter().filter(|secret| secret.len() >= MIN_SECRET_LENGTH);
        for text in lines.iter().copied().chain(whole) {
            known.encoded.extend(encodings(text));
        }
        known.searcher = None;
        lines
    }

    /// Returns the text with `***` in place of every secret.
    ///
    /// Call this function before escaping the text. In escaped text, a secret may be impossible to find, although a reader
    /// would still recognize it.
    pub(super) fn redact(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(searcher) = &known.searcher {
            return replace_all(searcher, text);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Other kinds of automata take quadratic time to build for a long secret with repetitions.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let searcher = AhoCorasick::builder().kind(kind).build(&known.encoded);
        // Building the automaton fails only if the secrets do not fit into memory.
        let Ok(searcher) = searcher else { return REPLACEMENT.to_owned() };
        replace_all(known.searcher.insert(searcher), text)
    }
}

/// Replaces all matches, which may contain each other or overlap.
fn replace_all(searcher: &AhoCorasick, text: &str) -> String {
    let mut matches: Vec<_> = searcher.find_overlapping_iter(text).map(|secret| secret.range()).collect();
    matches.sort_by_key(|range| range.start);
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for Range { start, end } in matches {
        if start >= copied {
            result.push_str(&text[copied..start]);
            result.push_str(REPLACEMENT);
        }
        copied = copied.max(end);
    }
    result + &text[copied..]
}

/// Returns the unchanged text and its encodings in base64, URLs, HTML and JSON.
fn encodings(text: &str) -> Vec<String> {
    let json = json!(text).to_string();
    let base64 = [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD];
    let url = [NON_ALPHANUMERIC, ENCODED_BY_RFC_3986, ENCODED_BY_JAVASCRIPT];
    let mut encodings = vec![
        text.to_owned(),
        json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&json).to_owned(),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    ];
    encodings.extend(base64.map(|engine| engine.encode(text)));
    encodings.extend(url.into_iter().flat_map(|set| {
        let encoded = utf8_percent_encode(text, set).to_string();
        [lower_case_percent_encoding(&encoded), encoded]
    }));
    encodings.extend(inner_base64(text));
    encodings.extend(json_variants(&encodings[1].clone()));
    // Rust's debug format escapes single quotes in characters, but not in strings.
    encodings.extend([text.escape_debug().to_string(), format!("{text:?}").trim_matches('"').to_owned()]);
    encodings.extend(html_variants(text));
    encodings
}

/// Returns the parts of the base64 encoding that appear if the secret is inside a longer encoded text, such as the user name
/// and password of an HTTP request. Base64 encodes three bytes at a time, so there is one part for each position of the secret
/// modulo 3.
fn inner_base64(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let aligned_parts =
        (0..3).filter_map(|skipped| bytes.get(skipped..)).map(|part| &part[..part.len() - part.len() % 3]);
    let long = aligned_parts.filter(|part| part.len() >= MIN_SECRET_LENGTH);
    long.flat_map(|part| [BASE64_STANDARD.encode(part), BASE64_URL_SAFE.encode(part)]).collect()
}

/// Returns a JSON string as PHP, Go and Python encode it.
fn json_variants(json: &str) -> [String; 3] {
    let ascii = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
    [
        json.replace('/', "\\/"),
        json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"),
        json.chars().map(ascii).collect(),
    ]
}

/// Returns the text as HTML, with each of the usual encodings of quotes.
fn html_variants(text: &str) -> Vec<String> {
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quotes =
        [["\"", "'"], ["&quot;", "'"], ["&quot;", "&#39;"], ["&quot;", "&#x27;"], ["&#34;", "&#39;"]];
    quotes.map(|[double, single]| html.replace('"', double).replace('\'', single)).into()
}

/// Returns percent-encoded text with lower-case hexadecimal digits.
fn lower_case_percent_encoding(encoded: &str) -> String {
    let mut digits_left = 0;
    let lower = |character: char| match (character, digits_left) {
        ('%', _) => {
            digits_left = 2;
            character
        }
        (_, 0) => character,
        _ => {
            digits_left -= 1;
            character.to_ascii_lowercase()
        }
    };
    encoded.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    #[test]
    fn redacts_a_secret_in_every_encoding() {
        let redactor = Redactor::default();
        assert_eq!(redactor.add("a+b/\"c\"\nsecond line\n x \n"), ["a+b/\"c\"", "second line"]);
        let check = |text: &str| assert_eq!(redactor.redact(&format!("<{text}>")), "<***>");
        check("a+b/\"c\"");
        check("a+b/\\\"c\\\"");
        check("a%2Bb%2F%22c%22");
        check("YStiLyJjIg==");
        check("a%2bb%2f%22c%22");
        check("a+b/&quot;c&quot;");
        // Inside a longer text, up to two bytes at each end of the secret remain.
        assert_eq!(redactor.redact("eDphK2IvImMiOg=="), "eDph***Og==");
        check("second line");
        check("second+line");
        redactor.add("it's\u{1b}[1m");
        check("it's\\u{1b}[1m");
        check("it\\'s\\u{1b}[1m");
        check("it's\\u001b[1m");
        assert_eq!(redactor.redact("x and a+b"), "x and a+b");
    }

    #[test]
    fn redacts_a_secret_that_contains_another() {
        let redactor = Redactor::default();
        redactor.add("inner");
        redactor.add("outer-inner-outer");
        assert_eq!(redactor.redact("outer-inner-outer, inner"), "***, ***");
    }

    #[test]
    fn redacts_overlapping_secrets() {
        let redactor = Redactor::default();
        redactor.add("abcdef");
        redactor.add("defghi");
        assert_eq!(redactor.redact("<abcdefghi>"), "<***>");
        assert_eq!(redactor.redact("<abcdefdefghi>"), "<******>");
        assert_eq!(redactor.redact("ä<abcdef>ö"), "ä<***>ö");
        redactor.add("hijkl");
        assert_eq!(redactor.redact("<abcdefghijkl>"), "<***>");
    }

    #[test]
    fn redacts_a_long_secret_with_repetitions() {
        let redactor = Redactor::default();
        redactor.add(&"a".repeat(10_000));
        assert_eq!(redactor.redact(&format!("<{}>", "a".repeat(25_000))), "<***>");
        assert_eq!(redactor.redact(&"a".repeat(9_999)), "a".repeat(9_999));
    }
}
