//! Secrets, which come out nowhere, even when somebody else repeats them.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wiremock::MockServer;

use super::refusing;
use crate::support::{Deployment, TOKEN, deployment, repository};

/// A secret with characters that every encoding writes in another way.
const SECRET: &str = "hu+sh/\"quoted\" & ünd?~so=";

/// What `encodeURIComponent` leaves as it is.
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

/// What RFC 3986 leaves as it is, which is what most libraries do.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A secret as it is, and as others may write it.
fn forms(secret: &str) -> Vec<String> {
    let form = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![
        secret.to_owned(),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        utf8_percent_encode(secret, UNRESERVED).to_string(),
        utf8_percent_encode(secret, URI_COMPONENT).to_string(),
        form,
        serde_json::to_string(secret).unwrap(),
    ]
}

/// A GitBook whose error repeats the token and the secret in all their forms.
async fn telltale() -> MockServer {
    let all: Vec<_> = [TOKEN, SECRET].into_iter().flat_map(forms).collect();
    refusing(400, &format!("told: {}", all.join(" | "))).await
}

async fn check(run: Deployment) {
    let server = telltale().await;
    let more = "secrets: {KEY: \"${{ env.KEY }}\"}\n";
    let repository = repository().manifest(".", "hello", more);
    let run = run.against(&server.uri()).publish().variable("KEY", SECRET).variable("RUST_LOG", "trace");
    let ended = run.folder(&repository).runs().await;
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("told: ***"), "{}", ended.stderr);
    let everything = ended.everything();
    // The runner has to be told once what it must hide.
    let everything: Vec<_> = everything.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    let everything = everything.join("\n");
    // Markdown's own way to write the characters of a secret.
    let unescaped = unescaped(&everything);
    for form in [TOKEN, SECRET].into_iter().flat_map(forms) {
        assert!(!everything.contains(&form), "{form} in {everything}");
        assert!(!unescaped.contains(&form), "{form} in {unescaped}");
    }
}

/// The text with `&#60;` and its kin as the characters that they are.
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
async fn a_token_in_a_bad_variable_is_not_shown() {
    let run =
        ["GITBOOK_MODE", "GITBOOK_ENDPOINT", "GITBOOK_TIMEOUT", "GITBOOK_SHARD", "GITBOOK_PREVIEW_NAME"];
    let run = run.iter().fold(deployment(), |run, name| run.variable(name, "hush_hush{"));
    let ended = run.runs().await;
    assert_eq!(ended.code, Some(2));
    assert!(!ended.everything().contains("hush_hush"), "{ended:#?}");
}

#[tokio::test]
async fn a_secret_that_is_no_yaml_is_not_shown() {
    let repository = repository().integration(".");
    for value in [
        "{KEY: 'hush_hush",
        "hush_hush",
        "{KEY: hush_hush",
        "[hush_hush]",
        "{KEY: [hush_hush]}",
        "{hush_hush",
    ] {
        let run = deployment().against("http://127.0.0.1:1").publish().variable("GITBOOK_SECRETS", value);
        let ended = run.variable("RUST_LOG", "trace").folder(&repository).runs().await;
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        assert!(!ended.everything().contains("hush_hush"), "{value}: {ended:#?}");
    }
}

#[tokio::test]
async fn the_programs_own_words_are_no_secrets() {
    let server = crate::support::gitbook().await;
    let secrets = "secrets: {A: publish, B: published, C: '\": \"', D: 'true'}\n";
    let repository = repository().manifest(".", "hello", secrets);
    let run = deployment().publish().against(&server.uri()).folder(&repository);
    let ended = run.runs().await;
    assert_eq!(ended.output("mode"), "publish");
    assert_eq!(ended.output("result"), "published");
    let report = &ended.report;
    assert_eq!((&report["mode"], &report["result"]), (&"publish".into(), &"published".into()));
}

#[tokio::test]
async fn a_secret_that_is_a_word_of_the_log_leaves_the_log_whole() {
    let secrets = "icon: none.png\nsecrets: {A: error, B: file, C: line, D: level, E: hint, F: severity}\n";
    let repository = repository().manifest(".", "hello", secrets);
    let told = async |format: &str| {
        let run = deployment().publish().against("http://127.0.0.1:1").variable("GITBOOK_LOG_FORMAT", format);
        run.folder(&repository).runs().await.stderr
    };
    let github = told("github").await;
    assert!(github.contains("\n::error file=/"), "{github}");
    assert!(
        github.contains("/gitbook-manifest.yaml,line=6,col=7,endLine=6,endColumn=15::could not read the icon"),
        "{github}"
    );
    assert!(told("json").await.contains("{\"severity\":\"error\",\"file\":\"gitbook-manifest.yaml\""));
    assert!(told("text").await.contains("\nerror: "));
}

#[tokio::test]
async fn a_secret_is_hidden_whatever_else_is_wrong() {
    let more = "icon: supersecret9.png\nsecrets: {A: '${{ env.K }}', B: '${{ env.NOT_SET }}'}\n";
    let repository = repository().manifest(".", "hello", more);
    let run = deployment().publish().against("http://127.0.0.1:1").variable("K", "supersecret9");
    let ended = run.folder(&repository).runs().await;
    assert!(ended.stderr.contains("`***.png`"), "{}", ended.stderr);
    let everything = ended.everything();
    assert!(!everything.contains("supersecret9"), "{everything}");
    let run = deployment().against("http://127.0.0.1:1");
    let argument = run.argument(&format!("--token={TOKEN}")).runs().await;
    assert!(argument.code == Some(2) && !argument.everything().contains(TOKEN), "{argument:#?}");
}
