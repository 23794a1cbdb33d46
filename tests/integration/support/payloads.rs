//! GitHub's event payloads: minimal ones, and complete ones from GitHub's recorded examples.

use std::sync::LazyLock;

use serde_json::{Value, json};

const RECORDED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/contract/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
);

/// Returns the payload of a push to a branch.
pub(crate) fn push(branch: &str, sha: &str) -> Value {
    json!({"ref": format!("refs/heads/{branch}"), "after": sha, "repository": repository()})
}

/// Returns the payload of a branch deletion.
pub(crate) fn delete(branch: &str) -> Value {
    json!({"ref": branch, "ref_type": "branch", "repository": repository()})
}

/// Returns the payload of a pull request event for a branch of the repository itself.
pub(crate) fn pull_request(action: &str, number: u64, branch: &str, sha: &str) -> Value {
    let head = json!({"ref": branch, "sha": sha, "repo": repository(), "user": {"login": "acme"}});
    with_head(action, number, &head)
}

/// Returns the payload of a pull request event for a branch of a fork.
pub(crate) fn fork_pull_request(action: &str, number: u64, owner: &str, branch: &str, sha: &str) -> Value {
    let repository =
        json!({"id": 2, "full_name": format!("{owner}/integrations"), "owner": {"login": owner}});
    let head = json!({"ref": branch, "sha": sha, "repo": repository, "user": {"login": owner}});
    with_head(action, number, &head)
}

/// GitHub's recorded payloads of pull request events.
static EXAMPLES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let index = std::fs::read_to_string(RECORDED)
        .expect("run `npm ci --ignore-scripts` in tests/contract (scripts/test does): no webhooks-examples");
    let ours = index.replace("Codertocat", "acme").replace("Hello-World", "integrations");
    let events: Vec<Value> = serde_json::from_str(&ours).unwrap();
    let pull_requests = events.iter().find(|event| event["name"] == "pull_request").unwrap();
    pull_requests["examples"].as_array().unwrap().clone()
});

/// Returns a recorded payload, changed to pull request 12 from the branch `fix` of the test repository.
pub(crate) fn recorded(action: &str, sha: &str) -> Value {
    let mut payload = EXAMPLES.iter().find(|example| example["action"] == action).unwrap().clone();
    payload["number"] = 12.into();
    payload["repository"]["default_branch"] = "main".into();
    let pull_request = &mut payload["pull_request"];
    pull_request["number"] = 12.into();
    pull_request["base"]["ref"] = "main".into();
    pull_request["head"]["sha"] = sha.into();
    with_branch(payload, "acme", "fix")
}

/// Changes the head branch of a recorded payload.
fn with_branch(mut payload: Value, owner: &str, branch: &str) -> Value {
    let head = &mut payload["pull_request"]["head"];
    head["ref"] = branch.into();
    head["label"] = format!("{owner}:{branch}").into();
    payload
}

/// Changes the head of a recorded payload to a branch of the fork of `mona`.
pub(crate) fn from_fork(payload: Value, branch: &str) -> Value {
    let mut payload = with_branch(payload, "mona", branch);
    payload["pull_request"]["user"]["login"] = "mona".into();
    let head = &mut payload["pull_request"]["head"];
    head["user"]["login"] = "mona".into();
    let repository = &mut head["repo"];
    repository["id"] = 999.into();
    repository["fork"] = true.into();
    repository["full_name"] = "mona/integrations".into();
    repository["owner"]["login"] = "mona".into();
    payload
}

/// Changes the head of a recorded payload to a branch of a deleted fork.
pub(crate) fn from_lost_fork(payload: Value, branch: &str) -> Value {
    let mut payload = from_fork(payload, branch);
    payload["pull_request"]["head"]["repo"] = Value::Null;
    payload
}

/// Changes the author of a recorded payload to Dependabot, which uses branches of the repository itself.
pub(crate) fn by_dependabot(payload: Value) -> Value {
    let mut payload = with_branch(payload, "acme", "dependabot/npm_and_yarn/left-pad-2.0.0");
    payload["pull_request"]["user"]["login"] = "dependabot[bot]".into();
    payload["sender"]["login"] = "dependabot[bot]".into();
    payload
}

fn with_head(action: &str, number: u64, head: &Value) -> Value {
    let pull_request = json!({
        "number": number,
        "head": head,
        "base": {"ref": "main", "repo": repository()},
        "user": {"login": "mona"},
    });
    json!({"action": action, "number": number, "pull_request": pull_request, "repository": repository()})
}

fn repository() -> Value {
    json!({
        "id": 1,
        "full_name": "acme/integrations",
        "default_branch": "main",
        "owner": {"login": "acme"},
    })
}
