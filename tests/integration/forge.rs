//! Requests to the forge.

mod authors;
mod comment;
mod deployments;
mod faults;
mod races;
mod sweep;

use crate::support::{Deployment, Sandbox, deployment, payloads};
use fake_github::FakeGitHub;

/// Returns a commit for a digit.
fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// Returns a run on a pull request from `fix`.
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
