//! Finds the comments that the user of a GitHub token has written.

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::github::GitHub;
use super::models::{CommentResponse, GitHubUser, ViewerResponse};
use super::{ForgeError, Permission};
use crate::http::push_segments;

/// The prefix of GitHub App tokens. The token of a GitHub Actions job (`github.token`) is a GitHub App token, too.
const APP_TOKEN_PREFIX: &str = "ghs_";

/// The logins that job tokens use on GitHub, Gitea and Forgejo. No user can register them.
const JOB_LOGINS: [&str; 3] = ["github-actions[bot]", "gitea-actions", "forgejo-actions"];

impl GitHub {
    /// Finds the comments that gitbook-deploy has written on a pull request, by their marker line and their author. Always includes the
    /// comment with the ID `created`, which this job has created. Returns the IDs and texts of the comments in any order.
    pub(super) async fn comments(
        &self,
        number: u64,
        marker: &str,
        created: Option<u64>,
    ) -> Result<Vec<(u64, String)>, ForgeError> {
        let path = ["issues", &number.to_string(), "comments"];
        let is_candidate =
            |comment: &CommentResponse| created == Some(comment.id) || comment.contains_line(marker);
        let keep = |comment| Some(comment).filter(is_candidate);
        let mut marked = self.client.list(&path, &[], Permission::WritePullRequests, keep).await?;
        let created: Vec<_> = marked.extract_if(.., |comment| created == Some(comment.id)).collect();
        let ours = self.written_by_token(marked, marker).await.into_iter().chain(created);
        Ok(ours.map(|comment| (comment.id, comment.body.unwrap_or_default())).collect())
    }

    /// Selects the comments that the token's user has written. If the user is unknown, selects the comments that begin with the
    /// marker.
    async fn written_by_token(&self, mut marked: Vec<CommentResponse>, marker: &str) -> Vec<CommentResponse> {
        let is_app = self.client.token.expose_secret().starts_with(APP_TOKEN_PREFIX);
        // The author of a comment that was written with a GitHub App token is a bot.
        marked.retain(|comment| !is_app || comment.is_by_bot());
        if marked.is_empty() {
            return marked;
        }
        let is_by_job =
            |comment: &CommentResponse| comment.login().is_some_and(|login| JOB_LOGINS.contains(&login));
        let has_job_comment = marked.iter().any(is_by_job);
        let login = if is_app && has_job_comment { None } else { self.login().await };
        let is_ours = |comment: &CommentResponse| match login {
            Some(login) => comment.login() == Some(login),
            None if has_job_comment => is_by_job(comment),
            None => comment.starts_with(marker),
        };
        marked.into_iter().filter(is_ours).collect()
    }

    /// Returns the login of the token's user, or `None` if the request fails. On some forges, a job token has no user.
    async fn login(&self) -> Option<&str> {
        let request = async || {
            if self.client.token.expose_secret().starts_with(APP_TOKEN_PREFIX) {
                // GitHub's REST API does not return the user of an app token, but the GraphQL API does.
                let query = json!({"query": "{viewer{login}}"});
                let viewer: ViewerResponse =
                    self.send_once(Method::POST, self.graphql_url(), Some(&query)).await?;
                Some(viewer.data.viewer.login)
            } else {
                let mut url = self.client.root.clone();
                push_segments(&mut url, &["user"]);
                self.send_once(Method::GET, url, None).await.map(|user: GitHubUser| user.login)
            }
        };
        self.login.get_or_init(request).await.as_deref()
    }

    async fn send_once<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Option<T> {
        // The login is optional, so a failure is neither retried nor counted by the circuit breaker.
        self.client.send(method, url, body, Permission::WritePullRequests).await.ok()?.json().ok()
    }

    /// Returns the URL of the GraphQL API: `/graphql` on GitHub, and `/api/graphql` on GitHub Enterprise, where the REST API is at
    /// `/api/v3`.
    fn graphql_url(&self) -> Url {
        let path = self.client.root.path().trim_end_matches('/').trim_end_matches("/v3");
        let mut url = self.client.root.clone();
        url.set_path(&format!("{path}/graphql"));
        url
    }
}
