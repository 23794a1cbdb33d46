//! Who the token is.

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::answer::{Account, Comment, Viewer};
use super::github::GitHub;
use super::{ForgeError, Permission};
use crate::http::push;

/// How an app's token starts on GitHub, that of Actions' jobs among them.
const APP_TOKEN: &str = "ghs_";

/// Who the tokens of jobs write as: on GitHub, Gitea and Forgejo. Nobody else can be called that.
const JOBS: [&str; 3] = ["github-actions[bot]", "gitea-actions", "forgejo-actions"];

impl GitHub {
    /// Our comments on a pull request, in any order: by a line that no others have, and by who wrote them, since
    /// anybody can write that line. What was made just now is ours, too.
    pub(super) async fn comments(
        &self,
        number: u64,
        marker: &str,
        made: Option<u64>,
    ) -> Result<Vec<(u64, String)>, ForgeError> {
        let path = ["issues", &number.to_string(), "comments"];
        let may_be_ours = |comment: &Comment| made == Some(comment.id) || comment.holds(marker);
        let keep = |comment| Some(comment).filter(may_be_ours);
        let mut marked = self.client.list(&path, &[], Permission::WritePullRequests, keep).await?;
        let made: Vec<_> = marked.extract_if(.., |comment| made == Some(comment.id)).collect();
        let ours = self.ours(marked, marker).await.into_iter().chain(made);
        Ok(ours.map(|comment| (comment.id, comment.body.unwrap_or_default())).collect())
    }

    /// Those of the comments with our marker that the token has written.
    ///
    /// Where who it is can't be found out, a comment must be as we write them, with the marker in its first line.
    async fn ours(&self, mut marked: Vec<Comment>, marker: &str) -> Vec<Comment> {
        let is_apps = self.client.token.expose_secret().starts_with(APP_TOKEN);
        // Nobody but a bot is an app.
        marked.retain(|comment| !is_apps || comment.is_by_bot());
        if marked.is_empty() {
            return marked;
        }
        let is_jobs = |comment: &Comment| comment.login().is_some_and(|login| JOBS.contains(&login));
        let is_there = marked.iter().any(is_jobs);
        let login = if is_apps && is_there { None } else { self.login().await };
        let is_ours = |comment: &Comment| match login {
            Some(login) => comment.login() == Some(login),
            None if is_there => is_jobs(comment),
            None => comment.starts_with(marker),
        };
        marked.into_iter().filter(is_ours).collect()
    }

    /// The login of the token's user; `None` where it has none, or can't ask. That is no failure: tokens of jobs are
    /// nobody's on some forges.
    async fn login(&self) -> Option<&str> {
        let ask = async || {
            if self.client.token.expose_secret().starts_with(APP_TOKEN) {
                // The one thing that an app's token is not told by REST.
                let query = json!({"query": "{viewer{login}}"});
                let viewer: Viewer = self.ask(Method::POST, self.graphql(), Some(&query)).await?;
                Some(viewer.data.viewer.login)
            } else {
                let mut url = self.client.root.clone();
                push(&mut url, &["user"]);
                self.ask(Method::GET, url, None).await.map(|account: Account| account.login)
            }
        };
        self.login.get_or_init(ask).await.as_deref()
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, url: Url, body: Option<&Value>) -> Option<T> {
        // Once: it is not worth a wait, nor giving up the forge.
        self.client.send(method, url, body, Permission::WritePullRequests).await.ok()?.json().ok()
    }

    /// Below the root on GitHub, beside `/api/v3` on GitHub Enterprise.
    fn graphql(&self) -> Url {
        let path = self.client.root.path().trim_end_matches('/').trim_end_matches("/v3");
        let mut url = self.client.root.clone();
        url.set_path(&format!("{path}/graphql"));
        url
    }
}
