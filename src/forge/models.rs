//! The parts of the forge's responses that the program uses. Gitea and Forgejo omit many of GitHub's fields.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct RepositoryResponse {
    pub(super) default_branch: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct BranchResponse {
    pub(super) name: String,
    pub(super) commit: CommitResponse,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitResponse {
    /// The name on Gitea is `id`.
    #[serde(alias = "id")]
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullRequestResponse {
    pub(super) number: u64,
    pub(super) state: String,
    pub(super) head: PullRequestHead,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullRequestHead {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) sha: String,
    /// `None` after the fork was deleted.
    pub(super) repo: Option<HeadRepository>,
    /// Mostly `owner:branch`.
    pub(super) label: Option<String>,
    pub(super) user: Option<GitHubUser>,
}

impl PullRequestHead {
    /// Returns the owner of the repository, even if it was deleted.
    pub(super) fn owner(&self) -> Option<&str> {
        let label = self.label.as_ref().and_then(|label| label.split_once(':'));
        label.map(|(owner, _)| owner).or_else(|| self.user.as_ref().map(|user| &*user.login))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct HeadRepository {
    pub(super) full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct GitHubUser {
    pub(super) login: String,
    /// `User` or `Bot` on GitHub; `None` on Gitea and Forgejo.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

/// GraphQL's response to `{viewer{login}}`.
#[derive(Debug, Deserialize)]
pub(super) struct ViewerResponse {
    pub(super) data: ViewerData,
}

#[derive(Debug, Deserialize)]
pub(super) struct ViewerData {
    pub(super) viewer: GitHubUser,
}

/// A comment on a pull request of GitHub.
#[derive(Debug, Deserialize)]
pub(super) struct CommentResponse {
    pub(super) id: u64,
    pub(super) body: Option<String>,
    /// `None` after the account was deleted.
    pub(super) user: Option<GitHubUser>,
}

impl CommentResponse {
    pub(super) fn login(&self) -> Option<&str> {
        self.user.as_ref().map(|user| &*user.login)
    }

    pub(super) fn is_by_bot(&self) -> bool {
        self.user.as_ref().and_then(|user| user.kind.as_deref()) == Some("Bot")
    }

    pub(super) fn starts_with(&self, line: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.starts_with(line))
    }

    pub(super) fn contains_line(&self, line: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.lines().any(|other| other.trim() == line))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct DeploymentResponse {
    pub(super) id: u64,
    /// The data that the creator attached.
    #[serde(default)]
    pub(super) payload: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct DeploymentStatus {
    pub(super) state: String,
    #[serde(default)]
    pub(super) description: String,
}

/// A merge request of GitLab.
#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    /// The number in the project.
    pub(super) iid: u64,
    pub(super) state: String,
    pub(super) source_branch: String,
    /// `None` after the fork was deleted.
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: u64,
    /// The newest commit.
    pub(super) sha: Option<String>,
}

/// A project of GitLab.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) path_with_namespace: String,
}

/// A user of GitLab. Project access tokens have their own users.
#[derive(Debug, Deserialize)]
pub(super) struct GitLabUser {
    pub(super) id: u64,
}

/// The response to a new comment.
#[derive(Debug, Deserialize)]
pub(super) struct CreatedComment {
    pub(super) id: u64,
}

/// A comment on a merge request of GitLab.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) body: String,
    pub(super) author: Option<GitLabUser>,
    /// True for notes of GitLab itself, such as changes of the title.
    pub(super) system: bool,
}
