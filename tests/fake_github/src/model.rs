//! What tests tell the fake GitHub, and what it tells them.

use serde_json::Value;

/// The branch that a pull request wants to have merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub(crate) fork: Option<String>,
    pub(crate) branch: String,
}

impl Head {
    /// A branch of the repository itself.
    pub fn own(branch: impl Into<String>) -> Self {
        Self { fork: None, branch: branch.into() }
    }

    /// A branch of the fork that `owner` has.
    pub fn fork(owner: impl Into<String>, branch: impl Into<String>) -> Self {
        Self { fork: Some(owner.into()), branch: branch.into() }
    }
}

/// A request, as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path with its query, as sent.
    pub path: String,
    /// The body, when it is JSON.
    pub body: Option<Value>,
}

/// A comment below a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number among all comments.
    pub id: u64,
    /// The login of who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
}

/// A deployment with all its statuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its number among all deployments.
    pub id: u64,
    /// The name of the environment.
    pub environment: String,
    /// The commit that the reference named when the deployment was created.
    pub sha: String,
    /// The branch or commit that was asked for.
    pub reference: String,
    /// What the deployment does, `deploy` where nothing else was said.
    pub task: String,
    /// What was said about it, empty where nothing was.
    pub description: String,
    /// Whether the environment will go away.
    pub transient: bool,
    /// Whether end users meet the environment.
    pub production: bool,
    /// What the creator attached.
    pub payload: Value,
    /// The login of who created it.
    pub creator: String,
    /// Its statuses, the oldest first.
    pub statuses: Vec<Status>,
}

/// A status of a deployment; a text that was not given is empty, as at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its number among all statuses.
    pub id: u64,
    /// Such as `success` or `inactive`.
    pub state: String,
    /// Where the environment is to be seen.
    pub environment_url: String,
    /// Where the log is to be read.
    pub log_url: String,
    /// What was said about it.
    pub description: String,
}
