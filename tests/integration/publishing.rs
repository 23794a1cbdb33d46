//! Publishing, previews and deletions over HTTP.

mod accepted;
mod guard;
mod quota;
mod selection;
mod stable;

use gitbook_deploy::gitbook::sandbox;
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{
    Deployment, Finished, RecordedRequests as _, Repository, deployment, gitbook, png, repository,
};

/// Starts a sandbox and returns its endpoint and its folder.
async fn kept() -> (String, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (sandbox::start(folder.path()).await.unwrap().into(), folder)
}

fn stored_integration(folder: &TempDir, name: &str) -> Value {
    let path = folder.path().join(name).join("integration.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn push(endpoint: &str, branch: &str, repository: &Repository) -> Deployment {
    deployment().with_endpoint(endpoint).on_push_to(branch).folder(repository)
}

fn results(finished: &Finished) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let integrations = finished.integrations();
    let integrations = integrations.as_array().unwrap().iter();
    integrations.map(|integration| (text(&integration["name"]), text(&integration["result"]))).collect()
}

/// The manifest fields that variables can set, with values.
const ALL_FIELDS: [(&str, &str); 15] = [
    ("NAME", "hello"),
    ("TITLE", "Hello"),
    ("DESCRIPTION", "Says hello"),
    ("SUMMARY", "It says hello."),
    ("ORGANIZATION", "acme"),
    ("SCRIPT", "build/main.js"),
    ("ICON", "icon.png"),
    ("PREVIEW_IMAGES", "icon.png\nicon.png"),
    ("SCOPES", "space:content:read, space:content:write"),
    ("CATEGORIES", "content"),
    ("TARGET", "site"),
    ("VISIBILITY", "unlisted"),
    ("RUNTIME", "v1"),
    ("BLOCKS", "[{id: hello, title: Hello}]"),
    ("SECRETS", "{KEY: 'a-${{ env.API_KEY }}'}"),
];

#[tokio::test]
async fn publishes_an_integration_from_variables() {
    let server = gitbook().await;
    let repository = repository()
        .file("build/main.js", "export default { fetch: () => new Response('hi') };\n")
        .file("icon.png", png(2, 2));
    let run = ALL_FIELDS.into_iter().fold(push(&server.uri(), "main", &repository), |run, (field, value)| {
        run.variable(&format!("GITBOOK_{field}"), value)
    });
    let finished = run.variable("API_KEY", "hush-hush").run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello", "POST /v1/integrations/hello"]);
    let mut body = server.body().await;
    assert_eq!(body["secrets"].take(), json!({"KEY": "a-hush-hush"}));
    for image in [body["icon"].take(), body["previewImages"][0].take(), body["previewImages"][1].take()] {
        assert!(image.as_str().unwrap().starts_with("iVBORw0KGgo"), "{image}");
    }
    insta::assert_snapshot!(format!("{body:#}"), @r#"
    {
      "blocks": [
        {
          "id": "hello",
          "title": "Hello"
        }
      ],
      "categories": [
        "content"
      ],
      "description": "Says hello",
      "organization": "acme",
      "runtime": "v1",
      "scopes": [
        "space:content:read",
        "space:content:write"
      ],
      "summary": "It says hello.",
      "target": "site",
      "title": "Hello",
      "visibility": "unlisted",
      "secrets": null,
      "script": "var e={fetch:()=>new Response(`hi`)};export{e as default};",
      "icon": null,
      "previewImages": [
        null,
        null
      ]
    }
    "#);
}

#[tokio::test]
async fn trims_a_line_break_after_the_token() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run = push(&server.uri(), "main", &repository).variable("GITBOOK_TOKEN", "pasted\n");
    assert_eq!(run.run().await.code, Some(0));
    assert_eq!(server.received_requests().await.unwrap()[0].headers["authorization"], "Bearer pasted");
}

#[tokio::test]
async fn sends_a_built_script_unchanged() {
    let server = gitbook().await;
    let script = "import x from 'nowhere'; // kept\r\n\u{2028} export default x;\n";
    let repository = repository().manifest(".", "hello", "").file("main.ts", script);
    let finished = push(&server.uri(), "main", &repository).variable("GITBOOK_BUNDLE", "false").run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(server.body().await["script"], script);
}

#[tokio::test]
async fn publishes_although_optional_packages_are_missing() {
    let server = gitbook().await;
    let script = "import type { A } from 'a-package';\nimport { Buffer } from 'node:buffer';\n\
        let other: unknown;\ntry { other = require('another-package'); } catch {}\n\
        export default { Buffer, other } as A;\n";
    let repository = repository().manifest(".", "hello", "").file("main.ts", script);
    let finished = push(&server.uri(), "main", &repository).run().await;
    assert_eq!((finished.code, server.requests().await.len()), (Some(0), 2), "{finished:#?}");
    assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
}

#[tokio::test]
async fn does_not_publish_an_unchanged_preview() {
    let (endpoint, folder) = kept().await;
    let repository = repository().manifest(".", "hello", "summary: Hi.\n");
    let run = || push(&endpoint, "fix", &repository);
    let first = run().run().await;
    assert_eq!((first.output("result"), first.output("name")), ("published".into(), "hello-fix".into()));
    let (title, visibility) = (
        &stored_integration(&folder, "hello-fix")["title"],
        &stored_integration(&folder, "hello-fix")["visibility"],
    );
    assert_eq!((title, visibility), (&json!("Hello (fix)"), &json!("private")));
    let second = run().variable("GITBOOK_COMMIT", "4567").run().await;
    assert_eq!((second.output("result"), second.output("version")), ("unchanged".into(), "1".into()));
    let third = run().variable("GITBOOK_SKIP_UNCHANGED", "false").run().await;
    assert_eq!((third.output("result"), third.output("version")), ("published".into(), "2".into()));
    let changed = repository.file("main.ts", "export default {};\n");
    let fourth = push(&endpoint, "fix", &changed).run().await;
    assert_eq!((fourth.output("result"), fourth.output("version")), ("published".into(), "3".into()));
}

#[tokio::test]
async fn deleting_a_deleted_preview_again_succeeds() {
    let (endpoint, folder) = kept().await;
    let repository = repository().integration("hello").integration("world");
    push(&endpoint, "fix", &repository).run().await;
    push(&endpoint, "other", &repository).run().await;
    let delete = || deployment().with_endpoint(&endpoint).event("delete", "fix").folder(&repository);
    let finished = delete().run().await;
    assert_eq!((finished.code, finished.output("mode")), (Some(0), "delete".to_owned()));
    let (hello, world) = ("hello-fix".to_owned(), "world-fix".to_owned());
    let deleted = [(hello, "deleted".to_owned()), (world, "deleted".to_owned())];
    assert_eq!(results(&finished), deleted);
    assert!(!folder.path().join("hello-fix").exists() && folder.path().join("hello-other").exists());
    let again = delete().run().await;
    assert_eq!((again.code, results(&again)), (Some(0), deleted.to_vec()));
}

#[tokio::test]
async fn deletes_a_preview_without_its_script_icon_and_secret() {
    let (endpoint, folder) = kept().await;
    let repository = repository().integration(".");
    let repository = repository.manifest(".", "hello", "");
    push(&endpoint, "fix", &repository).run().await;
    let bare = "name: hello\nsecrets: {KEY: \"${{ env.NOT_SET }}\"}\nicon: none.png\n";
    let bare = crate::support::repository().file("gitbook-manifest.yaml", bare);
    let finished = deployment().with_endpoint(&endpoint).event("closed", "fix").folder(&bare).run().await;
    assert_eq!((finished.code, finished.output("result")), (Some(0), "deleted".to_owned()), "{finished:#?}");
    assert!(!folder.path().join("hello-fix").exists());
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let server = gitbook().await;
    let repository = repository().integration("hello");
    let run = |branch| push(&server.uri(), branch, &repository).variable("GITBOOK_DRY_RUN", "true");
    let publish = run("main").run().await;
    insta::assert_snapshot!(publish.log(), @"
    exit 0
    info: checked hello (0.1 KiB, … s): dry run: would be published
    ");
    let preview = run("fix").run().await;
    insta::assert_snapshot!(preview.log(), @"
    exit 0
    info: checked hello-fix (0.1 KiB, … s): dry run: would be published
    ");
    assert_eq!(server.requests().await, ["GET /v1/integrations/hello-fix"]);
    let (endpoint, folder) = kept().await;
    push(&endpoint, "fix", &repository).run().await;
    let delete =
        deployment().with_endpoint(&endpoint).event("delete", "fix").variable("GITBOOK_DRY_RUN", "true");
    insta::assert_snapshot!(delete.folder(&repository).run().await.log(), @"
    exit 0
    info: checked hello-fix (… s): dry run: would be deleted
    ");
    assert!(folder.path().join("hello-fix").exists());
}

#[tokio::test]
async fn a_failed_integration_does_not_stop_the_others() {
    let server = MockServer::start().await;
    let answer = |request: &wiremock::Request| match request.url.path().rsplit('/').next() {
        Some("two") => crate::support::api_error(403, "You may not"),
        name => ResponseTemplate::new(200).set_body_json(crate::support::published(name.unwrap())),
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let repository = repository().integration("one").integration("two").integration("three");
    let finished = push(&server.uri(), "main", &repository).run().await;
    let result = |name: &str, result: &str| (name.to_owned(), result.to_owned());
    let expected = [result("one", "published"), result("three", "published"), result("two", "failed")];
    assert_eq!((finished.code, results(&finished)), (Some(1), expected.to_vec()));
    let log = finished.log();
    assert!(log.lines().last().unwrap().contains("1 of 3 "), "{log}");
    assert!(log.contains("`two`") && log.contains("403 You may not\n"));
}

#[tokio::test]
async fn warns_of_fields_that_gitbook_published_differently() {
    let server = MockServer::start().await;
    let mut answer = crate::support::published("hello");
    answer["title"] = json!("Hallo");
    answer["visibility"] = json!("public");
    answer["scopes"] = json!([]);
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(answer)).mount(&server).await;
    let repository = repository().manifest(".", "hello", "visibility: private\n");
    let finished = push(&server.uri(), "main", &repository).run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    warning: another run published `hello` at the same time: GitBook had version 1 and now has version 1; it is unknown which run has the newer commit; if it is the other run, re-run its job
    warning: GitBook published `hello` with a different `title` than requested
    warning: GitBook published `hello` with a different `visibility` than requested
    warning: GitBook published `hello` with a different `scopes` than requested
    info: published hello v1 (0.1 KiB, … s) https://app.gitbook.com/integrations/hello
    ");
}

/// Publishes to a GitBook that sends this response.
async fn publish_with_answer(answer: Value) -> Finished {
    let server = MockServer::start().await;
    let mut before = answer.clone();
    before["version"] = (answer["version"].as_u64().unwrap_or(1) - 1).into();
    let before = ResponseTemplate::new(200).set_body_json(before);
    Mock::given(method("GET")).respond_with(before).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(answer)).mount(&server).await;
    let repository = repository().manifest(".", "hello", "target: site\n");
    push(&server.uri(), "main", &repository).run().await
}

fn warnings(finished: &Finished) -> String {
    let log = finished.log();
    let lines = log.lines().filter(|line| line.starts_with("warning:"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn warns_of_fields_that_gitbook_does_not_return() {
    let finished = publish_with_answer(json!({"name": "hello", "title": "Hello ", "version": 7})).await;
    assert_eq!(
        (finished.code, finished.output("result"), finished.output("version")),
        (Some(0), "published".into(), "7".into())
    );
    insta::assert_snapshot!(warnings(&finished), @"
    warning: GitBook published `hello` with a different `title` than requested
    warning: GitBook's response for `hello` does not contain `target`
    warning: GitBook's response for `hello` does not contain `scopes`
    ");
}

#[tokio::test]
async fn warns_of_a_public_preview() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(crate::support::api_error(404, "Integration not found"))
        .mount(&server)
        .await;
    let public = |request: &wiremock::Request| {
        let answer = crate::support::repeated_with(request, |answer| answer["visibility"] = json!("public"));
        ResponseTemplate::new(200).set_body_json(answer)
    };
    Mock::given(any()).respond_with(public).mount(&server).await;
    let finished = push(&server.uri(), "fix", &repository().integration("hello")).run().await;
    assert_eq!((finished.code, finished.output("result")), (Some(0), "published".into()));
    insta::assert_snapshot!(warnings(&finished), @"
    warning: GitBook published `hello-fix` with a different `visibility` than requested
    warning: another run has deleted `hello-fix`; re-run the job if its branch is open
    ");
}

#[tokio::test]
async fn ignores_the_url_of_another_integration() {
    let finished = publish_with_answer(crate::support::published("other")).await;
    assert_eq!(
        (finished.code, finished.output("result"), finished.output("name")),
        (Some(0), "published".into(), "hello".into())
    );
    assert_eq!((finished.output("url"), finished.output("version")), (String::new(), String::new()));
    insta::assert_snapshot!(warnings(&finished), @"warning: GitBook's response describes an integration other than `hello`; check in GitBook that `hello` was published");
}

#[tokio::test]
async fn writes_nothing_into_the_repository() {
    let server = gitbook().await;
    let repository =
        repository().manifest("hello", "hello", "icon: icon.png\n").file("hello/icon.png", png(2, 2));
    let before = repository.files();
    push(&server.uri(), "main", &repository).run().await;
    push(&server.uri(), "fix", &repository).run().await;
    assert_eq!(server.requests().await.len(), 5);
    assert_eq!(repository.files(), before);
}

#[tokio::test]
async fn the_embedded_sandbox_stores_integrations() {
    let repository = repository().manifest(".", "hello", "secrets: {KEY: hush-hush}\n");
    let run = || deployment().variable("GITBOOK_ENDPOINT", "sandbox").folder(&repository);
    let finished = run().run().await;
    insta::assert_snapshot!(finished.log(), @"
    exit 0
    info: using the sandbox in `<folder>/.gitbook-sandbox`
    info: published hello v1 (0.1 KiB, … s) file://<folder>/.gitbook-sandbox/hello/
    ");
    let again = run().run().await;
    assert_eq!(again.output("version"), "2");
    let root = ".gitbook-sandbox/hello";
    let kept: Vec<_> = repository.files().into_iter().filter(|path| path.starts_with(".gitbook")).collect();
    let [record, script] = ["integration.json", "script.js"].map(|file| format!("{root}/{file}"));
    assert_eq!(kept, [&*record, &script]);
    let record = std::fs::read_to_string(repository.path(&record)).unwrap();
    assert!(record.contains("KEY") && !record.contains("hush-hush"), "{record}");
}
