//! Promises in SECURITY.md that no other file tests.

use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{StreamExt as _, stream};
use tokio::process::Command;

use crate::support::{Sandbox, deployment, repository};

/// The variables with tokens of this program, CI systems and package registries, as documented.
const TOKEN_VARIABLES: [&str; 17] = [
    "GITBOOK_TOKEN",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V2",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPLOY_PASSWORD",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "OP_CONNECT_TOKEN",
    "OP_SESSION_acme",
    "SYSTEM_ACCESSTOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "NPM_TOKEN",
    "NODE_AUTH_TOKEN",
];

#[tokio::test]
async fn a_manifest_cannot_use_a_token_as_a_secret() {
    for name in TOKEN_VARIABLES {
        let secrets = format!("secrets:\n  KEY: 'a-${{{{ env.{name} }}}}'\n");
        let folder = repository().manifest(".", "hello", &secrets);
        let run =
            deployment().publish().with_endpoint("http://127.0.0.1:1").variable(name, "t0ken-of-somebody");
        let finished = run.folder(&folder).run().await;
        assert_eq!(finished.code, Some(2), "{name}: {}", finished.log());
        assert!(finished.stderr.contains(&format!("`{name}`")), "{name}: {}", finished.log());
        assert!(
            !finished.everything().replace("::add-mask::t0ken-of-somebody", "").contains("t0ken-of-somebody")
        );
    }
}

#[tokio::test]
async fn does_not_write_outputs_through_links_in_the_checkout() {
    let outside = repository().file("kept", "as it is\n");
    let folder = repository().manifest(".", "hello", "");
    for name in ["outputs", "summary.md", "report.json", "quality.json"] {
        symlink(outside.path("kept"), folder.path(name)).unwrap();
    }
    symlink(outside.path(""), folder.path("sandbox")).unwrap();
    let absolute_path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let run = deployment()
        .publish()
        .variable("GITBOOK_ENDPOINT", "sandbox")
        .variable("GITBOOK_SANDBOX_DIR", "sandbox")
        .variable("GITBOOK_OUTPUT_FILE", absolute_path("outputs"))
        .variable("GITBOOK_SUMMARY_FILE", absolute_path("summary.md"))
        .variable("GITBOOK_REPORT_FILE", absolute_path("report.json"))
        .variable("GITBOOK_CODE_QUALITY_FILE", absolute_path("quality.json"));
    run.folder(&folder).run().await;
    assert_eq!(std::fs::read_to_string(outside.path("kept")).unwrap(), "as it is\n");
    assert_eq!(outside.files().len(), 1, "{:?}", outside.files());
}

#[tokio::test]
async fn does_not_write_a_report_through_a_link_above_the_working_directory() {
    for is_submodule in [true, false] {
        let outside = repository().file("kept", "as it is\n");
        let folder = repository().manifest("sub", "hello", "");
        let folder = if is_submodule { folder.file(".git/HEAD", "").file("sub/.git", "") } else { folder };
        symlink(outside.path("kept"), folder.path("report.json")).unwrap();
        // This link outside the repository points to the link in the repository.
        symlink(folder.path("report.json"), outside.path("link")).unwrap();
        let workspace = folder.path(if is_submodule { "sub" } else { "" });
        for report in [folder.path("report.json"), outside.path("link")] {
            let run = deployment()
                .publish()
                .variable("GITBOOK_ENDPOINT", "sandbox")
                .variable("GITBOOK_REPORT_FILE", report.to_str().unwrap())
                .variable("GITLAB_CI", "true")
                .variable("CI_PROJECT_DIR", workspace.to_str().unwrap());
            let finished = run.folder(folder.path("sub")).run().await;
            assert!(finished.stderr.contains("symbolic link in the repository"), "{}", finished.log());
            assert_eq!(std::fs::read_to_string(outside.path("kept")).unwrap(), "as it is\n");
        }
    }
}

/// Starts a server that sends endless responses, and returns its address.
async fn start_endless_server() -> String {
    let answer = || async {
        let bytes = stream::repeat(Bytes::from(vec![b' '; 1 << 16])).map(Ok::<_, std::convert::Infallible>);
        Response::new(Body::from_stream(bytes))
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

#[tokio::test]
async fn stops_reading_an_endless_response() {
    let folder = repository().manifest(".", "hello", "");
    let run = deployment().publish().with_endpoint(&start_endless_server().await).folder(&folder);
    let finished = run.run().await;
    assert_eq!(finished.code, Some(1), "{}", finished.log());
    assert!(finished.stderr.contains("8 MiB"), "{}", finished.log());
}

/// The log is a full pipe without a reader, so the program is blocked when the signal arrives.
#[tokio::test]
async fn a_signal_ends_a_run_with_a_blocked_log() {
    let folder = (0..200).fold(repository(), |all, number| all.integration(&format!("hello-{number}")));
    let sandbox = Sandbox::start().await;
    let child = Command::new(env!("CARGO_BIN_EXE_gitbook-deploy"))
        .env_clear()
        .envs([("GITBOOK_MODE", "publish"), ("GITBOOK_TOKEN", "any"), ("RUST_LOG", "trace")])
        .env("GITBOOK_ENDPOINT", sandbox.endpoint())
        .current_dir(folder.path(""))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let id = child.id().expect("the program waits for a reader of its log").to_string();
    let mut child = child;
    assert!(child.try_wait().unwrap().is_none(), "the program waits for a reader of its log");
    let started = Instant::now();
    let sent = Command::new("/bin/sh").args(["-c", "kill -s TERM \"$0\"", &id]).status().await;
    assert!(sent.unwrap().success());
    let finished = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
    assert_eq!(finished.unwrap().unwrap().code(), Some(143), "{:?}", started.elapsed());
}

/// Variables of a CI job whose values must not appear in any output.
const JOB_SECRETS: [(&str, &str); 2] =
    [("DB_PASSWORD", "hunter2-of-the-database"), ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-of-the-cloud")];

#[tokio::test]
async fn outputs_contain_no_secrets_or_private_files_of_the_job() {
    let home = repository()
        .file(".netrc", "machine example.com login mona password hush-of-netrc\n")
        .file(".aws/credentials", "[default]\naws_secret_access_key = hush-of-aws\n")
        .file("tsconfig.json", "{ \"extends\": hush-of-tsconfig }\n")
        .file("package.json", "{ \"name\": hush-of-package }\n");
    let name = home.path("").file_name().unwrap().to_str().unwrap().to_owned();
    let netrc = home.path(".netrc");
    let absolute = netrc.to_str().unwrap();
    let scripts = [
        format!("import text from '../{name}/.netrc';\nexport default text;\n"),
        format!("import text from '{absolute}';\nexport default text;\n"),
        format!("export * from '../{name}/package.json';\n"),
        "import text from './linked';\nexport default text;\n".to_owned(),
        "export default process.env.DB_PASSWORD;\n".to_owned(),
        "export default {\n".to_owned(),
    ];
    for script in scripts {
        let tsconfig = format!("{{ \"extends\": \"../{name}/tsconfig.json\" }}\n");
        let folder = repository()
            .manifest(".", "hello", &format!("icon: ../{name}/.netrc\n"))
            .file("main.ts", &*script)
            .file("tsconfig.json", tsconfig);
        symlink(&netrc, folder.path("linked")).unwrap();
        symlink(home.path("package.json"), folder.path("package.json")).unwrap();
        let run = JOB_SECRETS.iter().fold(deployment(), |run, (name, value)| run.variable(name, *value));
        let run = run.variable("HOME", home.path("").to_str().unwrap()).variable("GITBOOK_MODE", "check");
        let finished = run.variable("RUST_LOG", "trace").folder(&folder).run().await;
        assert_eq!(finished.code, Some(2), "{script}: {}", finished.log());
        let message = finished.everything();
        for secret in ["hush-of", "hunter2-of", "wJalrXUtnFEMI-of"] {
            assert!(!message.contains(secret), "{script}: {message}");
        }
    }
}
