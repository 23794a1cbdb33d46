//! A manifest, of which any byte may be wrong.

use std::path::{Path, PathBuf};

use futures::FutureExt as _;

use super::folder::with_file;
use super::log::{FORMATS, printed};
use crate::diagnostic::{Diagnostic, SourceLocation, TextPosition};
use crate::environment::Environment;
use crate::integration::{
    Integration, IntegrationSource, Packaged, Packaging, PackagingContext, PreviewIdentity, identity, package,
};
use crate::preview::{self, Branch, OwnershipMarker, Template};
use crate::report::Reporter;
use crate::schema::{self, BODY, FindingKind};
use crate::yaml::{YamlData, YamlValue};

const NAME: &str = "gitbook-manifest.yaml";

/// What stands for a secret that the manifest itself holds. Where it stands nowhere else, nothing may show it.
const CANARY: &str = "hush";

/// What `${{ env.KEY }}` is.
const RESOLVED: &str = "key-of-the-fuzzed";

/// Takes any bytes for a manifest: reads and checks it, resolves its secrets, packages it, and prints every problem in
/// every format of the log.
///
/// - Every place lies within the text, and what is marked there within its excerpt.
/// - No line of a log acts on what reads it.
/// - A secret that is written into the manifest is in no log and in no excerpt of any line, not even when what follows is
///   no YAML any more; nor is one that was put in from the environment.
/// - What was found good is what the API accepts, in production and as a preview, whose mark can be read again; and the
///   integration is known by the same name without its sources.
pub fn manifest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    with_file(NAME, data, |folder| read(folder, &text));
    if data.len() == text.len() && secrets_are_known(&text) {
        let broken = format!("{text}\n]: - [\n");
        with_file(NAME, broken.as_bytes(), |folder| read(folder, &broken));
    }
}

/// Packages the manifest twice: as a check does it, and as publishing does.
fn read(folder: &Path, text: &str) {
    let environment = Environment::new(
        [("KEY".into(), RESOLVED.into()), ("LONG".into(), "x".repeat(3000).into())],
        folder.into(),
    );
    let source = IntegrationSource {
        manifest: Some(folder.join(NAME)),
        display_path: PathBuf::from(NAME),
        folder: folder.to_owned(),
    };
    // Another program would be asked for these.
    let resolves =
        !YamlValue::parse(text, &SourceLocation::file(NAME)).is_ok_and(|node| holds(&node, "op://"));
    for (env, resolve_secrets) in [(None, resolves), (Some("production"), false)] {
        let packaging = Packaging {
            env,
            overrides: &[],
            bundle: false,
            resolve_secrets,
            timeout: std::time::Duration::from_secs(60),
            hash_key: None,
            environment: &environment,
            workspace: None,
            packaging_context: &PackagingContext::default(),
        };
        let packaged = package(&source, &packaging).now_or_never().expect("nothing is waited for");
        hold(&packaged, text, &environment);
        if let Some(integration) = &packaged.integration {
            hold_body(integration);
            let identity = identity(&source, &packaging).expect("what can be packaged is known by its name");
            assert_eq!(identity.name, integration.name);
            assert_eq!(identity.organization.as_deref(), Some(integration.text("organization")));
        }
    }
}

/// Holds what is said of the manifest.
fn hold(packaged: &Packaged, text: &str, environment: &Environment) {
    let Packaged { integration, problems, secrets, .. } = packaged;
    assert_eq!(integration.is_none(), problems.iter().any(Diagnostic::is_error), "{problems:?}");
    problems.iter().for_each(|problem| hold_place(problem, text));
    let is_secret = secrets_are_known(text);
    for format in FORMATS {
        let log = printed(format, environment, |printer| {
            secrets.iter().for_each(|secret| printer.add_secret(secret));
            Reporter::open(environment, printer.clone()).print_problems(problems);
        });
        assert!(!is_secret || !log.contains(CANARY), "a secret is shown:\n{log}");
        assert!(text.contains(RESOLVED) || !log.contains(RESOLVED), "a secret is shown:\n{log}");
    }
    let written = problems.iter().find_map(|problem| problem.location.as_ref());
    if let Some(place) = written.filter(|_| is_secret) {
        // Wherever a problem may be.
        let excerpts = (1..=text.lines().count()).filter_map(|line| place.at(line, 1).excerpt());
        excerpts.for_each(|excerpt| {
            assert!(!excerpt.text.contains(CANARY), "a secret is display_path: {excerpt:?}")
        });
    }
}

/// Holds that a place is one of the text, or just behind it.
fn hold_place(problem: &Diagnostic, text: &str) {
    let Some(place) = &problem.location else { return };
    assert_eq!(place.path(), Some(Path::new(NAME)), "{problem:?}");
    let Some(TextPosition { line, column, end_column: end }) = place.position else { return };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // To YAML, a carriage return ends a line by itself, too.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = text.lines().collect();
    assert!((1..=lines.len() + 1).contains(&line), "{problem:?} is behind {} lines", lines.len());
    let length = lines.get(line - 1).map_or(0, |line| line.chars().count());
    assert!((1..=length + 1).contains(&column), "{problem:?} is behind {length} characters");
    assert!(end.is_none_or(|end| end > column && end <= length + 1), "{problem:?} ends behind {length}");
    if let Some(excerpt) = place.excerpt() {
        assert!(excerpt.text.get(excerpt.marked.clone()).is_some(), "{excerpt:?}");
    }
}

/// Whether all of the text that is secret for sure is a secret's value, and such text is there.
fn secrets_are_known(text: &str) -> bool {
    let node = YamlValue::parse(text, &SourceLocation::file(NAME));
    let secret = node.map_or(0, |node| secrets(&node, false));
    secret > 0 && secret == text.matches(CANARY).count()
}

/// How often the canary is in texts below a key `secrets`.
fn secrets(node: &YamlValue, is_below: bool) -> usize {
    match &node.value {
        YamlData::Mapping(map) => {
            let entries = map.0.iter();
            entries.map(|(key, value)| secrets(value, is_below || key.name == "secrets")).sum()
        }
        YamlData::List(items) => items.iter().map(|item| secrets(item, is_below)).sum(),
        YamlData::Text(text) if is_below => text.matches(CANARY).count(),
        _ => 0,
    }
}

/// Whether any text of it holds another.
fn holds(node: &YamlValue, what: &str) -> bool {
    match &node.value {
        YamlData::Mapping(map) => map.0.iter().any(|(_, value)| holds(value, what)),
        YamlData::List(items) => items.iter().any(|item| holds(item, what)),
        YamlData::Text(text) => text.contains(what),
        _ => false,
    }
}

/// Holds that the API would accept what is sent.
fn hold_body(integration: &Integration) {
    let body = integration.request().and_then(|request| request.body()).expect("nobody else writes");
    let body = accepted(&body);
    assert!(body["script"].as_str().is_some_and(|script| !script.trim().is_empty()), "nothing is published");
    let branch = Branch::new("feature/x");
    let name = Template::default().name(&integration.name, &branch, None);
    let mark = OwnershipMarker {
        integration: integration.name.clone(),
        repository: "github.com/acme/docs".to_owned(),
        branch: branch.as_str().to_owned(),
        ..OwnershipMarker::default()
    };
    let title = preview::title(integration.title(), &branch);
    let identity = PreviewIdentity { name, title, visibility: "private", mark };
    let request = integration.preview_request(&identity).expect("nobody else writes");
    let (request, sent) = request.expect("a mark of a short branch fits");
    let body = accepted(&request.body().expect("nobody else writes"));
    let found = OwnershipMarker::find(body["summary"].as_str().unwrap_or_default());
    assert_eq!(found.as_ref(), Some(&sent));
    assert_eq!(
        sent,
        OwnershipMarker { hash: sent.hash.clone(), script_bytes: sent.script_bytes, ..identity.mark }
    );
}

/// The body, in which nothing is broken.
fn accepted(body: &[u8]) -> serde_json::Value {
    let body = serde_json::from_slice(body).expect("a body is JSON");
    let node = YamlValue::from_json(&body, &SourceLocation::file(NAME));
    let broken =
        schema::check(&node, &BODY).into_iter().find(|finding| finding.kind == FindingKind::Violation);
    assert!(broken.is_none(), "the API takes no such body: {broken:?}");
    body
}
