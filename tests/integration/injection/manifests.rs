//! Injections by the repository: manifest fields, names of files and folders, and scripts.

use fake_github::{FakeGitHub, Head};
use serde_json::{Value, json};

use super::checks::{OutputFormat, Written};
use super::corpus::{Injection, corpus};
use super::{FORMATS, assert_nothing_injected, secrets};
use crate::support::{
    Deployment, GitLab, Repository, Sandbox, deployment, merge_request, payloads, repository,
};

fn strings() -> Vec<Injection> {
    corpus().into_iter().chain(secrets::encoded_secrets()).collect()
}

/// The manifest fields to test, including an unknown one.
const FIELDS: [&str; 14] = [
    "name",
    "title",
    "description",
    "summary",
    "icon",
    "script",
    "runtime",
    "target",
    "visibility",
    "organization",
    "pwned",
    "scopes",
    "categories",
    "previewImages",
];

/// Returns a manifest with a hostile value in one field. It is JSON, which is valid YAML.
fn manifest(name: &str, field: &str, text: &str) -> String {
    let mut manifest =
        json!({"name": name, "title": "Hello", "organization": "acme", "script": "main.ts", "scopes": []});
    match field {
        "scopes" | "categories" | "previewImages" => manifest[field] = json!([text]),
        // The additional characters exceed the limits, so that the error message quotes the value.
        "title" | "description" | "summary" => manifest[field] = format!("{text}{}", "x".repeat(3000)).into(),
        _ => manifest[field] = text.into(),
    }
    manifest["secrets"] = secret_references();
    manifest.to_string()
}

/// Returns the manifest field `secrets` with references to the variables of the secrets.
fn secret_references() -> Value {
    let lines = secrets::manifest_lines();
    let pairs = lines.lines().skip(1).map(|line| line.trim().split_once(": ").unwrap());
    pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<serde_json::Map<_, _>>().into()
}

/// Returns a manifest with hostile keys and values in nested fields.
fn hostile_keys(name: &str, text: &str) -> String {
    let mut manifest = json!({
        "name": name, "title": "Hello", "organization": "acme", "script": "main.ts", "scopes": [],
        text: text,
        "blocks": [{"id": text, "title": text, text: text}],
        "configurations": {"space": {"properties": {text: {"type": text, "title": text}}}, text: text},
        "externalLinks": [{"label": text, "url": text}],
        "contentSecurityPolicy": {text: text},
        "envs": {text: {text: text}},
    });
    manifest["secrets"] = secret_references();
    manifest["secrets"][text] = "${{ env.NOT_SET }}".into();
    manifest["secrets"]["ODD"] = format!("${{{{ env.{text} }}}}").into();
    manifest["secrets"]["OPEN"] = format!("${{{{ {text}").into();
    manifest.to_string()
}

fn with_format(run: Deployment, format: &str) -> Deployment {
    let run = run.variable("GITBOOK_LOG_FORMAT", format).variable("RUST_LOG", "gitbook_deploy=trace,info");
    secrets::set(run)
}

/// Publishes a preview of a repository on GitHub with each log format, and on GitLab.
async fn publish(attempt: &str, folder: &Repository, formats: &[&'static str]) -> Vec<Written> {
    let (gitbook, sha) = (Sandbox::start().await, "1".repeat(40));
    let mut written = Vec::new();
    for &format in formats {
        let forge = FakeGitHub::unvalidated().await;
        forge.open_pull_request(12, Head::own("fix"), &sha);
        let payload = payloads::pull_request("opened", 12, "fix", &sha);
        let run = deployment().on_github_event("pull_request", &payload, 100).with_forge(&forge);
        let finished = with_format(run, format).with_endpoint(gitbook.endpoint()).folder(folder).run().await;
        assert!(finished.code.is_some_and(|code| code < 3), "{attempt}: {}", finished.log());
        let comments = forge.comments(12).into_iter().map(|comment| comment.body).collect();
        let run = Written::new(attempt, format, OutputFormat::GitHub, finished);
        written.push(Written { comments, deployments: forge.deployments(), ..run });
    }
    let gitlab = GitLab::start().await;
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
    let finished = with_format(job, "text").folder(folder).run().await;
    assert_eq!(gitlab.project().quick_actions, [""; 0], "{attempt}");
    let comments = gitlab.project().notes.iter().map(|note| note.body.clone()).collect();
    written.push(Written { comments, ..Written::new(attempt, "text", OutputFormat::GitLab, finished) });
    written
}

#[tokio::test]
async fn manifest_fields_inject_nothing() {
    let mut written = Vec::new();
    let all = strings();
    for (turn, field) in FIELDS.into_iter().enumerate() {
        for (number, chunk) in all.chunks(all.len().div_ceil(3)).enumerate() {
            // Each field is tested with each format, and over all fields, so is each string.
            let formats = [FORMATS[(turn + number) % 3]];
            let folder = chunk.iter().enumerate().fold(repository(), |folder, (index, injection)| {
                let path = format!("i{index}");
                let folder = folder.file(&format!("{path}/main.ts"), "export default {};\n");
                folder.file(
                    &format!("{path}/gitbook-manifest.yaml"),
                    manifest(&format!("hello-{index}"), field, &injection.text),
                )
            });
            let runs = publish(&format!("the field {field}"), &folder, &formats).await;
            assert!(runs.iter().all(|run| run.comments.len() == 1), "{field}: {}", runs[0].finished.log());
            written.extend(runs);
        }
    }
    assert_nothing_injected(&written);
}

#[tokio::test]
async fn manifest_keys_and_lines_inject_nothing() {
    let mut written = Vec::new();
    let folder = strings().iter().enumerate().fold(repository(), |folder, (number, injection)| {
        let path = format!("d{number}");
        let folder = folder.file(&format!("{path}/main.ts"), "export default {};\n");
        folder.file(
            &format!("{path}/gitbook-manifest.yaml"),
            hostile_keys(&format!("deep-{number}"), &injection.text),
        )
    });
    written.extend(publish("keys", &folder, &FORMATS).await);
    let folder = corpus().iter().enumerate().fold(repository(), |folder, (number, injection)| {
        let text = format!("name: raw-{number}\n{}: {}\n", injection.text, injection.text);
        folder.file(&format!("r{number}/gitbook-manifest.yaml"), text)
    });
    let folder = folder.file("bytes/gitbook-manifest.yaml", super::corpus::INVALID_UTF8);
    written.extend(publish("lines", &folder, &FORMATS).await);
    assert_nothing_injected(&written);
}

/// Folders and files with hostile names, and scripts with hostile syntax errors.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn file_names_and_scripts_inject_nothing() {
    use std::os::unix::ffi::OsStringExt as _;
    let mut folder = repository();
    for (number, injection) in strings().iter().enumerate() {
        let name: String = injection.text.chars().filter(|c| !matches!(c, '/' | '\0')).take(60).collect();
        let quoted = json!(injection.text.chars().take(20_000).collect::<String>());
        let icon = json!(format!("{name}.png"));
        let more = format!("icon: {icon}\npreviewImages: [{icon}]\n{}", secrets::manifest_lines());
        folder = folder
            .manifest(&format!("f{number} {name}"), &format!("file-{number}"), &more)
            .file(&format!("f{number} {name}/{name}.png"), &injection.text)
            .manifest(&format!("s{number}"), &format!("script-{number}"), "")
            .file(&format!("s{number}/main.ts"), format!("import x from {quoted};\nexport default x;\n"))
            .manifest(&format!("t{number}"), &format!("syntax-{number}"), "")
            .file(&format!("t{number}/main.ts"), format!("const x = `{}\n", injection.text));
    }
    let invalid_name = std::ffi::OsString::from_vec(super::corpus::INVALID_UTF8.to_vec());
    std::fs::create_dir(folder.path("").join(&invalid_name)).unwrap();
    std::fs::write(
        folder.path("").join(&invalid_name).join("gitbook-manifest.yaml"),
        super::corpus::INVALID_UTF8,
    )
    .unwrap();
    assert_nothing_injected(&publish("names of files", &folder, &FORMATS).await);
}

/// The sandbox stores a published integration without the values of its secrets.
#[tokio::test]
async fn the_sandbox_stores_no_secret() {
    let folder = repository().manifest("hello", "hello", &secrets::manifest_lines());
    let mut written = Vec::new();
    for format in FORMATS {
        let run = with_format(deployment().publish(), format).variable("GITBOOK_ENDPOINT", "sandbox");
        let run = run.variable("GITBOOK_SANDBOX_DIR", "kept").folder(&folder);
        let finished = run.run().await;
        assert_eq!(finished.code, Some(0), "{}", finished.log());
        let read =
            |path: &String| String::from_utf8_lossy(&std::fs::read(folder.path(path)).unwrap()).into_owned();
        let sandbox_files: Vec<_> =
            folder.files().iter().filter(|path| path.starts_with("kept/")).map(read).collect();
        assert!(sandbox_files.len() > 1, "{:?}", folder.files());
        written.push(Written {
            sandbox_files,
            ..Written::new("secrets", format, OutputFormat::Dotenv, finished)
        });
    }
    assert_nothing_injected(&written);
}
