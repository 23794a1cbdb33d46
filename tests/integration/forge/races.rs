//! Races between two concurrent runs of the program.

mod answers;
mod closed;
mod commits;
mod forge_errors;
mod reopened;
mod superseded;
mod third_party;
mod without_token;

use fake_github::{FakeGitHub, Head};
use serde_json::Value;

use super::sha;
use crate::support::{
    Deployment, Finished, HoldingProxy, Repository, Sandbox, deployment, payloads, repository,
};

/// A forge, a GitBook and a checkout of each of three commits.
struct TestEnvironment {
    forge: FakeGitHub,
    sandbox: Sandbox,
    gitbook: HoldingProxy,
    checkouts: Repository,
}

/// Returns an environment with the branch `main` and no integrations.
async fn set_up() -> TestEnvironment {
    let sandbox = Sandbox::start().await;
    let gitbook = HoldingProxy::before(&sandbox).await;
    let checkouts = ['1', '2', '3'].into_iter().fold(repository(), |checkouts, commit| {
        let script = format!("export default {commit};\n");
        checkouts.manifest(&commit.to_string(), "hello", "").file(&format!("{commit}/main.ts"), script)
    });
    TestEnvironment { forge: FakeGitHub::start().await, sandbox, gitbook, checkouts }
}

/// Returns an environment with pull request 12 from `fix` at commit 1.
async fn with_pull_request() -> TestEnvironment {
    let environment = set_up().await;
    environment.forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    environment
}

/// Returns an environment with the branch `fix` at commit 1.
async fn with_branch() -> TestEnvironment {
    let environment = set_up().await;
    environment.forge.set_branch("fix", &sha('1'));
    environment
}

impl TestEnvironment {
    /// Returns a run on a push to a branch.
    fn push(&self, branch: &str, commit: char, run: u64) -> Deployment {
        self.run("push", &payloads::push(branch, &sha(commit)), commit, run)
    }

    /// Returns a run on an event of pull request 12.
    fn pull_request(&self, action: &str, commit: char, run: u64) -> Deployment {
        self.numbered_pull_request(12, action, commit, run)
    }

    /// Returns a run on an event of the pull request with this number from the branch `fix`.
    fn numbered_pull_request(&self, number: u64, action: &str, commit: char, run: u64) -> Deployment {
        let payload = payloads::pull_request(action, number, "fix", &sha(commit));
        self.run("pull_request", &payload, commit, run)
    }

    /// Returns a run on the deletion of a branch.
    fn delete(&self, branch: &str, run: u64) -> Deployment {
        self.run("delete", &payloads::delete(branch), '1', run)
    }

    fn run(&self, event: &str, payload: &Value, commit: char, run: u64) -> Deployment {
        deployment()
            .on_github_event(event, payload, run)
            .with_endpoint(self.gitbook.endpoint())
            .with_forge(&self.forge)
            .variable("GITBOOK_LOG_FORMAT", "text")
            .folder(self.checkouts.path(&commit.to_string()))
    }

    /// Returns each published integration with the commit and the run in its ownership marker.
    fn published(&self) -> Vec<String> {
        let published = |name: String| {
            let integration = self.sandbox.integration(&name);
            match integration["summary"].as_str().and_then(|summary| summary.split_once(" commit=")) {
                Some((_, marker)) => {
                    format!("{name}: commit {}, run {}", &marker[..1], number_after(marker, " run="))
                }
                None => name,
            }
        };
        self.sandbox.names().into_iter().map(published).collect()
    }

    /// Returns the environment, the commit and the states of each GitHub Deployment.
    fn deployments(&self) -> Vec<String> {
        let outcome = |deployment: &fake_github::Deployment| {
            let states: Vec<_> = deployment.statuses.iter().map(|status| status.state.as_str()).collect();
            format!("{}, commit {}: {}", deployment.environment, &deployment.sha[..1], states.join(", "))
        };
        self.forge.deployments().iter().map(outcome).collect()
    }

    /// Returns the rows of the comment on pull request 12.
    fn comment(&self) -> Vec<String> {
        let comments = self.forge.comments(12);
        assert!(comments.len() <= 1, "{comments:#?}");
        let lines = comments.iter().flat_map(|comment| comment.body.lines());
        let rows = lines.filter(|line| line.starts_with("| ") && line.contains("hello"));
        rows.map(|row| row[2..].split(" | ").take(2).collect::<Vec<_>>().join(": ")).collect()
    }
}

/// Returns the number after the text `before`.
fn number_after<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split(' ').next().unwrap()
}

/// Asserts success and returns the output `result`.
#[track_caller]
fn result(finished: &Finished) -> String {
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let result = finished.output("result");
    let integrations = finished.integrations();
    let each = integrations.as_array().unwrap().iter();
    assert!(each.clone().count() == 1 && each.clone().all(|each| each["result"] == *result), "{finished:#?}");
    result
}

/// Returns the log without masks and without the sandbox's folder.
fn log(finished: &Finished) -> String {
    let log = finished.log();
    let lines = log.lines().filter(|line| !line.starts_with("::add-mask::"));
    let lines: Vec<_> = lines.map(|line| line.split(" file://").next().unwrap_or_default()).collect();
    lines.join("\n")
}
