//! Who the token is.

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::Permission;
use super::answer::{Account, Viewer};
use super::github::GitHub;
use crate::http::push;

/// How an app's token starts on GitHub, that of Actions' jobs among them.
const APP_TOKEN: &str = "ghs_";

/// Who the tokens of jobs write as: on GitHub, Gitea and Forgejo. Nobody else can be called that.
const JOBS: [&str; 3] = ["github-actions[bot]", "gitea-actions", "forgejo-actions"];

impl GitHub {
    /// Whether an account is the token's.
    pub(super) async fn is_ours(&self, account: &Account) -> bool {
        let is_apps = self.token.expose_secret().starts_with(APP_TOKEN);
        if is_apps && JOBS.contains(&&*account.login) {
            return true;
        }
        // No other bot than an app's can be an app's.
        if is_apps && account.kind.as_deref() != Some("Bot") {
            return false;
        }
        match self.login().await {
            Some(login) => login == account.login,
            None => JOBS.contains(&&*account.login),
        }
    }

    /// The login of the token's user; `None` where it has none, or can't ask. That is no failure: tokens of jobs are
    /// nobody's on some forges.
    async fn login(&self) -> Option<&str> {
        let ask = async || {
            if self.token.expose_secret().starts_with(APP_TOKEN) {
                // The one thing that an app's token is not told by REST.
                let query = json!({"query": "{viewer{login}}"});
                let viewer: Viewer = self.ask(Method::POST, self.graphql(), Some(&query)).await?;
                Some(viewer.data.viewer.login)
            } else {
                let mut url = self.root.clone();
                push(&mut url, &["user"]);
                self.ask(Method::GET, url, None).await.map(|account: Account| account.login)
            }
        };
        self.login.get_or_init(ask).await.as_deref()
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, url: Url, body: Option<&Value>) -> Option<T> {
        let request = || self.send(method.clone(), url.clone(), body, Permission::WritePullRequests);
        self.unless_given_up(request).await.ok()?.json().ok()
    }

    /// Below the root on GitHub, beside `/api/v3` on GitHub Enterprise.
    fn graphql(&self) -> Url {
        let path = self.root.path().trim_end_matches('/').trim_end_matches("/v3");
        let mut url = self.root.clone();
        url.set_path(&format!("{path}/graphql"));
        url
    }
}
