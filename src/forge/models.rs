//! What the forge answers, as far as it is used here. Gitea and Forgejo leave out much of what GitHub tells.

use serde::Deserialize;
use serde_json::Value;

use crate::repository::ForgeKind;

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) default_branch: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) commit: Commit,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    /// Gitea calls it `id`.
    #[serde(alias = "id")]
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullRequest {
    pub(super) number: u64,
    pub(super) state: String,
    pub(super) head: Head,
}

#[derive(Debug, Deserialize)]
pub(super) struct Head {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) sha: String,
    /// Gone when the fork is.
    pub(super) repo: Option<HeadRepository>,
    /// `owner:branch`, mostly.
    pub(super) label: Option<String>,
    pub(super) user: Option<Account>,
}

impl Head {
    /// Whose it is, or was.
    pub(super) fn owner(&self) -> Option<&str> {
        let labelled = self.label.as_ref().and_then(|label| label.split_once(':'));
        labelled.map(|(owner, _)| owner).or_else(|| self.user.as_ref().map(|user| &*user.login))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct HeadRepository {
    pub(super) full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) login: String,
    /// GitHub's `User` or `Bot`; others have no such thing.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

/// What GraphQL answers to `{viewer{login}}`.
#[derive(Debug, Deserialize)]
pub(super) struct Viewer {
    pub(super) data: ViewerData,
}

#[derive(Debug, Deserialize)]
pub(super) struct ViewerData {
    pub(super) viewer: Account,
}

/// A comment on a pull request of GitHub's.
#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) body: Option<String>,
    /// Gone when the account is.
    pub(super) user: Option<Account>,
}

impl Comment {
    pub(super) fn login(&self) -> Option<&str> {
        self.user.as_ref().map(|user| &*user.login)
    }

    pub(super) fn is_by_bot(&self) -> bool {
        self.user.as_ref().and_then(|user| user.kind.as_deref()) == Some("Bot")
    }

    pub(super) fn starts_with(&self, line: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.starts_with(line))
    }

    pub(super) fn holds(&self, line: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.lines().any(|known| known.trim() == line))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
    /// Whatever its creator attached.
    #[serde(default)]
    pub(super) payload: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct DeploymentStatus {
    pub(super) state: String,
    #[serde(default)]
    pub(super) description: String,
}

/// A merge request of GitLab's.
#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    /// Its number in the project.
    pub(super) iid: u64,
    pub(super) state: String,
    pub(super) source_branch: String,
    /// Gone when the fork is.
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: u64,
    /// Its newest commit.
    pub(super) sha: Option<String>,
}

/// A project of GitLab's.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) path_with_namespace: String,
}

/// A user of GitLab's; a project's token has one of its own.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
}

/// What was made just now.
#[derive(Debug, Deserialize)]
pub(super) struct CreatedComment {
    pub(super) id: u64,
}

/// What GitLab calls a comment.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) body: String,
    pub(super) author: Option<User>,
    /// Whether GitLab has written it itself.
    pub(super) system: bool,
}

/// The body of an error.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    /// On GitLab this may also be an object, by field.
    message: Option<Value>,
    /// What GitLab says of a token, or of a field that is missing.
    error: Option<String>,
    error_description: Option<String>,
}

impl Problem {
    pub(super) fn text(self, kind: ForgeKind) -> Option<String> {
        let message = match self.message {
            Some(Value::String(text)) => Some(text),
            Some(other) if kind == ForgeKind::GitLab => Some(other.to_string()),
            _ => None,
        };
        message.or_else(|| self.error_description.or(self.error).filter(|_| kind == ForgeKind::GitLab))
    }
}
