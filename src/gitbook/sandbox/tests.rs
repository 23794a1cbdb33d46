//! Tests of the sandbox over HTTP: statuses, bodies, rejected requests and stored files.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use crate::gitbook::{Deletion, FailedAttempt, GitBook, GitBookError};

/// A sandbox and its folder. Requests are sent over a plain TCP connection, since HTTP clients would normalize the paths.
struct TestSandbox {
    folder: TempDir,
    root: Url,
}

impl TestSandbox {
    async fn start() -> Self {
        Self::start_in(TempDir::new().unwrap()).await
    }

    async fn start_in(folder: TempDir) -> Self {
        let root = super::start(folder.path()).await.unwrap();
        Self { folder, root }
    }

    /// Starts another sandbox in the same folder.
    async fn restart(self) -> Self {
        Self::start_in(self.folder).await
    }

    /// Sends the bytes of an HTTP request. Returns the status and the body of the response.
    async fn send_bytes(&self, request: &[u8]) -> (u16, String) {
        let response = async {
            let address = self.root.socket_addrs(|| None).unwrap()[0];
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.write_all(request).await.unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).await.unwrap();
            response
        };
        let response = tokio::time::timeout(Duration::from_secs(20), response).await.unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        (status, response.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    async fn send(&self, method: &str, path: &str, authorization: &str, body: &str) -> (u16, Value) {
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n{authorization}");
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        let (status, body) = self.send_bytes(request.as_bytes()).await;
        (status, if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() })
    }

    async fn request(&self, method: &str, path: &str) -> (u16, Value) {
        self.send(method, path, "Authorization: Bearer x\r\n", "").await
    }

    async fn publish(&self, name: &str, body: &Value) -> (u16, Value) {
        let path = format!("/v1/integrations/{name}");
        self.send("POST", &path, "Authorization: Bearer x\r\n", &body.to_string()).await
    }

    /// Checks that a publish request is rejected with a message that begins with `message_start`, and that nothing is stored.
    async fn check_rejected(&self, name: &str, body: &Value, message_start: &str) {
        let (status, response) = self.publish(name, body).await;
        let message = response["error"]["message"].as_str().unwrap();
        assert_eq!((status, &response), (400, &error(400, message).1), "{name}: {body}");
        assert!(message.starts_with(message_start) && !message.contains('`'), "{message}");
        assert_eq!(files(self.folder.path()), [""; 0], "{name}: {body}");
    }
}

fn error(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"error": {"code": status, "message": message}}))
}

fn body() -> Value {
    json!({
        "organization": "acme",
        "title": "Hello",
        "description": "",
        "script": "export default {}",
        "scopes": ["space:content:read"],
    })
}

/// Returns the body of a publish request in which `field` has this value and all other fields are valid.
fn body_with(field: &str, value: impl Into<Value>) -> Value {
    let mut body = body();
    body[field] = value.into();
    body
}

/// Returns the relative paths of all files and folders below a folder.
fn files(folder: &Path) -> Vec<String> {
    let walk = ignore::WalkBuilder::new(folder).standard_filters(false).build();
    let entries = walk.map(Result::unwrap).filter(|entry| entry.path() != folder);
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned())
        .collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn publishes_reads_and_deletes_an_integration() {
    let api = TestSandbox::start().await;
    let path = "/v1/integrations/hello";
    assert_eq!(api.request("GET", path).await, error(404, "Integration not found"));
    assert_eq!(api.request("DELETE", path).await, (204, Value::Null));
    let (status, published) = api.publish("hello", &body()).await;
    assert_eq!((status, &published["name"], &published["version"]), (200, &json!("hello"), &json!(1)));
    assert_eq!((&published["visibility"], &published["target"]), (&json!("private"), &json!("all")));
    assert_eq!(published["owner"]["id"], "acme");
    assert!(published["urls"]["app"].as_str().unwrap().ends_with("/hello/"), "{published}");
    assert_eq!(api.request("GET", path).await, (200, published));
    assert_eq!(api.request("DELETE", path).await, (205, Value::Null));
    assert_eq!(api.request("DELETE", path).await, (204, Value::Null));
    assert_eq!(api.request("GET", path).await.0, 404);
    assert_eq!(files(api.folder.path()), [""; 0]);
}

#[tokio::test]
async fn rejects_requests_without_a_token() {
    let api = TestSandbox::start().await;
    for path in ["/v1/integrations/hello", "/v1/orgs", "/v1/orgs/acme/integrations", "/elsewhere"] {
        for header in ["", "Authorization: Bearer \r\n", "Authorization: Basic x\r\n"] {
            let response = api.send("GET", path, header, "").await;
            assert_eq!(response, error(401, "Authentication required"), "{path} {header}");
        }
    }
    let (status, _) = api.send("POST", "/v1/integrations/hello", "", &body().to_string()).await;
    assert_eq!((status, files(api.folder.path())), (401, vec![]));
    assert_eq!(api.request("GET", "/elsewhere").await, error(404, "Not found"));
}

#[tokio::test]
async fn continues_versions_after_a_restart() {
    let mut api = TestSandbox::start().await;
    for version in 1..=4 {
        assert_eq!(api.publish("hello", &body()).await.1["version"], version);
        api = api.restart().await;
        assert_eq!(api.request("GET", "/v1/integrations/hello").await.1["version"], version);
    }
    api.request("DELETE", "/v1/integrations/hello").await;
    assert_eq!(api.publish("hello", &body()).await.1["version"], 1);
}

#[tokio::test]
async fn stores_the_script_and_images_as_files() {
    let api = TestSandbox::start().await;
    let mut body = body_with("icon", "aWNvbg==");
    body["previewImages"] = json!(["b25l", "dHdv"]);
    api.publish("hello", &body).await;
    let text = |file: &str| std::fs::read_to_string(api.folder.path().join("hello").join(file)).unwrap();
    assert_eq!(text("script.js"), "export default {}");
    assert_eq!([text("icon.png"), text("preview-1.png"), text("preview-2.png")], ["icon", "one", "two"]);
    // Publishing replaces all files of the previous version.
    api.publish("hello", &self::body()).await;
    assert_eq!(files(api.folder.path()), ["hello", "hello/integration.json", "hello/script.js"]);
}

#[tokio::test]
async fn ignores_unknown_fields() {
    let api = TestSandbox::start().await;
    let mut unknown = body_with("icon", "aWNvbg==");
    for field in ["name", "version", "object", "owner", "urls", "verified", "permissions", "future"] {
        unknown[field] = json!("unknown");
    }
    let (status, published) = api.publish("hello", &unknown).await;
    assert_eq!((status, &published), (200, &api.request("GET", "/v1/integrations/hello").await.1));
    assert!(!published.to_string().contains("unknown"), "{published}");
    let url = |file: &str| format!("{}{file}", published["urls"]["app"].as_str().unwrap());
    assert_eq!(published["urls"]["icon"], url("icon.png"));
    let location = api.root.join("v1/integrations/hello").unwrap();
    assert_eq!(published["urls"]["location"], location.as_str());
}

#[tokio::test]
async fn stores_the_names_of_secrets_only() {
    const VALUE: &str = "a-very-secret-value";
    let api = TestSandbox::start().await;
    let (_, published) =
        api.publish("hello", &body_with("secrets", json!({"KEY": VALUE, "OTHER": VALUE}))).await;
    assert_eq!(published["secrets"], json!(["KEY", "OTHER"]));
    assert_eq!(api.request("GET", "/v1/integrations/hello").await.1["secrets"], json!(["KEY", "OTHER"]));
    api.publish("rejected", &body_with("title", VALUE.repeat(2))).await;
    for file in files(api.folder.path()) {
        assert!(!file.contains(VALUE));
        let path = api.folder.path().join(&file);
        assert!(path.is_dir() || !std::fs::read_to_string(path).unwrap().contains(VALUE), "{file}");
    }
}

#[tokio::test]
async fn rejects_bodies_that_violate_the_schema() {
    let api = TestSandbox::start().await;
    let check = async |field: &str, value: Value| {
        api.check_rejected("hello", &body_with(field, value), &format!("\"{field}")).await;
    };
    check("title", "x".repeat(31).into()).await;
    check("title", "x".into()).await;
    check("summary", "x".repeat(2049).into()).await;
    check("description", "x".repeat(101).into()).await;
    check("visibility", "secret".into()).await;
    check("scopes", json!(["everything"])).await;
    check("previewImages", json!(["", "", "", ""])).await;
    let mut incomplete = body();
    incomplete.as_object_mut().unwrap().remove("organization");
    api.check_rejected("hello", &incomplete, "\"organization\"").await;
    api.check_rejected("hello", &json!([]), "").await;
    api.check_rejected("hello", &Value::Null, "").await;
}

#[tokio::test]
async fn accepts_a_title_at_the_limit_and_an_unknown_field() {
    let api = TestSandbox::start().await;
    let mut body = body_with("title", "é".repeat(30));
    body["future"] = json!(true);
    assert_eq!(api.publish("hello", &body).await.0, 200);
}

#[tokio::test]
async fn rejects_images_that_are_not_base64() {
    let api = TestSandbox::start().await;
    api.check_rejected("hello", &body_with("icon", "not base64!"), "\"icon\" is not base64").await;
    let images = json!(["b25l", "ü"]);
    let message = "\"previewImages[1]\" is not base64";
    api.check_rejected("hello", &body_with("previewImages", images), message).await;
    // A rejected update keeps the published version.
    api.publish("hello", &body()).await;
    assert_eq!(api.publish("hello", &body_with("icon", "?")).await.0, 400);
    assert_eq!(api.request("GET", "/v1/integrations/hello").await.1["version"], 1);
}

#[tokio::test]
async fn rejects_bodies_that_are_not_json() {
    let api = TestSandbox::start().await;
    for body in ["", "{", "title=Hello", "{}{}", "\u{feff}{}"] {
        let response = api.send("POST", "/v1/integrations/hello", "Authorization: Bearer x\r\n", body).await;
        assert_eq!(response, error(400, "The body is not JSON"), "{body}");
    }
}

#[tokio::test]
async fn rejects_names_that_lead_outside_the_folder() {
    let outside = TempDir::new().unwrap();
    let folder = tempfile::tempdir_in(outside.path()).unwrap();
    let other = outside.path().join("integration.json");
    std::fs::write(&other, "{\"name\": \"other\"}").unwrap();
    std::fs::write(folder.path().join("integration.json"), "{\"name\": \"other\"}").unwrap();
    let before = files(outside.path());
    let api = TestSandbox::start_in(folder).await;
    let long = "x".repeat(101);
    let invalid_names = [
        "..",
        ".",
        "%2e%2e",
        "a%2Fb",
        "..%2F..%2Fx",
        "%2Fetc",
        "a%5Cb",
        "a%00b",
        "%20",
        "~x",
        "h%C3%A9",
        &long,
    ];
    for name in invalid_names {
        let invalid = error(400, "Invalid integration name");
        assert_eq!(api.publish(name, &body()).await, invalid, "{name}");
        for method in ["GET", "DELETE"] {
            assert_eq!(
                api.request(method, &format!("/v1/integrations/{name}")).await,
                invalid,
                "{method} {name}"
            );
        }
    }
    assert_eq!(files(outside.path()), before);
    for name in ["...", "a..b", "-", "_", "A.b-c_d", &long[1..]] {
        assert_eq!(api.publish(name, &body()).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn reports_unknown_paths_as_not_found() {
    let api = TestSandbox::start().await;
    for path in [
        "/",
        "/v1/integrations",
        "/v1/integrations/",
        "/v1/integrations/a/b",
        "/v1/integrations/../x",
        "/v2/orgs",
    ] {
        assert_eq!(api.request("GET", path).await, error(404, "Not found"), "{path}");
    }
}

#[tokio::test]
async fn splits_lists_into_pages() {
    let api = TestSandbox::start().await;
    for name in ["e", "a", "c", "b", "d"] {
        api.publish(name, &body()).await;
    }
    api.publish("other", &body_with("organization", "other")).await;
    let page = async |query: &str| {
        let (status, page) = api.request("GET", &format!("/v1/orgs/acme/integrations{query}")).await;
        let items = page["items"].as_array().into_iter().flatten();
        let names: String = items.map(|item| item["name"].as_str().unwrap()).collect();
        (status, names, page["next"]["page"].as_str().unwrap_or_default().to_owned())
    };
    let expected = |names: &str, next: &str| (200, names.to_owned(), next.to_owned());
    assert_eq!(page("").await, expected("abcde", ""));
    assert_eq!(page("?limit=2").await, expected("ab", "2"));
    assert_eq!(page("?limit=2&page=2").await, expected("cd", "4"));
    assert_eq!(page("?limit=2&page=4").await, expected("e", ""));
    assert_eq!(page("?limit=5").await, expected("abcde", ""));
    assert_eq!(page("?page=99").await, expected("", ""));
    for query in ["?limit=0", "?limit=1001", "?limit=x", "?page=-1", "?limit=99999999999999999999"] {
        assert_eq!(page(query).await.0, 400, "{query}");
    }
    let organizations = api.request("GET", "/v1/orgs").await.1;
    let ids = organizations["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["acme", "other"]);
}

#[tokio::test]
async fn ignores_files_and_folders_that_are_no_integrations() {
    let api = TestSandbox::start().await;
    api.publish("hello", &body()).await;
    std::fs::write(api.folder.path().join("README.md"), "").unwrap();
    std::fs::create_dir(api.folder.path().join("empty")).unwrap();
    // A process that is killed while it publishes leaves a folder with the prefix `~`.
    let incomplete = api.folder.path().join("~0");
    std::fs::create_dir(&incomplete).unwrap();
    std::fs::copy(api.folder.path().join("hello/integration.json"), incomplete.join("integration.json"))
        .unwrap();
    let (status, list) = api.request("GET", "/v1/orgs/acme/integrations").await;
    assert_eq!((status, &list["count"], &list["items"][0]["name"]), (200, &json!(1), &json!("hello")));
    for name in ["README.md", "empty"] {
        assert_eq!(api.request("GET", &format!("/v1/integrations/{name}")).await.0, 404);
        assert_eq!(api.request("DELETE", &format!("/v1/integrations/{name}")).await.0, 204);
    }
}

/// Allows each attempt. The client calls this function before each attempt.
async fn allow_attempt(_: Option<FailedAttempt>) -> Result<Option<Deletion>, GitBookError> {
    Ok(None)
}

#[tokio::test]
async fn client_reads_all_pages_and_deletes_an_integration() {
    const COUNT: usize = 1005;
    let api = TestSandbox::start().await;
    for index in 0..COUNT {
        let folder = api.folder.path().join(format!("i{index}"));
        std::fs::create_dir(&folder).unwrap();
        let record = json!({"name": format!("i{index}"), "owner": {"id": "acme"}});
        std::fs::write(folder.join("integration.json"), record.to_string()).unwrap();
    }
    let gitbook = GitBook::new(api.root.clone(), "any".into(), Duration::from_secs(20), 0).unwrap();
    let names = gitbook.list("acme", |integration| Some(integration.name)).await.unwrap();
    let names: std::collections::BTreeSet<_> = names.into_iter().collect();
    assert_eq!(names.len(), COUNT);
    assert_eq!(gitbook.list("nobody", Some).await.unwrap(), []);
    assert_eq!(gitbook.organization_id("acme").await.unwrap().as_deref(), Some("acme"));
    assert_eq!(gitbook.organization_id("nobody").await.unwrap(), None);
    assert_eq!(gitbook.delete("i7", allow_attempt).await.last.unwrap(), Deletion::Deleted);
    assert_eq!(gitbook.delete("i7", allow_attempt).await.last.unwrap(), Deletion::DidNotExist);
    assert_eq!(gitbook.read("i7").await.unwrap(), None);
}
