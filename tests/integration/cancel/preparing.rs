//! Signals before the first request.

use super::{StartedRun, TestEnvironment, outcome_for_all_signals};
use crate::support::{Repository, wait_until};

/// Starts a run in which `op`, the program that reads a secret of the second integration, does not exit.
async fn start_with_hanging_op(change_repository: fn(Repository) -> Repository) -> StartedRun {
    let environment = TestEnvironment::new().await;
    let secrets = "secrets: {KEY: \"${{ op://vault/item/field }}\"}\n";
    let repository = environment.repository.manifest("two", "two", secrets);
    let repository = change_repository(repository.program("bin/op", "echo $$ > op.pid\nexec sleep 50"));
    let environment = TestEnvironment { repository, ..environment };
    let run = environment.push().variable("PATH", environment.repository.path_variable("bin"));
    let run = run.variable("GITBOOK_CONCURRENCY", "2").start();
    wait_until("`op` starts", async || environment.repository.path("op.pid").exists()).await;
    StartedRun::new(environment, run)
}

#[tokio::test]
async fn cancels_while_op_reads_a_secret() {
    let outcome =
        outcome_for_all_signals(async || start_with_hanging_op(|repository| repository).await).await;
    insta::assert_snapshot!(outcome, @"
    result failed
    warning: received SIG…: starting no new work
    error: cancelled by SIG…
    ");
}

/// The first integration is large, so the bundler still runs when the signal arrives.
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
    let outcome = outcome_for_all_signals(async || start_with_hanging_op(large).await).await;
    insta::assert_snapshot!(outcome, @"
    result failed
    warning: received SIG…: starting no new work
    error: cancelled by SIG…
    ");
}
