//! Before anything is sent.

use super::{Started, World, cancelled};
use crate::support::{Repository, until};

/// A run whose second integration waits for a program that gives it a secret, for ever.
async fn waiting_for_a_secret(change: fn(Repository) -> Repository) -> Started {
    let world = World::new().await;
    let more = "secrets: {KEY: \"${{ op://vault/item/field }}\"}\n";
    let repository = world.repository.manifest("two", "two", more);
    let repository = change(repository.program("bin/op", "echo $$ > op.pid\nexec sleep 50"));
    let world = World { repository, ..world };
    let run = world.push().variable("PATH", world.repository.path_variable("bin"));
    let run = run.variable("GITBOOK_CONCURRENCY", "2").starts();
    until("op runs", async || world.repository.path("op.pid").exists()).await;
    Started::new(world, run)
}

#[tokio::test]
async fn a_program_that_gives_a_secret() {
    let told = cancelled(async || waiting_for_a_secret(|repository| repository).await).await;
    insta::assert_snapshot!(told, @"
    result failed
    warning: SIG…: no new work is started
    error: cancelled by SIG…
     hint: what was done until then is in the outputs; running again is safe
    ");
}

/// The first integration is large, so that its bundler is in the middle of it.
#[tokio::test]
async fn a_bundle_that_takes_long() {
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
    let told = cancelled(async || waiting_for_a_secret(large).await).await;
    insta::assert_snapshot!(told, @"
    result failed
    warning: SIG…: no new work is started
    error: cancelled by SIG…
     hint: what was done until then is in the outputs; running again is safe
    ");
}
