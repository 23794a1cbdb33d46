//! Secrets with special characters, and all their encodings.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::corpus::Injection;
use crate::support::{Deployment, FORGE_TOKEN, GITLAB_TOKEN, TOKEN};

/// The variables and values of the manifest's secrets.
const RESOLVED: [(&str, &str); 6] = [
    ("SECRET_QUOTES", "qu\"ote'd\\back&<tag>|`tick`"),
    ("SECRET_LINES", "first line of it: {\n  second % line\tof \"it\"\r\nthird::line##[of]it"),
    ("SECRET_PERCENT", "50%25%2Bpercent+plus/slash?=&x"),
    ("SECRET_BASE64", "c2VjcmV0LW9mLWJhc2U2NA+/0123456789=="),
    ("SECRET_JSON", "{\"json\\u0041\":\"\\n/esc\"}"),
    ("SECRET_WORDS", "schlüssel ünd ßchloss €"),
];

/// Returns manifest lines with the secrets.
pub(super) fn of_manifest() -> String {
    let lines = RESOLVED.map(|(name, _)| format!("  {name}: ${{{{ env.{name} }}}}\n"));
    format!("secrets:\n{}", lines.concat())
}

/// Sets the variables of the secrets, and the tokens of both forges.
pub(super) fn set(run: Deployment) -> Deployment {
    let run = run.variable("GITHUB_TOKEN", FORGE_TOKEN).variable("GITLAB_TOKEN", GITLAB_TOKEN);
    RESOLVED.into_iter().fold(run, |run, (name, value)| run.variable(name, value))
}

const TOKENS: [&str; 3] = [TOKEN, FORGE_TOKEN, GITLAB_TOKEN];

fn all() -> impl Iterator<Item = &'static str> {
    let lines = RESOLVED.into_iter().flat_map(|(_, secret)| secret.lines().map(str::trim));
    TOKENS.into_iter().chain(RESOLVED.into_iter().map(|(_, secret)| secret)).chain(lines)
}

/// Returns strings that repeat each secret in all encodings, as a server might.
pub(super) fn encoded_secrets() -> Vec<Injection> {
    let outcome: BTreeSet<_> = all().collect();
    outcome.into_iter().flat_map(encodings).collect()
}

/// Returns strings that repeat the tokens.
pub(super) fn encoded_tokens() -> Vec<Injection> {
    TOKENS.into_iter().flat_map(encodings).collect()
}

fn encodings(secret: &str) -> [Injection; 2] {
    let within =
        |text: String| [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)].join(" ");
    let encoded = [format!("Basic:{secret}:x"), format!("x{secret}yy"), format!("xx{secret}y")].map(within);
    let texts = [forms(secret).join(" | "), encoded.join(" | ")];
    texts.map(|text| Injection { attempt: "to tell a secret", text })
}

/// Returns true for a secret or one of its lines, which a runner masks.
pub(super) fn is_to_be_masked(text: &str) -> bool {
    all().any(|secret| secret == text || secret.lines().any(|line| line.trim() == text))
}

/// All encodings of all secrets.
static FORMS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| all().flat_map(forms).filter(|form| form.len() >= 6).collect());

/// Returns the secrets in a text, in any encoding.
pub(super) fn secrets_in(text: &str) -> Vec<String> {
    // Readers of Markdown, HTML or URLs see the decoded text.
    let mut read = text.to_owned();
    if text.contains("&#") {
        read.push_str(&unescaped(text));
    }
    if text.contains('%') {
        read.push_str(&percent_decode_str(text).decode_utf8_lossy());
    }
    FORMS.iter().filter(|form| read.contains(*form)).cloned().collect()
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const URI_COMPONENT: &AsciiSet =
    &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for engine in [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD] {
        forms.push(engine.encode(secret));
        // The part of Base64 that does not depend on the surrounding text.
        for bytes in (0..3).map(|skipped| &secret.as_bytes()[skipped..]) {
            forms.push(engine.encode(&bytes[..bytes.len() - bytes.len() % 3]));
        }
    }
    for set in [NON_ALPHANUMERIC, UNRESERVED, URI_COMPONENT] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        forms.push(lower_case_hex(&encoded));
        forms.push(encoded);
    }
    forms.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    let json = serde_json::to_string(secret).unwrap();
    let json = &json[1..json.len() - 1];
    forms.push(json.to_owned());
    forms.push(json.replace('/', "\\/"));
    // The escapes of Go and of Python.
    forms.push(json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"));
    forms.push(
        json.chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
            .collect(),
    );
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    forms.push(html.clone());
    for [double, single] in [["&quot;", "&#39;"], ["&quot;", "&#x27;"], ["&#34;", "&#39;"], ["&quot;", "'"]] {
        forms.push(html.replace('"', double).replace('\'', single));
    }
    forms
}

/// Returns percent-encoded bytes in lower case.
fn lower_case_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        text.push_str(&format!("%{}{}", part[..2].to_lowercase(), &part[2..]));
    }
    text
}

/// Decodes `&#60;` and similar entities.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut unescaped = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';').unwrap_or(("", part));
        unescaped.extend(code.parse().ok().and_then(char::from_u32));
        unescaped.push_str(rest);
    }
    unescaped
}

#[test]
fn finds_secrets_in_any_encoding() {
    for encodings in encoded_secrets() {
        assert_ne!(secrets_in(&encodings.text), [""; 0], "{}", encodings.text);
    }
    assert_eq!(secrets_in("nothing at all"), [""; 0]);
}
