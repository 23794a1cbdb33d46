//! Tests that no output contains a secret, even if a server repeats the secret in an error message.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wiremock::MockServer;

use super::refusing;
use crate::support::{Deployment, TOKEN, deployment, repository};

/// A secret with characters that encodings treat differently.
const SECRET: &str = "hu+sh/\"quoted\" & ünd?~so=";

/// The characters that JavaScript's `encodeURIComponent` does not encode.
const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The characters that most URL libraries do not encode: the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the encodings in which a server may repeat a secret.
fn encodings(secret: &str) -> Vec<String> {
    let form_encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![
        secret.to_owned(),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        utf8_percent_encode(secret, UNRESERVED).to_string(),
        utf8_percent_encode(secret, URI_COMPONENT).to_string(),
        form_encoded,
        serde_json::to_string(secret).unwrap(),
    ]
}

/// Starts a fake GitBook that responds with an error message with the token and the secret in all encodings.
async fn echoing_server() -> MockServer {
    let all: Vec<_> = [TOKEN, SECRET].into_iter().flat_map(encodings).collect();
    refusing(400, &format!("told: {}", all.join(" | "))).await
}

async fn check(run: Deployment) {
    let server = echoing_server().await;
    let more = "secrets: {KEY: \"${{ env.KEY }}\"}\n";
    let repository = repository().manifest(".", "hello", more);
    let run =
        run.with_endpoint(&server.uri()).publish().variable("KEY", SECRET).variable("RUST_LOG", "trace");
    let finished = run.folder(&repository).run().await;
    assert_eq!(finished.code, Some(1), "{finished:#?}");
    assert!(finished.stderr.contains("told: ***"), "{}", finished.stderr);
    let everything = finished.everything();
    // The runner must receive each secret once to mask it.
    let everything: Vec<_> = everything.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    let everything = everything.join("\n");
    // The summary escapes characters as HTML entities.
    let unescaped = unescaped(&everything);
    for encoding in [TOKEN, SECRET].into_iter().flat_map(encodings) {
        assert!(!everything.contains(&encoding), "{encoding} in {everything}");
        assert!(!unescaped.contains(&encoding), "{encoding} in {unescaped}");
    }
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

#[tokio::test]
async fn no_secret_is_in_a_log_for_people() {
    check(deployment()).await;
}

#[tokio::test]
async fn no_secret_is_in_a_log_for_machines() {
    check(deployment().variable("GITBOOK_LOG_FORMAT", "json")).await;
}

#[tokio::test]
async fn no_secret_is_in_a_log_on_github() {
    check(deployment().on_github("main", 1)).await;
}

#[tokio::test]
async fn redacts_a_token_in_an_invalid_variable() {
    let run =
        ["GITBOOK_MODE", "GITBOOK_ENDPOINT", "GITBOOK_TIMEOUT", "GITBOOK_SHARD", "GITBOOK_PREVIEW_NAME"];
    let run = run.iter().fold(deployment(), |run, name| run.variable(name, "hush_hush{"));
    let finished = run.run().await;
    assert_eq!(finished.code, Some(2));
    assert!(!finished.everything().contains("hush_hush"), "{finished:#?}");
}

#[tokio::test]
async fn redacts_a_secret_in_invalid_yaml() {
    let repository = repository().integration(".");
    for value in [
        "{KEY: 'hush_hush",
        "hush_hush",
        "{KEY: hush_hush",
        "[hush_hush]",
        "{KEY: [hush_hush]}",
        "{hush_hush",
    ] {
        let run =
            deployment().with_endpoint("http://127.0.0.1:1").publish().variable("GITBOOK_SECRETS", value);
        let finished = run.variable("RUST_LOG", "trace").folder(&repository).run().await;
        assert_eq!(finished.code, Some(2), "{finished:#?}");
        assert!(!finished.everything().contains("hush_hush"), "{value}: {finished:#?}");
    }
}

#[tokio::test]
async fn a_secret_that_is_an_output_value_is_not_redacted_in_outputs() {
    let server = crate::support::gitbook().await;
    let secrets = "secrets: {A: publish, B: published, C: '\": \"', D: 'true'}\n";
    let repository = repository().manifest(".", "hello", secrets);
    let run = deployment().publish().with_endpoint(&server.uri()).folder(&repository);
    let finished = run.run().await;
    assert_eq!(finished.output("mode"), "publish");
    assert_eq!(finished.output("result"), "published");
    let report = &finished.report;
    assert_eq!((&report["mode"], &report["result"]), (&"publish".into(), &"published".into()));
}

#[tokio::test]
async fn a_secret_that_is_a_common_word_keeps_the_log_valid() {
    let secrets = "icon: none.png\nsecrets: {A: error, B: file, C: line, D: level, E: hint, F: severity}\n";
    let repository = repository().manifest(".", "hello", secrets);
    let log = async |format: &str| {
        let run =
            deployment().publish().with_endpoint("http://127.0.0.1:1").variable("GITBOOK_LOG_FORMAT", format);
        run.folder(&repository).run().await.stderr
    };
    let github = log("github").await;
    assert!(github.contains("\n::error file=/"), "{github}");
    assert!(github.contains("/gitbook-manifest.yaml,line=6,col=7,endLine=6,endColumn=15::"), "{github}");
    assert!(log("json").await.contains("{\"severity\":\"error\",\"file\":\"gitbook-manifest.yaml\""));
    assert!(log("text").await.contains("\nerror: "));
}

#[tokio::test]
async fn redacts_a_secret_despite_other_errors() {
    let more = "icon: supersecret9.png\nsecrets: {A: '${{ env.K }}', B: '${{ env.NOT_SET }}'}\n";
    let repository = repository().manifest(".", "hello", more);
    let run = deployment().publish().with_endpoint("http://127.0.0.1:1").variable("K", "supersecret9");
    let finished = run.folder(&repository).run().await;
    assert!(finished.stderr.contains("`***.png`"), "{}", finished.stderr);
    let everything = finished.everything();
    assert!(!everything.contains("supersecret9"), "{everything}");
    let run = deployment().with_endpoint("http://127.0.0.1:1");
    let argument = run.argument(&format!("--token={TOKEN}")).run().await;
    assert!(argument.code == Some(2) && !argument.everything().contains(TOKEN), "{argument:#?}");
}
