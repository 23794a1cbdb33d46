//! Injections by the repository: every field of a manifest, names of files and folders, and scripts.

use fake_github::{FakeGitHub, Head};
use serde_json::{Value, json};

use super::checks::{Form, Written};
use super::corpus::{Injection, corpus};
use super::{FORMATS, assert_nothing_injected, secrets};
use crate::support::{
    Deployment, GitLab, Repository, Sandbox, deployment, merge_request, payloads, repository,
};

fn strings() -> Vec<Injection> {
    corpus().into_iter().chain(secrets::encoded_secrets()).collect()
}

/// The fields of a manifest, tested one at a time.
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

/// Returns a manifest with a hostile field. JSON is valid YAML.
fn manifest(name: &str, field: &str, text: &str) -> String {
    let mut manifest =
        json!({"name": name, "title": "Hello", "organization": "acme", "script": "main.ts", "scopes": []});
    match field {
        "scopes" | "categories" | "previewImages" => manifest[field] = json!([text]),
        // Valid values become too long, so that the error repeats them.
        "title" | "description" | "summary" => manifest[field] = format!("{text}{}", "x".repeat(3000)).into(),
        _ => manifest[field] = text.into(),
    }
    manifest["secrets"] = resolved();
    manifest.to_string()
}

/// Returns secrets with resolved values.
fn resolved() -> Value {
    let lines = secrets::of_manifest();
    let pairs = lines.lines().skip(1).map(|line| line.trim().split_once(": ").unwrap());
    pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<serde_json::Map<_, _>>().into()
}

/// Returns a manifest with hostile keys and values at depth.
fn deep(name: &str, text: &str) -> String {
    let mut manifest = json!({
        "name": name, "title": "Hello", "organization": "acme", "script": "main.ts", "scopes": [],
        text: text,
        "blocks": [{"id": text, "title": text, text: text}],
        "configurations": {"space": {"properties": {text: {"type": text, "title": text}}}, text: text},
        "externalLinks": [{"label": text, "url": text}],
        "contentSecurityPolicy": {text: text},
        "envs": {text: {text: text}},
    });
    manifest["secrets"] = resolved();
    manifest["secrets"][text] = "${{ env.NOT_SET }}".into();
    manifest["secrets"]["ODD"] = format!("${{{{ env.{text} }}}}").into();
    manifest["secrets"]["OPEN"] = format!("${{{{ {text}").into();
    manifest.to_string()
}

fn with_format(run: Deployment, format: &str) -> Deployment {
    let run = run.variable("GITBOOK_LOG_FORMAT", format).variable("RUST_LOG", "gitbook_deploy=trace,info");
    secrets::set(run)
}

/// Publishes a repository with several log formats, and on both forges.
async fn published(tried: &str, folder: &Repository, formats: &[&'static str]) -> Vec<Written> {
    let (gitbook, sha) = (Sandbox::start().await, "1".repeat(40));
    let mut written = Vec::new();
    for &format in formats {
        let forge = FakeGitHub::unvalidated().await;
        forge.open_pull_request(12, Head::own("fix"), &sha);
        let payload = payloads::pull_request("opened", 12, "fix", &sha);
        let run = deployment().on_github_event("pull_request", &payload, 100).with_forge(&forge);
        let finished = with_format(run, format).against(gitbook.endpoint()).folder(folder).run().await;
        assert!(finished.code.is_some_and(|code| code < 3), "{tried}: {}", finished.log());
        let comments = forge.comments(12).into_iter().map(|comment| comment.body).collect();
        let run = Written::new(tried, format, Form::GitHub, finished);
        written.push(Written { comments, deployments: forge.deployments(), ..run });
    }
    let gitlab = GitLab::start().await;
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    let job = gitlab.merge_request_job('1', 100).against(gitbook.endpoint());
    let finished = with_format(job, "text").folder(folder).run().await;
    assert_eq!(gitlab.project().quick_actions, [""; 0], "{tried}");
    let comments = gitlab.project().notes.iter().map(|note| note.body.clone()).collect();
    written.push(Written { comments, ..Written::new(tried, "text", Form::GitLab, finished) });
    written
}

#[tokio::test]
async fn fields_of_a_manifest_inject_nothing() {
    let mut written = Vec::new();
    let all = strings();
    for (turn, field) in FIELDS.into_iter().enumerate() {
        for (part, some) in all.chunks(all.len().div_ceil(3)).enumerate() {
            // Each field in each format, and each string in each format over all fields.
            let formats = [FORMATS[(turn + part) % 3]];
            let folder = some.iter().enumerate().fold(repository(), |folder, (number, injection)| {
                let path = format!("i{number}");
                let folder = folder.file(&format!("{path}/main.ts"), "export default {};\n");
                folder.file(
                    &format!("{path}/gitbook-manifest.yaml"),
                    manifest(&format!("hello-{number}"), field, &injection.text),
                )
            });
            let runs = published(&format!("the field {field}"), &folder, &formats).await;
            assert!(runs.iter().all(|run| run.comments.len() == 1), "{field}: {}", runs[0].finished.log());
            written.extend(runs);
        }
    }
    assert_nothing_injected(&written);
}

#[tokio::test]
async fn keys_and_lines_of_a_manifest_inject_nothing() {
    let mut written = Vec::new();
    let folder = strings().iter().enumerate().fold(repository(), |folder, (number, injection)| {
        let path = format!("d{number}");
        let folder = folder.file(&format!("{path}/main.ts"), "export default {};\n");
        folder
            .file(&format!("{path}/gitbook-manifest.yaml"), deep(&format!("deep-{number}"), &injection.text))
    });
    written.extend(published("keys", &folder, &FORMATS).await);
    let folder = corpus().iter().enumerate().fold(repository(), |folder, (number, injection)| {
        let text = format!("name: raw-{number}\n{}: {}\n", injection.text, injection.text);
        folder.file(&format!("r{number}/gitbook-manifest.yaml"), text)
    });
    let folder = folder.file("bytes/gitbook-manifest.yaml", super::corpus::INVALID_UTF8);
    written.extend(published("lines", &folder, &FORMATS).await);
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
        let more = format!("icon: {icon}\npreviewImages: [{icon}]\n{}", secrets::of_manifest());
        folder = folder
            .manifest(&format!("f{number} {name}"), &format!("file-{number}"), &more)
            .file(&format!("f{number} {name}/{name}.png"), &injection.text)
            .manifest(&format!("s{number}"), &format!("script-{number}"), "")
            .file(&format!("s{number}/main.ts"), format!("import x from {quoted};\nexport default x;\n"))
            .manifest(&format!("t{number}"), &format!("syntax-{number}"), "")
            .file(&format!("t{number}/main.ts"), format!("const x = `{}\n", injection.text));
    }
    let odd = std::ffi::OsString::from_vec(super::corpus::INVALID_UTF8.to_vec());
    std::fs::create_dir(folder.path("").join(&odd)).unwrap();
    std::fs::write(folder.path("").join(&odd).join("gitbook-manifest.yaml"), super::corpus::INVALID_UTF8)
        .unwrap();
    assert_nothing_injected(&published("names of files", &folder, &FORMATS).await);
}

/// A valid repository is published, and the sandbox's files contain no secret.
#[tokio::test]
async fn the_sandbox_stores_no_secret() {
    let folder = repository().manifest("hello", "hello", &secrets::of_manifest());
    let mut written = Vec::new();
    for format in FORMATS {
        let run = with_format(deployment().publish(), format).variable("GITBOOK_ENDPOINT", "sandbox");
        let run = run.variable("GITBOOK_SANDBOX_DIR", "kept").folder(&folder);
        let finished = run.run().await;
        assert_eq!(finished.code, Some(0), "{}", finished.log());
        let read =
            |path: &String| String::from_utf8_lossy(&std::fs::read(folder.path(path)).unwrap()).into_owned();
        let kept: Vec<_> = folder.files().iter().filter(|path| path.starts_with("kept/")).map(read).collect();
        assert!(kept.len() > 1, "{:?}", folder.files());
        written.push(Written { kept, ..Written::new("secrets", format, Form::Dotenv, finished) });
    }
    assert_nothing_injected(&written);
}
