//! The embedded API over HTTP: its statuses and bodies, what it refuses, and what it keeps.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use crate::gitbook::{ApiError, Deletion, Failure, GitBook};

/// A sandbox, asked byte by byte: HTTP clients tidy up paths that it must stand.
struct Api {
    folder: TempDir,
    root: Url,
}

impl Api {
    async fn start() -> Self {
        Self::start_in(TempDir::new().unwrap()).await
    }

    async fn start_in(folder: TempDir) -> Self {
        let root = super::start(folder.path()).await.unwrap();
        Self { folder, root }
    }

    /// The next run of the program in the same folder.
    async fn again(self) -> Self {
        Self::start_in(self.folder).await
    }

    /// Sends bytes and gives the status and the body.
    async fn raw(&self, request: &[u8]) -> (u16, String) {
        let answer = async {
            let address = self.root.socket_addrs(|| None).unwrap()[0];
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.write_all(request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let answer = tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    async fn send(&self, method: &str, path: &str, authorization: &str, body: &str) -> (u16, Value) {
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n{authorization}");
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        let (status, body) = self.raw(request.as_bytes()).await;
        (status, if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() })
    }

    async fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        self.send(method, path, "Authorization: Bearer x\r\n", "").await
    }

    async fn publish(&self, name: &str, body: &Value) -> (u16, Value) {
        let path = format!("/v1/integrations/{name}");
        self.send("POST", &path, "Authorization: Bearer x\r\n", &body.to_string()).await
    }

    async fn refused(&self, name: &str, body: &Value, message: &str) {
        let refused = error(400, message);
        assert_eq!(self.publish(name, body).await, refused, "{name}: {body}");
        assert_eq!(files(self.folder.path()), [""; 0], "a refused publication leaves nothing");
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

/// The body with another field.
fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut body = body();
    body[field] = value.into();
    body
}

/// All files below a folder, by their relative paths.
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
async fn an_integration_is_published_read_and_deleted() {
    let api = Api::start().await;
    let path = "/v1/integrations/hello";
    assert_eq!(api.ask("GET", path).await, error(404, "Integration not found"));
    assert_eq!(api.ask("DELETE", path).await, (204, Value::Null));
    let (status, published) = api.publish("hello", &body()).await;
    assert_eq!((status, &published["name"], &published["version"]), (200, &json!("hello"), &json!(1)));
    assert_eq!((&published["visibility"], &published["target"]), (&json!("private"), &json!("all")));
    assert_eq!(published["owner"]["id"], "acme");
    assert!(published["urls"]["app"].as_str().unwrap().ends_with("/hello/"), "{published}");
    assert_eq!(api.ask("GET", path).await, (200, published));
    assert_eq!(api.ask("DELETE", path).await, (205, Value::Null));
    assert_eq!(api.ask("DELETE", path).await, (204, Value::Null));
    assert_eq!(api.ask("GET", path).await.0, 404);
    assert_eq!(files(api.folder.path()), [""; 0]);
}

#[tokio::test]
async fn a_token_is_needed_whatever_it_is() {
    let api = Api::start().await;
    for path in ["/v1/integrations/hello", "/v1/orgs", "/v1/orgs/acme/integrations", "/elsewhere"] {
        for header in ["", "Authorization: Bearer \r\n", "Authorization: Basic x\r\n"] {
            let answer = api.send("GET", path, header, "").await;
            assert_eq!(answer, error(401, "Authentication required"), "{path} {header}");
        }
    }
    let (status, _) = api.send("POST", "/v1/integrations/hello", "", &body().to_string()).await;
    assert_eq!((status, files(api.folder.path())), (401, vec![]));
    assert_eq!(api.ask("GET", "/elsewhere").await, error(404, "Not found"));
}

#[tokio::test]
async fn versions_count_up_over_restarts() {
    let mut api = Api::start().await;
    for version in 1..=4 {
        assert_eq!(api.publish("hello", &body()).await.1["version"], version);
        api = api.again().await;
        assert_eq!(api.ask("GET", "/v1/integrations/hello").await.1["version"], version);
    }
    api.ask("DELETE", "/v1/integrations/hello").await;
    assert_eq!(api.publish("hello", &body()).await.1["version"], 1);
}

#[tokio::test]
async fn what_is_published_are_files() {
    let api = Api::start().await;
    let mut body = with("icon", "aWNvbg==");
    body["previewImages"] = json!(["b25l", "dHdv"]);
    api.publish("hello", &body).await;
    let text = |file: &str| std::fs::read_to_string(api.folder.path().join("hello").join(file)).unwrap();
    assert_eq!(text("script.js"), "export default {}");
    assert_eq!([text("icon.png"), text("preview-1.png"), text("preview-2.png")], ["icon", "one", "two"]);
    // Publishing replaces the whole, nothing of before is left.
    api.publish("hello", &self::body()).await;
    assert_eq!(files(api.folder.path()), ["hello", "hello/integration.json", "hello/script.js"]);
}

#[tokio::test]
async fn what_the_api_does_not_know_changes_nothing() {
    let api = Api::start().await;
    let mut odd = with("icon", "aWNvbg==");
    for field in ["name", "version", "object", "owner", "urls", "verified", "permissions", "future"] {
        odd[field] = json!("odd");
    }
    let (status, published) = api.publish("hello", &odd).await;
    assert_eq!((status, &published), (200, &api.ask("GET", "/v1/integrations/hello").await.1));
    assert!(!published.to_string().contains("odd"), "{published}");
    let url = |file: &str| format!("{}{file}", published["urls"]["app"].as_str().unwrap());
    assert_eq!(published["urls"]["icon"], url("icon.png"));
    let location = api.root.join("v1/integrations/hello").unwrap();
    assert_eq!(published["urls"]["location"], location.as_str());
}

#[tokio::test]
async fn secrets_are_known_by_name_only() {
    const VALUE: &str = "a-very-secret-value";
    let api = Api::start().await;
    let (_, published) = api.publish("hello", &with("secrets", json!({"KEY": VALUE, "OTHER": VALUE}))).await;
    assert_eq!(published["secrets"], json!(["KEY", "OTHER"]));
    assert_eq!(api.ask("GET", "/v1/integrations/hello").await.1["secrets"], json!(["KEY", "OTHER"]));
    api.publish("refused", &with("title", VALUE.repeat(2))).await;
    for file in files(api.folder.path()) {
        assert!(!file.contains(VALUE));
        let path = api.folder.path().join(&file);
        assert!(path.is_dir() || !std::fs::read_to_string(path).unwrap().contains(VALUE), "{file}");
    }
}

#[tokio::test]
async fn what_breaks_a_limit_is_refused() {
    let api = Api::start().await;
    let check = async |field: &str, value: Value, message: &str| {
        api.refused("hello", &with(field, value), message).await;
    };
    check("title", "x".repeat(31).into(), "\"title\" has 31 characters, 30 are the most").await;
    check("title", "x".into(), "\"title\" has 1 characters, 2 are the least").await;
    check("summary", "x".repeat(2049).into(), "\"summary\" has 2049 characters, 2048 are the most").await;
    check("description", "x".repeat(101).into(), "\"description\" has 101 characters, 100 are the most")
        .await;
    check("visibility", "secret".into(), "\"visibility\" is \"secret\", which is not accepted").await;
    check("scopes", json!(["everything"]), "\"scopes[0]\" is \"everything\", which is not known here").await;
    let images = json!(["", "", "", ""]);
    check("previewImages", images, "\"previewImages\" has 4 entries, 3 are the most").await;
    let mut incomplete = body();
    incomplete.as_object_mut().unwrap().remove("organization");
    api.refused("hello", &incomplete, "\"organization\" is missing").await;
    api.refused("hello", &json!([]), "the whole is a list, it must be a mapping").await;
    api.refused("hello", &Value::Null, "the whole is empty, it must be a mapping").await;
    // At the limit, and with a field that the API does not know.
    let mut most = with("title", "é".repeat(30));
    most["future"] = json!(true);
    assert_eq!(api.publish("hello", &most).await.0, 200);
}

#[tokio::test]
async fn an_image_that_is_not_base64_is_refused() {
    let api = Api::start().await;
    api.refused("hello", &with("icon", "not base64!"), "\"icon\" is not base64").await;
    let images = json!(["b25l", "ü"]);
    api.refused("hello", &with("previewImages", images), "\"previewImages[1]\" is not base64").await;
    // What stands there stays.
    api.publish("hello", &body()).await;
    assert_eq!(api.publish("hello", &with("icon", "?")).await.0, 400);
    assert_eq!(api.ask("GET", "/v1/integrations/hello").await.1["version"], 1);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let api = Api::start().await;
    for body in ["", "{", "title=Hello", "{}{}", "\u{feff}{}"] {
        let answer = api.send("POST", "/v1/integrations/hello", "Authorization: Bearer x\r\n", body).await;
        assert_eq!(answer, error(400, "The body is not JSON"), "{body}");
    }
}

#[tokio::test]
async fn a_name_leads_nowhere_else() {
    let outside = TempDir::new().unwrap();
    let folder = tempfile::tempdir_in(outside.path()).unwrap();
    let kept = outside.path().join("integration.json");
    std::fs::write(&kept, "{\"name\": \"kept\"}").unwrap();
    std::fs::write(folder.path().join("integration.json"), "{\"name\": \"kept\"}").unwrap();
    let before = files(outside.path());
    let api = Api::start_in(folder).await;
    let long = "x".repeat(101);
    let hostile = [
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
    for name in hostile {
        let invalid = error(400, "Invalid integration name");
        assert_eq!(api.publish(name, &body()).await, invalid, "{name}");
        for method in ["GET", "DELETE"] {
            assert_eq!(
                api.ask(method, &format!("/v1/integrations/{name}")).await,
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
async fn a_path_of_other_shape_is_not_found() {
    let api = Api::start().await;
    for path in [
        "/",
        "/v1/integrations",
        "/v1/integrations/",
        "/v1/integrations/a/b",
        "/v1/integrations/../x",
        "/v2/orgs",
    ] {
        assert_eq!(api.ask("GET", path).await, error(404, "Not found"), "{path}");
    }
}

#[tokio::test]
async fn a_list_has_pages() {
    let api = Api::start().await;
    for name in ["e", "a", "c", "b", "d"] {
        api.publish(name, &body()).await;
    }
    api.publish("other", &with("organization", "other")).await;
    let page = async |query: &str| {
        let (status, page) = api.ask("GET", &format!("/v1/orgs/acme/integrations{query}")).await;
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
    let organizations = api.ask("GET", "/v1/orgs").await.1;
    let ids = organizations["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["acme", "other"]);
}

#[tokio::test]
async fn what_somebody_left_in_the_folder_is_no_integration() {
    let api = Api::start().await;
    api.publish("hello", &body()).await;
    std::fs::write(api.folder.path().join("README.md"), "").unwrap();
    std::fs::create_dir(api.folder.path().join("empty")).unwrap();
    // As a run that was killed leaves it.
    let staged = api.folder.path().join("~0");
    std::fs::create_dir(&staged).unwrap();
    std::fs::copy(api.folder.path().join("hello/integration.json"), staged.join("integration.json")).unwrap();
    let (status, list) = api.ask("GET", "/v1/orgs/acme/integrations").await;
    assert_eq!((status, &list["count"], &list["items"][0]["name"]), (200, &json!(1), &json!("hello")));
    for name in ["README.md", "empty"] {
        assert_eq!(api.ask("GET", &format!("/v1/integrations/{name}")).await.0, 404);
        assert_eq!(api.ask("DELETE", &format!("/v1/integrations/{name}")).await.0, 204);
    }
}

/// Lets every attempt go on.
async fn attempted(_: Option<Failure>) -> Result<Option<Deletion>, ApiError> {
    Ok(None)
}

#[tokio::test]
async fn the_client_follows_all_pages() {
    const COUNT: usize = 1005;
    let api = Api::start().await;
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
    assert_eq!(gitbook.organization("acme").await.unwrap().as_deref(), Some("acme"));
    assert_eq!(gitbook.organization("nobody").await.unwrap(), None);
    assert_eq!(gitbook.delete("i7", attempted).await.last.unwrap(), Deletion::Deleted);
    assert_eq!(gitbook.delete("i7", attempted).await.last.unwrap(), Deletion::DidNotExist);
    assert_eq!(gitbook.read("i7").await.unwrap(), None);
}
