//! The fuzz target for manifests: files with arbitrary bytes.

use std::path::{Path, PathBuf};

use futures::FutureExt as _;

use super::folder::with_file;
use super::log::{FORMATS, print_to_text};
use crate::diagnostic::{Diagnostic, SourceLocation, TextPosition};
use crate::environment::Environment;
use crate::integration::{
    Integration, IntegrationSource, Packaged, Packaging, PackagingContext, PreviewIdentity, RequestedEnvs,
    identity, package,
};
use crate::preview::{self, OwnershipMarker, Template};
use crate::report::Reporter;
use crate::repository::Branch;
use crate::schema::{self, BODY, FindingKind};
use crate::yaml::{YamlData, YamlValue};

const MANIFEST_NAME: &str = "gitbook-manifest.yaml";

/// A text that the inputs use as a secret. If only the manifest's `secrets` contain it, the log must not.
const TEST_SECRET: &str = "hush";

/// The value of the variable `KEY`, which manifests may use as a secret.
const KEY_VALUE: &str = "key-of-the-fuzzing";

/// Packages a manifest and prints its problems in each format of the log. Checks:
///
/// - Each location is within the text, and each marked range within its excerpt.
/// - No log line affects the terminal or CI system that displays it.
/// - No log or excerpt contains a secret from the manifest or the environment, even if the manifest has a syntax error.
/// - The API accepts each valid manifest, for production and for a preview. The ownership marker of the preview can be read.
/// - `identity`, which reads only the manifest, returns the same name and organization as packaging.
pub fn manifest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    with_file(MANIFEST_NAME, data, |folder| check_manifest(folder, &text));
    if data.len() == text.len() && is_test_secret_hidden(&text) {
        let broken = format!("{text}\n]: - [\n");
        with_file(MANIFEST_NAME, broken.as_bytes(), |folder| check_manifest(folder, &broken));
    }
}

/// Packages the manifest twice: with resolved secrets, and with the `envs` entry `production`.
fn check_manifest(folder: &Path, text: &str) {
    let environment = Environment::new(
        [("KEY".into(), KEY_VALUE.into()), ("LONG".into(), "x".repeat(3000).into())],
        folder.into(),
    );
    let source = IntegrationSource {
        manifest: Some(folder.join(MANIFEST_NAME)),
        display_path: PathBuf::from(MANIFEST_NAME),
        folder: folder.to_owned(),
    };
    // Resolving `op://` would start the 1Password CLI.
    let has_no_1password_references = !YamlValue::parse(text, &SourceLocation::file(MANIFEST_NAME))
        .is_ok_and(|value| contains_text(&value, "op://"));
    for (envs, resolve_secrets) in [("", has_no_1password_references), ("production", false)] {
        let envs = &RequestedEnvs::parse("GITBOOK_ENV", envs);
        let packaging = Packaging {
            envs,
            overrides: &[],
            bundle: false,
            resolve_secrets,
            timeout: std::time::Duration::from_secs(60),
            hash_key: None,
            environment: &environment,
            workspace: None,
            packaging_context: &PackagingContext::default(),
        };
        let packaged = package(&source, &packaging).now_or_never().expect("packaging does not wait");
        check_problems(&packaged, text, &environment);
        if let Some(integration) = &packaged.integration {
            check_body(integration);
            let identity = identity(&source, &packaging).expect("a packaged integration has a name");
            assert_eq!(identity.name, integration.name);
            assert_eq!(identity.organization.as_deref(), Some(integration.text("organization")));
        }
    }
}

/// Checks the problems of a manifest and their log lines.
fn check_problems(packaged: &Packaged, text: &str, environment: &Environment) {
    let Packaged { integration, problems, secrets, .. } = packaged;
    assert_eq!(integration.is_none(), problems.iter().any(Diagnostic::is_error), "{problems:?}");
    problems.iter().for_each(|problem| check_location(problem, text));
    let is_secret = is_test_secret_hidden(text);
    for format in FORMATS {
        let log = print_to_text(format, environment, |printer| {
            secrets.iter().for_each(|secret| printer.add_secret(secret));
            Reporter::open(environment, printer.clone()).print_problems(problems);
        });
        assert!(!is_secret || !log.contains(TEST_SECRET), "the log contains a secret:\n{log}");
        assert!(text.contains(KEY_VALUE) || !log.contains(KEY_VALUE), "the log contains a secret:\n{log}");
    }
    let location = problems.iter().find_map(|problem| problem.location.as_ref());
    if let Some(location) = location.filter(|_| is_secret) {
        // Checks the excerpt of every line.
        let excerpts = (1..=text.lines().count()).filter_map(|line| location.at(line, 1).excerpt());
        excerpts.for_each(|excerpt| {
            assert!(!excerpt.text.contains(TEST_SECRET), "an excerpt contains a secret: {excerpt:?}");
        });
    }
}

/// Checks that a location is within the text or directly after it.
fn check_location(problem: &Diagnostic, text: &str) {
    let Some(location) = &problem.location else { return };
    assert_eq!(location.path(), Some(Path::new(MANIFEST_NAME)), "{problem:?}");
    let Some(TextPosition { line, column, end_column: end }) = location.position else { return };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // In YAML, a carriage return also ends a line.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = text.lines().collect();
    assert!((1..=lines.len() + 1).contains(&line), "{problem:?} is after the last of {} lines", lines.len());
    let length = lines.get(line - 1).map_or(0, |line| line.chars().count());
    assert!((1..=length + 1).contains(&column), "{problem:?} is after the last of {length} characters");
    assert!(
        end.is_none_or(|end| end > column && end <= length + 1),
        "{problem:?} ends after the last of {length} characters"
    );
    if let Some(excerpt) = location.excerpt() {
        assert!(excerpt.text.get(excerpt.marked.clone()).is_some(), "{excerpt:?}");
    }
}

/// Returns true if the test secret occurs in the text, but only in values below the key `secrets`.
fn is_test_secret_hidden(text: &str) -> bool {
    let value = YamlValue::parse(text, &SourceLocation::file(MANIFEST_NAME));
    let secrets = value.map_or(0, |value| count_test_secrets(&value, false));
    secrets > 0 && secrets == text.matches(TEST_SECRET).count()
}

/// Counts the occurrences of the test secret in values below a key `secrets`.
fn count_test_secrets(value: &YamlValue, is_below: bool) -> usize {
    match &value.value {
        YamlData::Mapping(map) => {
            let entries = map.0.iter();
            entries.map(|(key, value)| count_test_secrets(value, is_below || key.name == "secrets")).sum()
        }
        YamlData::List(items) => items.iter().map(|item| count_test_secrets(item, is_below)).sum(),
        YamlData::Text(text) if is_below => text.matches(TEST_SECRET).count(),
        _ => 0,
    }
}

/// Returns true if any string in a YAML value contains `searched`.
fn contains_text(value: &YamlValue, searched: &str) -> bool {
    match &value.value {
        YamlData::Mapping(map) => map.0.iter().any(|(_, value)| contains_text(value, searched)),
        YamlData::List(items) => items.iter().any(|item| contains_text(item, searched)),
        YamlData::Text(text) => text.contains(searched),
        _ => false,
    }
}

/// Checks that the API accepts the request bodies.
fn check_body(integration: &Integration) {
    let body =
        integration.request().and_then(|request| request.body()).expect("no other process changes the files");
    let body = parse_body(&body);
    assert!(body["script"].as_str().is_some_and(|script| !script.trim().is_empty()), "the script is empty");
    let branch = Branch::new("feature/x");
    let template: Template = "{name}-{branch}".parse().expect("the template is valid");
    let name = template.name(&integration.name, &branch, None);
    let marker = OwnershipMarker {
        integration: integration.name.clone(),
        repository: "github.com/acme/docs".to_owned(),
        branch: branch.as_str().to_owned(),
        ..OwnershipMarker::default()
    };
    let title = preview::title(integration.title(), &branch);
    let identity = PreviewIdentity { name, title, visibility: "private", marker };
    let request = integration.preview_request(&identity).expect("no other process changes the files");
    let (request, sent) = (request.0.expect("the ownership marker of a short branch fits"), request.1);
    let body = parse_body(&request.body().expect("no other process changes the files"));
    let found = OwnershipMarker::parse(body["summary"].as_str().unwrap_or_default());
    assert_eq!(found.as_ref(), Some(&sent));
    assert_eq!(
        sent,
        OwnershipMarker { hash: sent.hash.clone(), script_bytes: sent.script_bytes, ..identity.marker }
    );
}

/// Parses a body and checks it against the API's schema.
fn parse_body(body: &[u8]) -> serde_json::Value {
    let body = serde_json::from_slice(body).expect("a body is JSON");
    let value = YamlValue::from_json(&body, &SourceLocation::file(MANIFEST_NAME));
    let violation =
        schema::check(&value, &BODY).into_iter().find(|finding| finding.kind == FindingKind::Violation);
    assert!(violation.is_none(), "the API would reject the body: {violation:?}");
    body
}
