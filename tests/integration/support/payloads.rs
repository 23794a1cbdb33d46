//! The parts of GitHub's payloads that matter. The whole ones are read by the unit tests of `ci::github`.

use serde_json::{Value, json};

/// A push to a branch of a repository whose default branch is `main`.
pub(crate) fn push(branch: &str, sha: &str) -> Value {
    json!({"ref": format!("refs/heads/{branch}"), "after": sha, "repository": repository()})
}

/// A branch that was deleted.
pub(crate) fn delete(branch: &str) -> Value {
    json!({"ref": branch, "ref_type": "branch", "repository": repository()})
}

/// Something that happened to a pull request from a branch of the repository itself.
pub(crate) fn pull_request(action: &str, number: u64, branch: &str, sha: &str) -> Value {
    let head = json!({"ref": branch, "sha": sha, "repo": repository(), "user": {"login": "acme"}});
    of_head(action, number, &head)
}

/// The same from a branch of a fork.
pub(crate) fn fork_pull_request(action: &str, number: u64, owner: &str, branch: &str, sha: &str) -> Value {
    let repository =
        json!({"id": 2, "full_name": format!("{owner}/integrations"), "owner": {"login": owner}});
    let head = json!({"ref": branch, "sha": sha, "repo": repository, "user": {"login": owner}});
    of_head(action, number, &head)
}

fn of_head(action: &str, number: u64, head: &Value) -> Value {
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
