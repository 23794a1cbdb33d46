//! Injection tests: one corpus of hostile strings goes through every external field, and every output is
//! parsed as its system parses it. All outputs are searched for secrets.

mod answers;
mod checks;
mod corpus;
mod events;
mod files;
mod manifests;
mod markdown;
mod packages;
mod pies;
#[cfg(unix)]
mod repositories;
mod runner;
mod secrets;
mod terminal;

use checks::Written;

/// The formats of the log.
const FORMATS: [&str; 3] = ["github", "text", "json"];

/// Asserts that no output contains an injection.
fn assert_nothing_injected(written: &[Written]) {
    let (mut sinks, mut effects) = (0, Vec::new());
    for run in written {
        let (read, found) = run.check();
        sinks += read;
        effects.extend(found);
    }
    assert!(sinks >= 6 * written.len(), "{} runs, {sinks} sinks", written.len());
    let all = effects.len();
    effects.truncate(25);
    assert!(effects.is_empty(), "{all} acts:\n{}", effects.join("\n"));
}
