//! Servers that answer in GitBook's place.

use serde_json::{Value, json};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// What a server was asked.
pub(crate) trait Recorded {
    /// Method and path of every request, in their order.
    async fn asked(&self) -> Vec<String>;

    /// The JSON body of the only request that had one.
    async fn body(&self) -> Value;
}

impl Recorded for MockServer {
    async fn asked(&self) -> Vec<String> {
        let requests = self.received_requests().await.unwrap();
        requests.iter().map(|request| format!("{} {}", request.method, request.url.path())).collect()
    }

    async fn body(&self) -> Value {
        let requests = self.received_requests().await.unwrap();
        let bodies: Vec<_> = requests.iter().filter(|request| !request.body.is_empty()).collect();
        let [request] = bodies[..] else { panic!("{} requests with a body", bodies.len()) };
        request.body_json().unwrap()
    }
}

/// A GitBook where nothing is yet, and everything can be published.
pub(crate) async fn gitbook() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(said(404, "Integration not found")).mount(&server).await;
    Mock::given(method("POST")).respond_with(repeated).mount(&server).await;
    Mock::given(any()).respond_with(said(500, "nobody expected this")).mount(&server).await;
    server
}

/// The answer that repeats what was sent.
fn repeated(request: &Request) -> ResponseTemplate {
    let body: Value = request.body_json().unwrap();
    let name = request.url.path().rsplit('/').next().unwrap();
    let mut answer = published(name);
    for field in ["title", "summary", "visibility", "target", "scopes"] {
        answer[field] = body[field].clone();
    }
    ResponseTemplate::new(200).set_body_json(answer)
}

/// An integration as the API tells it.
pub(crate) fn published(name: &str) -> Value {
    json!({
        "object": "integration",
        "name": name,
        "version": 1,
        "title": "Hello",
        "urls": {"app": format!("https://app.gitbook.com/integrations/{name}")},
    })
}

/// An error as the API tells it.
pub(crate) fn said(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {"code": status, "message": message}}))
}
