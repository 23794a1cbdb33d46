//! Races between runs: each test lets two runs of the program really interleave.

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

/// A forge and a GitBook, and a checkout of each commit.
struct TestEnvironment {
    forge: FakeGitHub,
    sandbox: Sandbox,
    gitbook: HoldingProxy,
    checkouts: Repository,
}

/// Nothing is published yet, and no branch is there but `main`.
async fn set_up() -> TestEnvironment {
    let sandbox = Sandbox::start().await;
    let gitbook = HoldingProxy::before(&sandbox).await;
    let checkouts = ['1', '2', '3'].into_iter().fold(repository(), |checkouts, commit| {
        let script = format!("export default {commit};\n");
        checkouts.manifest(&commit.to_string(), "hello", "").file(&format!("{commit}/main.ts"), script)
    });
    TestEnvironment { forge: FakeGitHub::start().await, sandbox, gitbook, checkouts }
}

/// The same with pull request 12, from `fix`, whose head is commit 1.
async fn with_pull_request() -> TestEnvironment {
    let environment = set_up().await;
    environment.forge.open_pull_request(12, Head::own("fix"), &sha('1'));
    environment
}

/// The same with the branch `fix`, whose tip is commit 1.
async fn with_branch() -> TestEnvironment {
    let environment = set_up().await;
    environment.forge.set_branch("fix", &sha('1'));
    environment
}

impl TestEnvironment {
    /// A run on a push to a branch.
    fn push(&self, branch: &str, commit: char, run: u64) -> Deployment {
        self.run("push", &payloads::push(branch, &sha(commit)), commit, run)
    }

    /// A run on something that happened to pull request 12.
    fn pull_request(&self, action: &str, commit: char, run: u64) -> Deployment {
        self.numbered(12, action, commit, run)
    }

    /// A run on something that happened to a pull request from `fix`.
    fn numbered(&self, number: u64, action: &str, commit: char, run: u64) -> Deployment {
        let payload = payloads::pull_request(action, number, "fix", &sha(commit));
        self.run("pull_request", &payload, commit, run)
    }

    /// A run on the deletion of a branch, on the default branch's checkout.
    fn delete(&self, branch: &str, run: u64) -> Deployment {
        self.run("delete", &payloads::delete(branch), '1', run)
    }

    fn run(&self, event: &str, payload: &Value, commit: char, run: u64) -> Deployment {
        deployment()
            .on_github_event(event, payload, run)
            .against(self.gitbook.endpoint())
            .with_forge(&self.forge)
            .variable("GITBOOK_LOG_FORMAT", "text")
            .folder(self.checkouts.path(&commit.to_string()))
    }

    /// Each integration that is published, with the commit and the run that its mark names.
    fn published(&self) -> Vec<String> {
        let published = |name: String| {
            let integration = self.sandbox.integration(&name);
            match integration["summary"].as_str().and_then(|summary| summary.split_once(" commit=")) {
                Some((_, mark)) => format!("{name}: commit {}, run {}", &mark[..1], number(mark, " run=")),
                None => name,
            }
        };
        self.sandbox.names().into_iter().map(published).collect()
    }

    /// Each deployment's environment, its commit and its states.
    fn deployments(&self) -> Vec<String> {
        let outcome = |deployment: &fake_github::Deployment| {
            let states: Vec<_> = deployment.statuses.iter().map(|status| status.state.as_str()).collect();
            format!("{}, commit {}: {}", deployment.environment, &deployment.sha[..1], states.join(", "))
        };
        self.forge.deployments().iter().map(outcome).collect()
    }

    /// The rows of the comment on pull request 12, as they read.
    fn comment(&self) -> Vec<String> {
        let comments = self.forge.comments(12);
        assert!(comments.len() <= 1, "{comments:#?}");
        let lines = comments.iter().flat_map(|comment| comment.body.lines());
        let rows = lines.filter(|line| line.starts_with("| ") && line.contains("hello"));
        rows.map(|row| row[2..].split(" | ").take(2).collect::<Vec<_>>().join(": ")).collect()
    }
}

fn number<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split(' ').next().unwrap()
}

/// That all went well, and the output `result`.
#[track_caller]
fn result(finished: &Finished) -> String {
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    let result = finished.output("result");
    let integrations = finished.integrations();
    let each = integrations.as_array().unwrap().iter();
    assert!(each.clone().count() == 1 && each.clone().all(|each| each["result"] == *result), "{finished:#?}");
    result
}

/// The log without what hides the tokens, and without the sandbox's folder.
fn log(finished: &Finished) -> String {
    let log = finished.log();
    let lines = log.lines().filter(|line| !line.starts_with("::add-mask::"));
    let lines: Vec<_> = lines.map(|line| line.split(" url=file:").next().unwrap_or_default()).collect();
    lines.join("\n")
}
