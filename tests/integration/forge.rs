//! Requests to a fake GitHub.

mod authors;
mod comment;
mod deployments;
mod faults;
mod races;
mod sweep;

use crate::support::{Deployment, Sandbox, deployment, payloads};
use fake_github::FakeGitHub;

/// Returns a commit hash that repeats one digit.
fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// Returns a run on an event of pull request 12 from the branch `fix`.
fn on_pull_request(
    action: &str,
    commit: char,
    run: u64,
    gitbook: &Sandbox,
    forge: &FakeGitHub,
) -> Deployment {
    let payload = payloads::pull_request(action, 12, "fix", &sha(commit));
    deployment()
        .on_github_event("pull_request", &payload, run)
        .with_endpoint(gitbook.endpoint())
        .with_forge(forge)
}
