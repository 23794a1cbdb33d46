//! Runs of GitHub Actions for tests: the examples of `@octokit/webhooks-examples`, and what is derived from them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Ci;
use crate::environment::Environment;

const INDEX: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/contract/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
);

static EXAMPLES: LazyLock<BTreeMap<String, Vec<Value>>> = LazyLock::new(|| {
    let text = std::fs::read(INDEX)
        .expect("run `npm ci --ignore-scripts` in tests/contract (scripts/test does): no webhooks-examples");
    let index: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let entry = |event: &Value| {
        (event["name"].as_str().unwrap().to_owned(), event["examples"].as_array().unwrap().clone())
    };
    index.iter().map(entry).collect()
});

/// The head commit of the package's pull requests.
pub(crate) const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
/// The commit of the package's pushes.
pub(crate) const PUSHED: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
/// What `GITHUB_SHA` is here: on pull requests a merge commit, on deletes another branch's.
pub(crate) const GITHUB_SHA: &str = "5555555555555555555555555555555555555555";
/// What stands for no commit.
pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

/// The names of all events that the package has.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    EXAMPLES.keys().map(String::as_str)
}

/// The examples of one event.
pub(crate) fn examples(event: &str) -> &'static [Value] {
    &EXAMPLES[event]
}

/// A run of a workflow: its variables and its event file.
#[derive(Clone)]
pub(crate) struct Run {
    payload: Value,
    variables: BTreeMap<String, String>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payload has some hundred lines.
        self.variables.fmt(f)
    }
}

impl Run {
    /// A run on an event, with the variables that the runner sets.
    pub(crate) fn on(event: &str, payload: &Value) -> Self {
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

    /// A run on one of the package's examples.
    pub(crate) fn example(event: &str, index: usize) -> Self {
        Self::on(event, &examples(event)[index])
    }

    /// The same with another variable; an empty one is unset.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// The same with other variables.
    pub(crate) fn with_all(self, variables: &[(&str, &str)]) -> Self {
        variables.iter().fold(self, |run, (variable, value)| run.with(variable, value))
    }

    /// The same with another value in the payload, at a JSON pointer whose parent exists.
    pub(crate) fn edit(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = self.payload.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.expect(pointer).insert(key.to_owned(), value.into());
        self
    }

    /// What is found out with this payload in the event file.
    pub(crate) fn ci(&self) -> Result<Ci, String> {
        self.ci_of_file(self.payload.to_string().as_bytes())
    }

    /// What is found out with these bytes in the event file.
    pub(crate) fn ci_of_file(&self, bytes: &[u8]) -> Result<Ci, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        self.clone().with("GITHUB_EVENT_PATH", file.path().to_str().unwrap()).ci_of_variables()
    }

    /// What the error is caused by that this payload in the event file gives.
    pub(crate) fn cause(&self) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.payload.to_string()).unwrap();
        let run = self.clone().with("GITHUB_EVENT_PATH", file.path().to_str().unwrap());
        let error = super::detect(&run.environment()).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    }

    /// What is found out with the variables as they are.
    pub(crate) fn ci_of_variables(&self) -> Result<Ci, String> {
        super::detect(&self.environment()).map_err(|error| format!("{error} ({})", error.hint()))
    }

    /// Its variables.
    pub(crate) fn environment(&self) -> Environment {
        let variables: Vec<_> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Environment::of(&variables)
    }
}

// What follows is derived: the package has no example of it.

/// Derived: a push to a branch.
pub(crate) fn push_to(branch: &str) -> Run {
    let reference = format!("refs/heads/{branch}");
    Run::example("push", 4).edit("/ref", reference.as_str()).with("GITHUB_REF", &reference)
}

/// Derived: a push that deletes a branch. The documentation says that its `GITHUB_REF` is the default branch.
pub(crate) fn push_deleting(branch: &str) -> Run {
    push_to(branch)
        .edit("/deleted", true)
        .edit("/after", ZERO)
        .edit("/head_commit", Value::Null)
        .with("GITHUB_REF", "refs/heads/master")
}

/// Derived: the `delete` event of a branch, which runs on the default branch.
pub(crate) fn delete_of(branch: &str) -> Run {
    Run::example("delete", 0).edit("/ref", branch).edit("/ref_type", "branch")
}

/// Derived: a pull request number of a branch of the repository itself.
pub(crate) fn pull_request(action: &str, number: u64, branch: &str) -> Run {
    let base = Run::example("pull_request", 0)
        .edit("/action", action)
        .edit("/number", number)
        .edit("/pull_request/number", number)
        .edit("/pull_request/head/ref", branch)
        .edit("/pull_request/head/label", format!("Codertocat:{branch}"));
    base.with("GITHUB_REF", &format!("refs/pull/{number}/merge")).with("GITHUB_HEAD_REF", branch)
}

/// Derived: a pull request that was merged. Its `GITHUB_REF` is the base branch.
pub(crate) fn merged(number: u64, branch: &str) -> Run {
    pull_request("closed", number, branch)
        .edit("/pull_request/merged", true)
        .edit("/pull_request/merge_commit_sha", GITHUB_SHA)
        .with("GITHUB_REF", "refs/heads/master")
        .with("GITHUB_REF_NAME", "master")
}

/// Derived: a pull request from the fork that `mona` has.
pub(crate) fn of_fork(action: &str, number: u64, branch: &str) -> Run {
    pull_request(action, number, branch)
        .edit("/pull_request/head/repo/id", 999)
        .edit("/pull_request/head/repo/fork", true)
        .edit("/pull_request/head/repo/full_name", "mona/Hello-World")
        .edit("/pull_request/head/repo/owner/login", "mona")
        .edit("/pull_request/head/user/login", "mona")
        .edit("/pull_request/head/label", format!("mona:{branch}"))
        .edit("/pull_request/user/login", "mona")
}

/// Derived: a pull request whose fork is gone.
pub(crate) fn of_lost_fork(action: &str, number: u64, branch: &str) -> Run {
    of_fork(action, number, branch).edit("/pull_request/head/repo", Value::Null)
}

/// Derived: a pull request that Dependabot opened.
pub(crate) fn of_dependabot(action: &str) -> Run {
    pull_request(action, 3, "dependabot/npm_and_yarn/left-pad-2.0.0")
        .edit("/pull_request/user/login", "dependabot[bot]")
        .with("GITHUB_ACTOR", "dependabot[bot]")
}

/// Derived: the same pull request as a `pull_request_target`, whose `GITHUB_REF` is the base branch.
pub(crate) fn as_base(run: Run) -> Run {
    run.with_all(&[
        ("GITHUB_EVENT_NAME", "pull_request_target"),
        ("GITHUB_REF", "refs/heads/master"),
        ("GITHUB_REF_NAME", "master"),
    ])
}

/// Derived: a scheduled run.
pub(crate) fn schedule() -> Run {
    let repository = &examples("push")[4]["repository"];
    Run::on("schedule", &json!({"schedule": "0 4 * * *", "repository": repository}))
}

/// Derived: a run that somebody started on a branch or tag, by its full name.
pub(crate) fn manual(reference: &str) -> Run {
    Run::example("workflow_dispatch", 1).edit("/ref", reference).with("GITHUB_REF", reference)
}
