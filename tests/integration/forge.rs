//! What the forge is asked and told.

mod authors;
mod comment;
mod deployments;
mod faults;
mod races;
mod sweep;

use crate::support::{Deployment, Sandbox, deployment, payloads};
use fake_github::FakeGitHub;

/// A commit for each digit.
fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// A run on a pull request from `fix`, against a sandbox and a forge.
fn on_pull_request(
    action: &str,
    commit: char,
    run: u64,
    gitbook: &Sandbox,
    forge: &FakeGitHub,
) -> Deployment {
    let payload = payloads::pull_request(action, 12, "fix", &sha(commit));
    deployment().on_github_event("pull_request", &payload, run).against(gitbook.endpoint()).with_forge(forge)
}
