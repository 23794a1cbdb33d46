//! Injection tests. Hostile strings from one corpus are put into every external field. Each output is then parsed with the rules
//! of the system that reads it, and searched for secrets.

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

/// The log formats, which are values of `GITBOOK_LOG_FORMAT`.
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
    assert!(effects.is_empty(), "{all} injections took effect:\n{}", effects.join("\n"));
}
