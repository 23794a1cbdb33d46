//! A plain HTTP client that sends what GitHub wants to have.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::FakeGitHub;

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) link: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Value,
}

pub(crate) struct Client {
    http: reqwest::Client,
    repository: String,
    pub(crate) token: String,
}

impl Client {
    pub(crate) fn of(forge: &FakeGitHub) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let repository = format!("{}/repos/acme/integrations", forge.url());
        Self { http, repository, token: "ghs_actions".to_owned() }
    }

    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.repository) };
        self.http.request(method, url)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path)
            .bearer_auth(&self.token)
            .header("user-agent", "test")
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        reply(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        reply(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Reply {
        let request = self.request(method, path).header("content-type", "application/json");
        reply(request.body(body.to_string())).await
    }
}

pub(crate) async fn reply(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (status, link, location) = (response.status().as_u16(), header("link"), header("location"));
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
    Reply { status, link, location, body }
}
