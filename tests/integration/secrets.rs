//! Secrets from 1Password, which its command-line program `op` reads.
#![cfg(unix)]

use serde_json::json;

use crate::support::{Deployment, RecordedRequests as _, Repository, TOKEN, deployment, gitbook, repository};

const MANIFEST: &str = "secrets:\n  KEY: ${{ op://vault/item/field }}\n";

/// Returns a repository with a fake `op`, which is this shell script.
fn repository_with_op(script: &str) -> Repository {
    repository().manifest(".", "hello", MANIFEST).program("bin/op", script)
}

fn publishing(repository: &Repository) -> Deployment {
    deployment().publish().variable("PATH", repository.path_variable("bin")).folder(repository)
}

/// Runs the program, which cannot read the secret, and returns the log. Asserts exit code 2 and no request.
async fn log_of_rejected_run(run: Deployment) -> String {
    let server = gitbook().await;
    let finished = run.with_endpoint(&server.uri()).run().await;
    assert_eq!(finished.code, Some(2), "{finished:#?}");
    assert_eq!(server.requests().await, [""; 0]);
    finished.log()
}

#[tokio::test]
async fn reads_a_secret_from_1password() {
    let server = gitbook().await;
    let repository = repository_with_op("printf '%s\\n' \"hush-$*\"");
    let finished = publishing(&repository).with_endpoint(&server.uri()).run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert_eq!(server.body().await["secrets"], json!({"KEY": "hush-read op://vault/item/field"}));
    assert!(!finished.everything().contains("hush-read"), "{finished:#?}");
}

#[tokio::test]
async fn op_does_not_receive_the_tokens() {
    let server = gitbook().await;
    let repository = repository_with_op("env > \"$SEEN\"; echo hush-hush");
    let seen = repository.path("seen");
    let run = publishing(&repository)
        .with_endpoint(&server.uri())
        .variable("SEEN", seen.to_str().unwrap())
        .variable("OP_SERVICE_ACCOUNT_TOKEN", "of-1password")
        .variable("GITHUB_TOKEN", "of-github")
        .variable("GITLAB_TOKEN", "of-gitlab");
    assert_eq!(run.run().await.code, Some(0));
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("OP_SERVICE_ACCOUNT_TOKEN=of-1password"), "{seen}");
    for token in [TOKEN, "GITBOOK_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN"] {
        assert!(!seen.contains(token), "{token}: {seen}");
    }
}

#[tokio::test]
async fn reports_the_error_of_op() {
    let repository = repository_with_op("echo '[ERROR] not signed in' >&2; echo 'more' >&2; exit 6");
    insta::assert_snapshot!(log_of_rejected_run(publishing(&repository)).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: [ERROR] not signed in
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: sign in to 1Password or set `OP_SERVICE_ACCOUNT_TOKEN`, and check `op://vault/item/field`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    let repository = repository_with_op("exit 6");
    insta::assert_snapshot!(log_of_rejected_run(publishing(&repository)).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: exit status: 6
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: sign in to 1Password or set `OP_SERVICE_ACCOUNT_TOKEN`, and check `op://vault/item/field`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn reports_an_empty_secret() {
    insta::assert_snapshot!(log_of_rejected_run(publishing(&repository_with_op("echo"))).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: the output is empty
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: check the field in 1Password
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn reports_that_op_is_not_installed() {
    let repository = repository().manifest(".", "hello", MANIFEST);
    let run = publishing(&repository).variable("PATH", repository.path("nowhere").to_str().unwrap());
    insta::assert_snapshot!(log_of_rejected_run(run).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: `op` is not on `PATH`
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: install the 1Password CLI `op`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn does_not_read_secrets_in_check_mode() {
    let repository = repository_with_op("touch \"$SEEN\"; exit 1");
    let seen = repository.path("seen");
    let run = publishing(&repository).variable("GITBOOK_MODE", "check");
    let finished = run.variable("SEEN", seen.to_str().unwrap()).run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    assert!(!seen.exists());
}
