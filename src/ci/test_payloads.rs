//! Creates workflow runs for tests from the examples of the npm package `@octokit/webhooks-examples` and from variations of the
//! examples.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Ci;
use crate::environment::Environment;

const EXAMPLES_INDEX: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/contract/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
);

static EXAMPLES: LazyLock<BTreeMap<String, Vec<Value>>> = LazyLock::new(|| {
    let text = std::fs::read(EXAMPLES_INDEX)
        .expect("run `npm ci --ignore-scripts` in tests/contract (scripts/test does): no webhooks-examples");
    let index: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let entry = |event: &Value| {
        (event["name"].as_str().unwrap().to_owned(), event["examples"].as_array().unwrap().clone())
    };
    index.iter().map(entry).collect()
});

/// The head commit of the pull requests in the package's examples.
pub(crate) const HEAD_COMMIT: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
/// The commit of the pushes in the package's examples.
pub(crate) const PUSHED_COMMIT: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
/// The value of `GITHUB_SHA`: a merge commit for pull requests, and a commit of another branch for deletions.
pub(crate) const GITHUB_SHA: &str = "5555555555555555555555555555555555555555";
/// The commit ID that means "no commit".
pub(crate) const ZERO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Returns the names of the events with examples in the package.
pub(crate) fn event_names() -> impl Iterator<Item = &'static str> {
    EXAMPLES.keys().map(String::as_str)
}

/// Returns the package's example payloads of an event.
pub(crate) fn examples(event: &str) -> &'static [Value] {
    &EXAMPLES[event]
}

/// The variables and the event file of a workflow run.
#[derive(Clone)]
pub(crate) struct WorkflowRun {
    payload: Value,
    variables: BTreeMap<String, String>,
}

impl fmt::Debug for WorkflowRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payload has hundreds of lines.
        self.variables.fmt(f)
    }
}

impl WorkflowRun {
    /// Creates a run for an event, with the variables that the runner sets.
    pub(crate) fn for_event(event: &str, payload: &Value) -> Self {
        let run = Self { payload: payload.clone(), variables: BTreeMap::new() };
        let default = payload["repository"]["default_branch"].as_str().unwrap_or("main");
        let run = run
            .with("CI", "true")
            .with("GITHUB_ACTIONS", "true")
            .with("GITHUB_ACTOR", payload["sender"]["login"].as_str().unwrap_or_default())
            .with("GITHUB_EVENT_NAME", event)
            .with("GITHUB_REPOSITORY", payload["repository"]["full_name"].as_str().unwrap_or_default())
            .with("GITHUB_RUN_ID", "1000")
            .with("GITHUB_RUN_NUMBER", "7")
            .with("GITHUB_SERVER_URL", "https://github.com")
            .with("GITHUB_SHA", GITHUB_SHA);
        match event {
            "push" => run.with("GITHUB_REF", payload["ref"].as_str().unwrap()),
            "pull_request" => run
                .with("GITHUB_REF", &format!("refs/pull/{}/merge", payload["number"]))
                .with("GITHUB_REF_NAME", &format!("{}/merge", payload["number"]))
                .with("GITHUB_HEAD_REF", payload["pull_request"]["head"]["ref"].as_str().unwrap())
                .with("GITHUB_BASE_REF", default),
            _ => run.with("GITHUB_REF", &format!("refs/heads/{default}")).with("GITHUB_REF_NAME", default),
        }
    }

    /// Creates a run from an example of the package.
    pub(crate) fn example(event: &str, index: usize) -> Self {
        Self::for_event(event, &examples(event)[index])
    }

    /// Sets a variable. An empty value unsets it.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Sets several variables.
    pub(crate) fn with_all(self, variables: &[(&str, &str)]) -> Self {
        variables.iter().fold(self, |run, (variable, value)| run.with(variable, value))
    }

    /// Sets a value in the payload at a JSON pointer. The parent must exist.
    pub(crate) fn edit_payload(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = self.payload.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.expect(pointer).insert(key.to_owned(), value.into());
        self
    }

    /// Detects the event with the payload as the event file.
    pub(crate) fn ci(&self) -> Result<Ci, String> {
        self.ci_with_event_file(self.payload.to_string().as_bytes())
    }

    /// Detects the event with these bytes as the event file.
    pub(crate) fn ci_with_event_file(&self, bytes: &[u8]) -> Result<Ci, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        self.clone().with("GITHUB_EVENT_PATH", file.path().to_str().unwrap()).ci_without_event_file()
    }

    /// Returns the cause of the error in detecting the event.
    pub(crate) fn detection_error(&self) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.payload.to_string()).unwrap();
        let run = self.clone().with("GITHUB_EVENT_PATH", file.path().to_str().unwrap());
        let error = super::detect(&run.environment()).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    }

    /// Detects the event from the variables, without an event file.
    pub(crate) fn ci_without_event_file(&self) -> Result<Ci, String> {
        super::detect(&self.environment()).map_err(|error| format!("{error} ({})", error.hint()))
    }

    /// Returns the variables as an environment.
    pub(crate) fn environment(&self) -> Environment {
        let variables: Vec<_> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Environment::of(&variables)
    }
}

// The package has no examples of the following runs, so they are derived from other examples.

/// Creates a push to a branch.
pub(crate) fn push_to(branch: &str) -> WorkflowRun {
    let reference = format!("refs/heads/{branch}");
    WorkflowRun::example("push", 4).edit_payload("/ref", reference.as_str()).with("GITHUB_REF", &reference)
}

/// Creates a push that deletes a branch. According to the documentation, `GITHUB_REF` is the default branch.
pub(crate) fn push_that_deletes(branch: &str) -> WorkflowRun {
    push_to(branch)
        .edit_payload("/deleted", true)
        .edit_payload("/after", ZERO_COMMIT)
        .edit_payload("/head_commit", Value::Null)
        .with("GITHUB_REF", "refs/heads/master")
}

/// Creates the `delete` event of a branch. The run uses the default branch.
pub(crate) fn delete_event(branch: &str) -> WorkflowRun {
    WorkflowRun::example("delete", 0).edit_payload("/ref", branch).edit_payload("/ref_type", "branch")
}

/// Creates a pull request from a branch of the repository itself.
pub(crate) fn pull_request(action: &str, number: u64, branch: &str) -> WorkflowRun {
    let base = WorkflowRun::example("pull_request", 0)
        .edit_payload("/action", action)
        .edit_payload("/number", number)
        .edit_payload("/pull_request/number", number)
        .edit_payload("/pull_request/head/ref", branch)
        .edit_payload("/pull_request/head/label", format!("Codertocat:{branch}"));
    base.with("GITHUB_REF", &format!("refs/pull/{number}/merge")).with("GITHUB_HEAD_REF", branch)
}

/// Creates a merged pull request. `GITHUB_REF` is the base branch.
pub(crate) fn merged_pull_request(number: u64, branch: &str) -> WorkflowRun {
    pull_request("closed", number, branch)
        .edit_payload("/pull_request/merged", true)
        .edit_payload("/pull_request/merge_commit_sha", GITHUB_SHA)
        .with("GITHUB_REF", "refs/heads/master")
        .with("GITHUB_REF_NAME", "master")
}

/// Creates a pull request from a fork that `mona` owns.
pub(crate) fn pull_request_from_fork(action: &str, number: u64, branch: &str) -> WorkflowRun {
    pull_request(action, number, branch)
        .edit_payload("/pull_request/head/repo/id", 999)
        .edit_payload("/pull_request/head/repo/fork", true)
        .edit_payload("/pull_request/head/repo/full_name", "mona/Hello-World")
        .edit_payload("/pull_request/head/repo/owner/login", "mona")
        .edit_payload("/pull_request/head/user/login", "mona")
        .edit_payload("/pull_request/head/label", format!("mona:{branch}"))
        .edit_payload("/pull_request/user/login", "mona")
}

/// Creates a pull request from a deleted fork.
pub(crate) fn pull_request_from_deleted_fork(action: &str, number: u64, branch: &str) -> WorkflowRun {
    pull_request_from_fork(action, number, branch).edit_payload("/pull_request/head/repo", Value::Null)
}

/// Creates a pull request by Dependabot.
pub(crate) fn dependabot_pull_request(action: &str) -> WorkflowRun {
    pull_request(action, 3, "dependabot/npm_and_yarn/left-pad-2.0.0")
        .edit_payload("/pull_request/user/login", "dependabot[bot]")
        .with("GITHUB_ACTOR", "dependabot[bot]")
}

/// Changes the event of a pull request to `pull_request_target`. `GITHUB_REF` is the base branch.
pub(crate) fn as_pull_request_target(run: WorkflowRun) -> WorkflowRun {
    run.with_all(&[
        ("GITHUB_EVENT_NAME", "pull_request_target"),
        ("GITHUB_REF", "refs/heads/master"),
        ("GITHUB_REF_NAME", "master"),
    ])
}

/// Creates a scheduled run.
pub(crate) fn scheduled_run() -> WorkflowRun {
    let repository = &examples("push")[4]["repository"];
    WorkflowRun::for_event("schedule", &json!({"schedule": "0 4 * * *", "repository": repository}))
}

/// Creates a manual run on a branch or tag. `reference` is the full name, such as `refs/heads/main`.
pub(crate) fn manual_run(reference: &str) -> WorkflowRun {
    WorkflowRun::example("workflow_dispatch", 1).edit_payload("/ref", reference).with("GITHUB_REF", reference)
}
