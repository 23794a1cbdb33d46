//! An HTTP client that sends the headers that GitHub requires.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::{FakeGitHub, Head};

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: Value,
}

pub(crate) struct Client {
    http: reqwest::Client,
    repository: String,
    pub(crate) token: String,
}

/// Starts a fake GitHub with pull request 12 from the branch `feature/x`, and creates a client for it.
pub(crate) async fn start() -> (FakeGitHub, Client) {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(12, Head::own("feature/x"), &"b".repeat(40));
    let client = Client::new(&forge);
    (forge, client)
}

impl Client {
    pub(crate) fn new(forge: &FakeGitHub) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let repository = format!("{}/repos/acme/integrations", forge.url());
        Self { http, repository, token: "ghs_actions".to_owned() }
    }

    pub(crate) fn without_headers(&self, method: Method, path: &str) -> RequestBuilder {
        let is_url = path.starts_with("http");
        self.http.request(method, if is_url { path.to_owned() } else { format!("{}{path}", self.repository) })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request =
            self.without_headers(method, path).bearer_auth(&self.token).header("user-agent", "test");
        request.header("accept", "application/vnd.github+json").header("x-github-api-version", "2022-11-28")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        reply(self.request(Method::GET, path)).await
    }

    pub(crate) fn json(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path).header("content-type", "application/json")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        reply(self.json(path).body(body.to_string())).await
    }
}

pub(crate) async fn reply(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (status, location) = (response.status().as_u16(), header("location"));
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
    Reply { status, location, body }
}
