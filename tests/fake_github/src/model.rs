//! Requests, comments and deployments as tests see them.

use serde_json::Value;

/// The head branch of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub(crate) fork: Option<String>,
    pub(crate) branch: String,
}

impl Head {
    /// Returns a branch of the repository itself.
    pub fn own(branch: impl Into<String>) -> Self {
        Self { fork: None, branch: branch.into() }
    }

    /// Returns a branch of a fork.
    pub fn fork(owner: impl Into<String>, branch: impl Into<String>) -> Self {
        Self { fork: Some(owner.into()), branch: branch.into() }
    }
}

/// A recorded request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path with its query, as sent.
    pub path: String,
    /// The body, if it is JSON.
    pub body: Option<Value>,
}

/// A comment below a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The unique number of the comment.
    pub id: u64,
    /// The login of the author.
    pub author: String,
    /// The text.
    pub body: String,
}

/// A deployment with all its statuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// The unique number of the deployment.
    pub id: u64,
    /// The name of the environment.
    pub environment: String,
    /// The commit to which `reference` pointed when the deployment was created.
    pub sha: String,
    /// The requested branch or commit.
    pub reference: String,
    /// The task, `deploy` by default.
    pub task: String,
    /// The description, empty by default.
    pub description: String,
    /// True if the environment is temporary.
    pub transient: bool,
    /// True if end users use the environment.
    pub production: bool,
    /// Arbitrary data of the creator.
    pub payload: Value,
    /// The login of the creator.
    pub creator: String,
    /// The statuses, the oldest first.
    pub statuses: Vec<Status>,
}

/// A status of a deployment; missing texts are empty, as on GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The unique number of the status.
    pub id: u64,
    /// The state, such as `success` or `inactive`.
    pub state: String,
    /// The URL of the environment.
    pub environment_url: String,
    /// The URL of the log.
    pub log_url: String,
    /// The description.
    pub description: String,
}
