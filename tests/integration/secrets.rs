//! Secrets from 1Password, by way of a program called `op`.
#![cfg(unix)]

use serde_json::json;

use crate::support::{Deployment, Recorded as _, Repository, TOKEN, deployment, gitbook, repository};

const MANIFEST: &str = "secrets:\n  KEY: ${{ op://vault/item/field }}\n";

/// A repository with a program in the place of `op`.
fn with_op(script: &str) -> Repository {
    repository().manifest(".", "hello", MANIFEST).program("bin/op", script)
}

fn publishing(repository: &Repository) -> Deployment {
    deployment().publish().variable("PATH", repository.path_variable("bin")).folder(repository)
}

/// The log of a run that can't get its secret: exit code 2, and nothing was sent.
async fn refused(run: Deployment) -> String {
    let server = gitbook().await;
    let ended = run.against(&server.uri()).runs().await;
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert_eq!(server.asked().await, [""; 0]);
    ended.log()
}

#[tokio::test]
async fn a_secret_is_read_from_1password_and_shown_nowhere() {
    let server = gitbook().await;
    let repository = with_op("printf '%s\\n' \"hush-$*\"");
    let ended = publishing(&repository).against(&server.uri()).runs().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(server.body().await["secrets"], json!({"KEY": "hush-read op://vault/item/field"}));
    assert!(!ended.everything().contains("hush-read"), "{ended:#?}");
}

#[tokio::test]
async fn the_program_is_given_the_environment_without_our_tokens() {
    let server = gitbook().await;
    let repository = with_op("env > \"$SEEN\"; echo hush-hush");
    let seen = repository.path("seen");
    let run = publishing(&repository)
        .against(&server.uri())
        .variable("SEEN", seen.to_str().unwrap())
        .variable("OP_SERVICE_ACCOUNT_TOKEN", "of-1password")
        .variable("GITHUB_TOKEN", "of-github")
        .variable("GITLAB_TOKEN", "of-gitlab");
    assert_eq!(run.runs().await.code, Some(0));
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("OP_SERVICE_ACCOUNT_TOKEN=of-1password"), "{seen}");
    for token in [TOKEN, "GITBOOK_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN"] {
        assert!(!seen.contains(token), "{token}: {seen}");
    }
}

#[tokio::test]
async fn a_program_that_fails_is_told_with_what_it_said() {
    let repository = with_op("echo '[ERROR] not signed in' >&2; echo 'more' >&2; exit 6");
    insta::assert_snapshot!(refused(publishing(&repository)).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: [ERROR] not signed in
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: install the 1Password CLI `op` and sign in; in CI, set `OP_SERVICE_ACCOUNT_TOKEN`
    error: invalid integrations: 1 error in 1 file; nothing was sent
    ");
    let repository = with_op("exit 6");
    insta::assert_snapshot!(refused(publishing(&repository)).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: exit status: 6
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: install the 1Password CLI `op` and sign in; in CI, set `OP_SERVICE_ACCOUNT_TOKEN`
    error: invalid integrations: 1 error in 1 file; nothing was sent
    ");
}

#[tokio::test]
async fn a_program_that_answers_nothing_is_told() {
    insta::assert_snapshot!(refused(publishing(&with_op("echo"))).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: the output is empty
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: install the 1Password CLI `op` and sign in; in CI, set `OP_SERVICE_ACCOUNT_TOKEN`
    error: invalid integrations: 1 error in 1 file; nothing was sent
    ");
}

#[tokio::test]
async fn a_program_that_is_not_installed_is_told() {
    let repository = repository().manifest(".", "hello", MANIFEST);
    let run = publishing(&repository).variable("PATH", repository.path("nowhere").to_str().unwrap());
    insta::assert_snapshot!(refused(run).await, @"
    exit 2
    error: `secrets.KEY`: `op read op://vault/item/field` failed: `op` is not on `PATH`
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ op://vault/item/field }}
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: install the 1Password CLI `op` and sign in; in CI, set `OP_SERVICE_ACCOUNT_TOKEN`
    error: invalid integrations: 1 error in 1 file; nothing was sent
    ");
}

#[tokio::test]
async fn a_check_asks_for_no_secret() {
    let repository = with_op("touch \"$SEEN\"; exit 1");
    let seen = repository.path("seen");
    let run = publishing(&repository).variable("GITBOOK_MODE", "check");
    let ended = run.variable("SEEN", seen.to_str().unwrap()).runs().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(!seen.exists());
}
