//! Secrets with special characters, and the encodings in which a server or the program could repeat them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::corpus::Injection;
use crate::support::{Deployment, FORGE_TOKEN, GITLAB_TOKEN, TOKEN};

/// The variables of the manifest's secrets, with their values.
const SECRETS: [(&str, &str); 6] = [
    ("SECRET_QUOTES", "qu\"ote'd\\back&<tag>|`tick`"),
    ("SECRET_LINES", "first line of it: {\n  second % line\tof \"it\"\r\nthird::line##[of]it"),
    ("SECRET_PERCENT", "50%25%2Bpercent+plus/slash?=&x"),
    ("SECRET_BASE64", "c2VjcmV0LW9mLWJhc2U2NA+/0123456789=="),
    ("SECRET_JSON", "{\"json\\u0041\":\"\\n/esc\"}"),
    ("SECRET_WORDS", "schlüssel ünd ßchloss €"),
];

/// Returns the manifest field `secrets` as YAML, with references to all secret variables.
pub(super) fn manifest_lines() -> String {
    let lines = SECRETS.map(|(name, _)| format!("  {name}: ${{{{ env.{name} }}}}\n"));
    format!("secrets:\n{}", lines.concat())
}

/// Sets the variables of all secrets and the tokens of both forges.
pub(super) fn set(run: Deployment) -> Deployment {
    let run = run.variable("GITHUB_TOKEN", FORGE_TOKEN).variable("GITLAB_TOKEN", GITLAB_TOKEN);
    SECRETS.into_iter().fold(run, |run, (name, value)| run.variable(name, value))
}

const TOKENS: [&str; 3] = [TOKEN, FORGE_TOKEN, GITLAB_TOKEN];

fn secrets_and_lines() -> impl Iterator<Item = &'static str> {
    let lines = SECRETS.into_iter().flat_map(|(_, secret)| secret.lines().map(str::trim));
    TOKENS.into_iter().chain(SECRETS.into_iter().map(|(_, secret)| secret)).chain(lines)
}

/// Returns strings that contain each secret and token in all encodings, like a server that repeats them.
pub(super) fn encoded_secrets() -> Vec<Injection> {
    let secrets: BTreeSet<_> = secrets_and_lines().collect();
    secrets.into_iter().flat_map(leak_attempts).collect()
}

/// Returns strings that contain each token in all encodings.
pub(super) fn encoded_tokens() -> Vec<Injection> {
    TOKENS.into_iter().flat_map(leak_attempts).collect()
}

fn leak_attempts(secret: &str) -> [Injection; 2] {
    let base64 =
        |text: String| [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)].join(" ");
    let encoded = [format!("Basic:{secret}:x"), format!("x{secret}yy"), format!("xx{secret}y")].map(base64);
    let texts = [encodings(secret).join(" | "), encoded.join(" | ")];
    texts.map(|text| Injection { attempt: "a repeated secret", text })
}

/// Returns true for a secret or one of its lines. The program must register both with the runner to mask them.
pub(super) fn must_be_masked(text: &str) -> bool {
    secrets_and_lines().any(|secret| secret == text || secret.lines().any(|line| line.trim() == text))
}

/// All secrets and their lines in all encodings.
static ENCODED_SECRETS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    secrets_and_lines().flat_map(encodings).filter(|encoding| encoding.len() >= 6).collect()
});

/// Returns the encoded secrets that a text contains.
pub(super) fn secrets_in(text: &str) -> Vec<String> {
    // A reader of Markdown, HTML or URLs sees the decoded text, so it is searched as well.
    let mut searched = text.to_owned();
    if text.contains("&#") {
        searched.push_str(&unescaped(text));
    }
    if text.contains('%') {
        searched.push_str(&percent_decode_str(text).decode_utf8_lossy());
    }
    ENCODED_SECRETS.iter().filter(|encoding| searched.contains(*encoding)).cloned().collect()
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const URI_COMPONENT: &AsciiSet =
    &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

fn encodings(secret: &str) -> Vec<String> {
    let mut encodings = vec![secret.to_owned()];
    for engine in [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD] {
        encodings.push(engine.encode(secret));
        // The characters that remain the same if the secret is inside a longer Base64 text.
        for bytes in (0..3).map(|skipped| &secret.as_bytes()[skipped..]) {
            encodings.push(engine.encode(&bytes[..bytes.len() - bytes.len() % 3]));
        }
    }
    for set in [NON_ALPHANUMERIC, UNRESERVED, URI_COMPONENT] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        encodings.push(lower_case_hex(&encoded));
        encodings.push(encoded);
    }
    encodings.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    let json = serde_json::to_string(secret).unwrap();
    let json = &json[1..json.len() - 1];
    encodings.push(json.to_owned());
    encodings.push(json.replace('/', "\\/"));
    // Go escapes HTML characters in JSON, and Python escapes all characters outside ASCII.
    encodings.push(json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"));
    encodings.push(
        json.chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
            .collect(),
    );
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    encodings.push(html.clone());
    for [double, single] in [["&quot;", "&#39;"], ["&quot;", "&#x27;"], ["&#34;", "&#39;"], ["&quot;", "'"]] {
        encodings.push(html.replace('"', double).replace('\'', single));
    }
    encodings
}

/// Converts the digits of percent-encoded bytes to lower case.
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
    for injection in encoded_secrets() {
        assert_ne!(secrets_in(&injection.text), [""; 0], "{}", injection.text);
    }
    assert_eq!(secrets_in("nothing at all"), [""; 0]);
}
