//! The fields of forge responses that the program reads. GitHub sends many other fields, which Gitea and Forgejo omit.

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
    /// The commit ID. Gitea names this field `id`.
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
    /// The repository that contains the branch; `None` if this repository was deleted.
    pub(super) repo: Option<HeadRepository>,
    /// The branch, usually in the form `owner:branch`.
    pub(super) label: Option<String>,
    pub(super) user: Option<GitHubUser>,
}

impl PullRequestHead {
    /// Returns the owner of the repository that contains the branch, even if this repository was deleted.
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
    pub(super) account_type: Option<String>,
}

/// The response of GitHub's GraphQL API to the query `{viewer{login}}`.
#[derive(Debug, Deserialize)]
pub(super) struct ViewerResponse {
    pub(super) data: ViewerData,
}

#[derive(Debug, Deserialize)]
pub(super) struct ViewerData {
    pub(super) viewer: GitHubUser,
}

/// A comment on a GitHub pull request.
#[derive(Debug, Deserialize)]
pub(super) struct CommentResponse {
    pub(super) id: u64,
    pub(super) body: Option<String>,
    /// The author; `None` if the account was deleted.
    pub(super) user: Option<GitHubUser>,
}

impl CommentResponse {
    pub(super) fn login(&self) -> Option<&str> {
        self.user.as_ref().map(|user| &*user.login)
    }

    pub(super) fn is_by_bot(&self) -> bool {
        self.user.as_ref().and_then(|user| user.account_type.as_deref()) == Some("Bot")
    }

    pub(super) fn starts_with(&self, line: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.starts_with(line))
    }

    pub(super) fn contains_line(&self, line: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.lines().any(|body_line| body_line.trim() == line))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct DeploymentResponse {
    pub(super) id: u64,
    /// The data that the deployment's creator has stored in this deployment.
    #[serde(default)]
    pub(super) payload: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct DeploymentStatus {
    pub(super) state: String,
    #[serde(default)]
    pub(super) description: String,
}

/// A GitLab merge request.
#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    /// The number of the merge request in its project.
    pub(super) iid: u64,
    pub(super) state: String,
    pub(super) source_branch: String,
    /// The ID of the project that contains the source branch; `None` if that fork was deleted.
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: u64,
    /// The newest commit of the source branch.
    pub(super) sha: Option<String>,
}

/// A GitLab project.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) path_with_namespace: String,
}

/// A GitLab user. Each project access token has its own user.
#[derive(Debug, Deserialize)]
pub(super) struct GitLabUser {
    pub(super) id: u64,
}

/// The response to a request that creates a comment.
#[derive(Debug, Deserialize)]
pub(super) struct CreatedComment {
    pub(super) id: u64,
}

/// A comment on a GitLab merge request.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) body: String,
    pub(super) author: Option<GitLabUser>,
    /// True for a note that GitLab itself wrote, for example about a changed title.
    pub(super) system: bool,
}
