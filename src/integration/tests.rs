//! Tests packaging: a manifest and variables must result in a request body or a list of problems.

mod repository;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{PreviewIdentity, ValueFormat, identity};
use crate::preview::OwnershipMarker;
use repository::{HELLO, SCRIPT, TestRepository, hello, repository};

/// Checks the result of packaging: a line for each problem, then `<name> can be published` if no problem is an error.
#[track_caller]
fn check(repository: &TestRepository, expected: &[&str]) {
    let packaged = repository.packaged();
    let line = |d: &crate::diagnostic::Diagnostic| format!("{}: {d}", d.severity);
    let mut found: Vec<_> = packaged.problems.iter().map(line).collect();
    found.extend(packaged.integration.map(|integration| format!("{} can be published", integration.name)));
    assert_eq!(found, expected);
}

/// Checks a field of the request.
#[track_caller]
fn check_field(repository: &TestRepository, field: &str, expected: impl Into<Value>) {
    assert_eq!(repository.body()[field], expected.into(), "{field}");
}

/// Returns a PNG image of one black pixel.
fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[0]).unwrap();
    bytes
}

#[test]
fn a_request_has_the_manifests_fields_and_files() {
    let repository = hello("icon: a.png\npreviewImages: [a.png]\nsecrets: {KEY: 'x-${{ env.KEY }}'}\n")
        .file("a.png", png())
        .variable("KEY", "hush");
    check(&repository, &["hello can be published"]);
    let body = repository.body();
    let image = body["icon"].clone();
    assert!(image.as_str().unwrap().starts_with("iVBORw0KGgo"), "{image}");
    assert_eq!(
        body,
        json!({
            "title": "Hello",
            "organization": "acme",
            "scopes": ["space:git:sync", "openapi:read"],
            "description": "",
            "runtime": "v2",
            "icon": image,
            "previewImages": [image],
            "secrets": {"KEY": "x-hush"},
            "script": SCRIPT,
        })
    );
    let secrets = repository.packaged().secrets;
    let secrets: Vec<_> = secrets.iter().map(|secret| secret.expose_secret()).collect();
    assert_eq!(secrets, ["x-hush", "hush"]);
}

#[test]
fn images_of_any_size_are_sent_completely() {
    for bytes in [3 * 16384 - 1, 3 * 16384, 3 * 16384 + 1, 200_000] {
        let mut image = png();
        image.extend((image.len()..bytes).map(|index| u8::try_from(index % 251).unwrap()));
        let body = hello("previewImages: [a.png, b.png]\n").file("a.png", &image).file("b.png", png()).body();
        let sent = |index: usize| BASE64_STANDARD.decode(body["previewImages"][index].as_str().unwrap());
        assert_eq!([sent(0).unwrap(), sent(1).unwrap()], [image, png()], "{bytes}");
    }
}

#[test]
fn fields_of_the_manifest_override_defaults() {
    check_field(&hello("description: Says it\n"), "description", "Says it");
    check_field(&hello("runtime: v1\n"), "runtime", "v1");
    check_field(&hello("icon: ''\n"), "icon", Value::Null);
    check_field(&hello(""), "secrets", Value::Null);
    check_field(&hello("envs: {dev: {title: In dev}}\n"), "envs", Value::Null);
    check_field(&hello("envs: {dev: {title: In dev}}\n").env("dev"), "title", "In dev");
    check_field(&hello("").field("title", "GITBOOK_TITLE", ValueFormat::Text, "Hi"), "title", "Hi");
}

#[test]
fn an_integration_returns_the_manifests_values() {
    let integration = hello("visibility: unlisted\n").integration();
    assert_eq!((integration.title(), integration.text("visibility")), ("Hello", "unlisted"));
    assert_eq!(integration.text("target"), "");
    assert_eq!(integration.scopes().into_iter().collect::<Vec<_>>(), ["openapi:read", "space:git:sync"]);
    assert_eq!(integration.script_bytes(), SCRIPT.len());
}

#[test]
fn variables_alone_define_an_integration() {
    let repository = hello("")
        .without_manifest()
        .field("name", "GITBOOK_NAME", ValueFormat::Text, "hello")
        .field("title", "GITBOOK_TITLE", ValueFormat::Text, "Hello")
        .field("organization", "GITBOOK_ORGANIZATION", ValueFormat::Text, "acme")
        .field("scopes", "GITBOOK_SCOPES", ValueFormat::List, "space:git:sync, openapi:read");
    check(&repository, &["error: GITBOOK_NAME: `script` is missing"]);
    let repository = repository.field("script", "GITBOOK_SCRIPT", ValueFormat::Text, "main.js");
    check(&repository, &["hello can be published"]);
    check_field(&repository, "scopes", json!(["space:git:sync", "openapi:read"]));
}

#[test]
fn names_follow_the_rules_of_gitbooks_cli() {
    let check = |name: &str, problem: Option<&str>| {
        let manifest = HELLO.replace("name: hello", &format!("name: {name}"));
        let published = format!("{name} can be published");
        check(&repository(manifest), &[problem.unwrap_or(&published)]);
    };
    for good in ["a", "A-b-3", &"x".repeat(100)] {
        check(good, None);
    }
    for bad in ["a--b", "-a", "a-", "a_b", "a b", "ä"] {
        let wrong = format!("error: gitbook-manifest.yaml:1:7: `name` is `{bad}`, which is not valid");
        check(bad, Some(&wrong));
    }
    let long = "error: gitbook-manifest.yaml:1:7: `name` is 101 characters; the limit is 100";
    check(&"x".repeat(101), Some(long));
}

#[test]
fn a_summary_with_an_ownership_marker_is_rejected() {
    let message = "`summary` contains an ownership marker of gitbook-deploy";
    let summary = format!("summary: '{}'\n", OwnershipMarker::default());
    check(&hello(&summary), &[&format!("error: gitbook-manifest.yaml:6:10: {message}")]);
    check(&hello("summary: 'Shows <!-- comments -->'\n"), &["hello can be published"]);
}

#[test]
fn all_problems_are_reported_and_only_errors_prevent_publishing() {
    check(
        &hello("color: red\n"),
        &["warning: gitbook-manifest.yaml:6:1: unknown field `color`", "hello can be published"],
    );
    check(
        &hello("visibility: secret\nicon: a.gif\npreviewImages: [b.gif]\nsecrets: {A: '${{ env.A }}'}\n")
            .file("main.js", " \n"),
        &[
            "error: gitbook-manifest.yaml:6:13: `visibility` is `secret`, which is not a valid value",
            "error: gitbook-manifest.yaml:9:14: `secrets.A` uses `A`, which is unset or empty",
            "error: gitbook-manifest.yaml:7:7: the icon `a.gif` does not end in `.png`",
            "error: gitbook-manifest.yaml:8:17: the preview image `b.gif` does not end in `.png`",
            "error: gitbook-manifest.yaml:4:9: the script `main.js` is empty",
        ],
    );
    let problems = hello("visibility: secret\n").packaged().problems;
    assert_eq!(problems[0].integration.as_deref(), Some("hello"));
}

#[test]
fn a_script_must_be_text_in_the_repository() {
    let location = "error: gitbook-manifest.yaml:4:9:";
    let with = |script: &str| repository(HELLO.replace("main.js", script));
    check(
        &with("../main.js"),
        &[&format!("{location} could not read the script `../main.js`: {}", missing())],
    );
    check(&with("."), &[&format!("{location} the script `.` is not a file")]);
    check(&with("''"), &[&format!("{location} `script` is empty")]);
    check(
        &hello("").file("main.js", b"\xff"),
        &[&format!("{location} could not read the script `main.js`: stream did not contain valid UTF-8")],
    );
}

/// Returns the system's error for a missing file.
fn missing() -> std::io::Error {
    std::fs::metadata("no such file").unwrap_err()
}

#[test]
fn build_errors_have_paths_relative_to_the_working_directory() {
    check(
        &hello("").file("main.js", "export default 1 +;\n").bundled(),
        &["error: main.js:1:19: unexpected token"],
    );
}

#[test]
fn an_image_that_changed_after_the_check_is_not_sent() {
    let repository = hello("icon: a.png\n").file("a.png", png());
    let integration = repository.integration();
    let repository = repository.file("a.png", [png(), vec![0]].concat());
    let error = || integration.request().unwrap().body().unwrap_err().to_string();
    assert_eq!(error(), "the icon `a.png` has changed since it was checked");
    repository.remove("a.png");
    let missing = error();
    assert!(missing.starts_with("the icon `a.png` can no longer be read: "), "{missing}");
}

#[test]
fn a_bundled_script_has_package_sizes() {
    let parts = |repository: TestRepository| {
        let integration = repository.integration();
        let bytes = integration.script_bytes();
        integration
            .packages()
            .iter()
            .map(|part| (part.package.clone(), part.bytes == bytes))
            .collect::<Vec<_>>()
    };
    assert_eq!(parts(hello("").bundled()), [(None, true)]);
    // The packages in a built script are unknown.
    assert_eq!(parts(hello("")), []);
}

#[test]
fn packaging_without_secrets_only_warns_about_a_missing_variable() {
    let repository = hello("secrets: {A: '${{ env.A }}'}\n").without_resolving_secrets();
    check(
        &repository,
        &[
            "warning: gitbook-manifest.yaml:6:14: `secrets.A` uses `A`, which is unset or empty in this job",
            "hello can be published",
        ],
    );
    let repository = repository.variable("A", "hush");
    check(&repository, &["hello can be published"]);
    check_field(&repository, "secrets", json!({}));
    assert_eq!(repository.packaged().secrets.len(), 0);
}

#[test]
fn the_content_hash_depends_on_the_request_and_the_hash_key() {
    let secret = |value| hello("secrets: {A: '${{ env.A }}'}\n").variable("A", value).hash_key("token");
    let with = |field, image| hello(field).file("a.png", image);
    let changed_image = [png(), vec![0]].concat();
    let hashes = [
        hello("").hash(),
        hello("description: Other\n").hash(),
        hello("").file("main.js", "export default 2;\n").hash(),
        repository(HELLO.replace("name: hello", "name: other")).hash(),
        secret("a").hash(),
        secret("b").hash(),
        secret("a").hash_key("another token").hash(),
        with("icon: a.png\n", png()).hash(),
        with("icon: a.png\n", changed_image).hash(),
        with("previewImages: [a.png]\n", png()).hash(),
    ];
    for (index, hash) in hashes.iter().enumerate() {
        assert_eq!(hash.trim_matches(|c: char| c.is_ascii_hexdigit()), "", "{hash}");
        assert_eq!(hash.len(), 64, "{hash}");
        assert!(!hashes[..index].contains(hash), "{index}: {hashes:?}");
    }
    assert_eq!([hello("").hash(), secret("a").hash()], [hashes[0].clone(), hashes[4].clone()]);
    // The order of the fields has no effect on the hash.
    let mut lines: Vec<_> = HELLO.lines().collect();
    lines.reverse();
    assert_eq!(repository(lines.join("\n")).file("main.js", SCRIPT).hash(), hashes[0]);
}

/// Returns the identity of a preview of `hello`.
fn preview_identity(commit: &str) -> PreviewIdentity {
    PreviewIdentity {
        name: "hello-fix".into(),
        title: "Hello (fix)".into(),
        visibility: "private",
        marker: OwnershipMarker {
            integration: "hello".into(),
            repository: "github.com/acme/docs".into(),
            branch: "fix".into(),
            commit: commit.into(),
            ..OwnershipMarker::default()
        },
    }
}

#[test]
fn a_preview_differs_in_title_visibility_and_marker() {
    let repository = hello("visibility: public\nsummary: Says hello.\nsecrets: {A: a}\n");
    let integration = repository.integration();
    let (request, sent) = integration.preview_request(&preview_identity("abc")).unwrap();
    let request = request.unwrap();
    let mut body: Value = serde_json::from_slice(&request.body().unwrap()).unwrap();
    let summary = body["summary"].take();
    let marker = OwnershipMarker::parse(summary.as_str().unwrap()).unwrap();
    assert_eq!(marker, sent);
    let script_bytes = Some(u32::try_from(SCRIPT.len()).unwrap());
    assert_eq!(
        marker,
        OwnershipMarker { hash: sent.hash.clone(), script_bytes, ..preview_identity("abc").marker }
    );
    assert!(summary.as_str().unwrap().starts_with("Says hello.\n\n<!--"), "{summary}");
    let mut expected = repository.body();
    for (field, value) in
        [("title", "Hello (fix)".into()), ("visibility", "private".into()), ("summary", Value::Null)]
    {
        expected[field] = value;
    }
    assert_eq!(body, expected);
    // The hash does not depend on the commit in the marker.
    let hash_of = |identity: &PreviewIdentity| integration.preview_request(identity).unwrap().1.hash;
    assert_eq!(hash_of(&preview_identity("def")), sent.hash);
    assert_ne!(hash_of(&PreviewIdentity { title: "Hello (x)".into(), ..preview_identity("abc") }), sent.hash);
}

#[test]
fn a_marker_that_does_not_fit_into_the_summary_prevents_a_preview() {
    let integration = hello("").integration();
    assert!(integration.preview_request(&preview_identity(&"x".repeat(2048))).unwrap().0.is_none());
}

/// Checks the identity of an integration, or the problems with it.
#[track_caller]
fn check_identity(repository: &TestRepository, expected: &str) {
    let environment = repository.environment();
    let found = match identity(&repository.source(&environment), &repository.packaging(&environment)) {
        Ok(identity) => format!("{} of {:?} in {}", identity.name, identity.organization, identity.location),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    assert_eq!(found, expected);
}

#[test]
fn an_identity_needs_only_a_valid_name() {
    check_identity(&repository("name: hello\n"), "hello of None in gitbook-manifest.yaml");
    check_identity(&hello("").env("none"), "hello of Some(\"acme\") in gitbook-manifest.yaml");
    check_identity(
        &hello("envs: {dev: {name: hello-dev}}\n").env("dev"),
        "hello-dev of Some(\"acme\") in gitbook-manifest.yaml",
    );
    check_identity(
        &hello("").field("name", "GITBOOK_NAME", ValueFormat::Text, "other"),
        "other of Some(\"acme\") in gitbook-manifest.yaml",
    );
    check_identity(&repository("title: x\n"), "gitbook-manifest.yaml: `name` is missing");
    check_identity(&repository("name: a b\n"), "gitbook-manifest.yaml: `name` is `a b`, which is not valid");
    check_identity(
        &hello("").field("scopes", "GITBOOK_SCOPES", ValueFormat::Structure, "["),
        "GITBOOK_SCOPES:1:1: not valid YAML: unclosed bracket '['",
    );
}
