//! Fake GitBook servers, and the embedded sandbox.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// Access to the requests that a fake server has received.
pub(crate) trait RecordedRequests {
    /// Returns the method and path of every request, in their order.
    async fn requests(&self) -> Vec<String>;

    /// Returns the JSON body of the only request with a body.
    async fn body(&self) -> Value;
}

impl RecordedRequests for MockServer {
    async fn requests(&self) -> Vec<String> {
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

/// Starts a fake GitBook without integrations that accepts every publish.
pub(crate) async fn gitbook() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(api_error(404, "Integration not found")).mount(&server).await;
    Mock::given(method("POST")).respond_with(repeated).mount(&server).await;
    Mock::given(any()).respond_with(api_error(500, "unexpected request")).mount(&server).await;
    server
}

/// A sandbox that several runs share.
pub(crate) struct Sandbox {
    folder: TempDir,
    endpoint: String,
}

impl Sandbox {
    /// Starts an empty sandbox.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = gitbook_deploy::gitbook::sandbox::start(folder.path()).await.unwrap().to_string();
        Self { folder, endpoint }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the names of all integrations.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Returns the stored JSON of an integration.
    pub(crate) fn integration(&self, name: &str) -> Value {
        let path = self.folder.path().join(name).join("integration.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// Deletes an integration without the program, like another user.
    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_dir_all(self.folder.path().join(name)).unwrap();
    }

    /// Publishes an integration without the program, like another user.
    pub(crate) fn set(&self, name: &str, integration: &Value) {
        set(self.folder(), name, integration);
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Writes an integration to the folder of a sandbox.
pub(super) fn set(folder: &Path, name: &str, integration: &Value) {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("integration.json"), integration.to_string()).unwrap();
}

/// Responds to a publish with the sent integration.
fn repeated(request: &Request) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(repeated_with(request, |_| ()))
}

/// Returns the API's response to a publish request, with a change.
pub(crate) fn repeated_with(request: &Request, change: impl FnOnce(&mut Value)) -> Value {
    let body: Value = request.body_json().unwrap();
    let name = request.url.path().rsplit('/').next().unwrap();
    let mut answer = published(name);
    for field in ["title", "summary", "visibility", "target", "scopes"] {
        answer[field] = body[field].clone();
    }
    change(&mut answer);
    answer
}

/// Returns the API's response to a publish of a minimal integration.
pub(crate) fn published(name: &str) -> Value {
    json!({
        "object": "integration",
        "name": name,
        "version": 1,
        "title": "Hello",
        "visibility": "private",
        "target": "all",
        "scopes": ["space:content:read"],
        "urls": {"app": format!("https://app.gitbook.com/integrations/{name}")},
    })
}

/// Returns an error response in the format of GitBook's API.
pub(crate) fn api_error(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {"code": status, "message": message}}))
}
