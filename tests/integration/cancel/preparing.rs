//! Signals before the first request.

use super::{Started, TestEnvironment, cancelled};
use crate::support::{Repository, until};

/// Returns a run with a secret program that never exits, for the second integration.
async fn waiting_for_a_secret(change: fn(Repository) -> Repository) -> Started {
    let environment = TestEnvironment::new().await;
    let more = "secrets: {KEY: \"${{ op://vault/item/field }}\"}\n";
    let repository = environment.repository.manifest("two", "two", more);
    let repository = change(repository.program("bin/op", "echo $$ > op.pid\nexec sleep 50"));
    let environment = TestEnvironment { repository, ..environment };
    let run = environment.push().variable("PATH", environment.repository.path_variable("bin"));
    let run = run.variable("GITBOOK_CONCURRENCY", "2").start();
    until("op runs", async || environment.repository.path("op.pid").exists()).await;
    Started::new(environment, run)
}

#[tokio::test]
async fn cancels_a_secret_program() {
    let outcome = cancelled(async || waiting_for_a_secret(|repository| repository).await).await;
    insta::assert_snapshot!(outcome, @"
    result failed
    warning: received SIG…: no new work is started
    error: cancelled by SIG…
    ");
}

/// The first integration is large, so the bundler is still running.
#[tokio::test]
async fn cancels_bundling() {
    let large = |repository: Repository| {
        let mut main = String::new();
        let repository = (0..400).fold(repository, |repository, number| {
            main.push_str(&format!("export * from './{number}.ts';\n"));
            let line = format!("export const a{number} = (x: number) => [x, x + 1, `${{x}}`];\n");
            let more: String = (0..100).map(|i| line.replace(" = ", &format!("_{i} = "))).collect();
            repository.file(&format!("one/{number}.ts"), more)
        });
        repository.file("one/main.ts", main)
    };
    let outcome = cancelled(async || waiting_for_a_secret(large).await).await;
    insta::assert_snapshot!(outcome, @"
    result failed
    warning: received SIG…: no new work is started
    error: cancelled by SIG…
    ");
}
