//! Promises of SECURITY.md that no other test holds.

use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{StreamExt as _, stream};
use tokio::process::Command;

use crate::support::{Sandbox, deployment, repository};

/// The tokens of this program and of CI systems, as the documentation of each names them.
const TOKENS: [&str; 17] = [
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
async fn no_manifest_can_use_a_token_as_a_secret() {
    for name in TOKENS {
        let secrets = format!("secrets:\n  KEY: 'a-${{{{ env.{name} }}}}'\n");
        let folder = repository().manifest(".", "hello", &secrets);
        let run = deployment().publish().against("http://127.0.0.1:1").variable(name, "t0ken-of-somebody");
        let ended = run.folder(&folder).runs().await;
        assert_eq!(ended.code, Some(2), "{name}: {}", ended.log());
        assert!(ended.stderr.contains(&format!("`{name}`")), "{name}: {}", ended.log());
        assert!(
            !ended.everything().replace("::add-mask::t0ken-of-somebody", "").contains("t0ken-of-somebody")
        );
    }
}

#[tokio::test]
async fn written_files_follow_no_link_of_the_checkout() {
    let outside = repository().file("kept", "as it is\n");
    let folder = repository().manifest(".", "hello", "");
    for name in ["outputs", "summary.md", "report.json", "quality.json"] {
        symlink(outside.path("kept"), folder.path(name)).unwrap();
    }
    symlink(outside.path(""), folder.path("sandbox")).unwrap();
    let at = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let run = deployment()
        .publish()
        .variable("GITBOOK_ENDPOINT", "sandbox")
        .variable("GITBOOK_SANDBOX_DIR", "sandbox")
        .variable("GITBOOK_OUTPUT_FILE", at("outputs"))
        .variable("GITBOOK_SUMMARY_FILE", at("summary.md"))
        .variable("GITBOOK_REPORT_FILE", at("report.json"))
        .variable("GITBOOK_CODE_QUALITY_FILE", at("quality.json"));
    run.folder(&folder).runs().await;
    assert_eq!(std::fs::read_to_string(outside.path("kept")).unwrap(), "as it is\n");
    assert_eq!(outside.files().len(), 1, "{:?}", outside.files());
}

#[tokio::test]
async fn written_files_follow_no_link_of_the_checkout_above_the_first_folder() {
    for is_submodule in [true, false] {
        let outside = repository().file("kept", "as it is\n");
        let folder = repository().manifest("sub", "hello", "");
        let folder = if is_submodule { folder.file(".git/HEAD", "").file("sub/.git", "") } else { folder };
        symlink(outside.path("kept"), folder.path("report.json")).unwrap();
        // A link of the machine that leads to one of the checkout.
        symlink(folder.path("report.json"), outside.path("link")).unwrap();
        for report in [folder.path("report.json"), outside.path("link")] {
            let run = deployment()
                .publish()
                .variable("GITBOOK_ENDPOINT", "sandbox")
                .variable("GITBOOK_REPORT_FILE", report.to_str().unwrap())
                .variable("GITLAB_CI", "true")
                .variable(
                    "CI_PROJECT_DIR",
                    folder.path(if is_submodule { "sub" } else { "" }).to_str().unwrap(),
                );
            let ended = run.folder(folder.path("sub")).runs().await;
            assert!(ended.stderr.contains("symbolic link of the repository"), "{}", ended.log());
            assert_eq!(std::fs::read_to_string(outside.path("kept")).unwrap(), "as it is\n");
        }
    }
}

/// Starts a server whose every answer goes on and on.
async fn endless() -> String {
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
async fn an_answer_without_end_is_given_up() {
    let folder = repository().manifest(".", "hello", "");
    let run = deployment().publish().against(&endless().await).folder(&folder);
    let ended = run.runs().await;
    assert_eq!(ended.code, Some(1), "{}", ended.log());
    assert!(ended.stderr.contains("8 MiB"), "{}", ended.log());
}

/// The log is a pipe that is full, and stays so.
#[tokio::test]
async fn a_signal_ends_a_run_whose_log_nobody_reads() {
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
    let id = child.id().expect("it waits for a reader of its log").to_string();
    let mut child = child;
    assert!(child.try_wait().unwrap().is_none(), "it waits for a reader of its log");
    let started = Instant::now();
    let sent = Command::new("/bin/sh").args(["-c", "kill -s TERM \"$0\"", &id]).status().await;
    assert!(sent.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(143), "{:?}", started.elapsed());
}

/// What a job has within reach, but must be in no output.
const WITHIN_REACH: [(&str, &str); 2] =
    [("DB_PASSWORD", "hunter2-of-the-database"), ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-of-the-cloud")];

#[tokio::test]
async fn nothing_within_reach_of_a_job_is_in_an_output() {
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
        let run = WITHIN_REACH.iter().fold(deployment(), |run, (name, value)| run.variable(name, *value));
        let run = run.variable("HOME", home.path("").to_str().unwrap()).variable("GITBOOK_MODE", "check");
        let ended = run.variable("RUST_LOG", "trace").folder(&folder).runs().await;
        assert_eq!(ended.code, Some(2), "{script}: {}", ended.log());
        let said = ended.everything();
        for hushed in ["hush-of", "hunter2-of", "wJalrXUtnFEMI-of"] {
            assert!(!said.contains(hushed), "{script}: {said}");
        }
    }
}
