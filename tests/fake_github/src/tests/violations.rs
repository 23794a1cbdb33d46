//! Requests and responses that GitHub's OpenAPI document does not allow.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::client::{Client, reply, start};
use crate::Fault;

/// Sends an invalid request, and asserts that its only violation contains this text.
async fn check(request: impl FnOnce(&Client) -> RequestBuilder, expected: &str) {
    let (forge, client) = start().await;
    let reply = reply(request(&client)).await;
    let violations = forge.expect_violations();
    assert_eq!((reply.status, violations.len()), (500, 1), "{violations:?}");
    assert!(reply.body["message"].as_str().unwrap().contains(&violations[0]));
    assert!(violations[0].contains(expected), "{}", violations[0]);
}

#[tokio::test]
async fn rejects_wrong_paths_methods_and_parameters() {
    for (method, path, expected) in [
        (Method::GET, "/branches/feature/x", "no such operation"),
        (Method::PUT, "/issues/12/comments", "no such operation"),
        (Method::GET, "/pulls/", "no such operation"),
        (Method::DELETE, "", "no such operation"),
        (Method::GET, "/pulls?branch=main", "query parameter branch: no such parameter"),
        (Method::GET, "/pulls?state=merged", r#""merged" is not one of "open", "closed" or "all""#),
        (Method::GET, "/pulls/twelve", r#"path parameter pull_number: "twelve" is not of type "integer""#),
        (Method::GET, "/deployments?per_page=101", "query parameter per_page: 101 is out of range"),
        (Method::GET, "/deployments?sha=a&sha=b", "query parameter sha is given twice"),
    ] {
        check(|client| client.request(method, path), expected).await;
    }
}

#[tokio::test]
async fn rejects_wrong_bodies() {
    for (path, body, expected) in [
        ("/issues/12/comments", "{}", r#""body" is a required property"#),
        ("/issues/12/comments", r#"{"body": 1}"#, r#"body /body: 1 is not of type "string""#),
        ("/deployments", r#"{"ref": "main", "enviroment": "x"}"#, "body /enviroment: no such property"),
        ("/deployments/1/statuses", r#"{"state": "succeeded"}"#, "\"succeeded\" is not one of"),
        ("/deployments", "{", "the body is not JSON"),
    ] {
        check(|client| client.json(path).body(body), expected).await;
    }
    let unexpected = "the request has a body, and the operation takes none";
    check(|client| client.request(Method::GET, "/pulls").body("{}"), unexpected).await;
    let untyped =
        |client: &Client| client.request(Method::POST, "/issues/12/comments").body(r#"{"body": "x"}"#);
    check(untyped, "the content-type is not application/json").await;
}

#[tokio::test]
async fn rejects_wrong_headers() {
    for name in ["authorization", "user-agent", "accept", "x-github-api-version"] {
        let request = |client: &Client| {
            let mut request = client.request(Method::GET, "/pulls").build().unwrap();
            request.headers_mut().remove(name).unwrap();
            if name == "x-github-api-version" {
                request.headers_mut().insert(name, "2021-01-01".parse().unwrap());
            }
            RequestBuilder::from_parts(reqwest::Client::new(), request)
        };
        check(request, &format!("header {name} is")).await;
    }
}

#[tokio::test]
async fn detects_missing_fields_in_its_own_responses() {
    let (forge, mut client) = start().await;
    let comment = format!("/issues/comments/{}", forge.comment_by("mona", 12, "x"));
    let request = json!({"ref": "main", "auto_merge": false, "required_contexts": []});
    let deployment = client.post("/deployments", request).await.body["id"].clone();
    let statuses = format!("/deployments/{deployment}/statuses");
    assert_eq!(client.post(&statuses, json!({"state": "queued"})).await.status, 201);
    for (path, pointer) in [
        ("", "/owner"),
        ("/branches/main", "/commit/sha"),
        ("/pulls", "/0/head/sha"),
        ("/pulls/12", "/base/repo/id"),
        ("/issues/12/comments", "/0/id"),
        (&comment, "/id"),
        ("/deployments", "/0/environment"),
        (&statuses, "/0/state"),
    ] {
        forge.omit(pointer);
        assert_eq!(client.get(path).await.status, 500, "{path}");
        let name = pointer.rsplit('/').next().unwrap();
        let found = forge.expect_violations();
        assert!(found[0].contains(&format!("\"{name}\" is a required property")), "{path}: {found:?}");
    }
    forge.omit("/login");
    client.token = "ghp_monas".to_owned();
    assert_eq!(client.get(&format!("{}/user", forge.url())).await.status, 500);
    assert_eq!(forge.expect_violations().len(), 1);
}

#[tokio::test]
async fn validates_the_requests_and_responses_of_faults() {
    let (forge, client) = start().await;
    let fault = |status| Fault::on("GET", "/pulls/12").status(status);
    for (status, body) in [
        (200, json!({"id": "one"})),
        (200, json!({"idea": 1})),
        (404, json!({"message": "x", "reason": "y"})),
    ] {
        forge.fail(fault(status).json(body));
        assert_eq!(client.get("/pulls/12").await.status, 500);
        assert_eq!(forge.expect_violations().len(), 1);
    }
    forge.fail(fault(200).json(json!({"idea": 1})).unvalidated());
    assert_eq!(client.get("/pulls/12").await.status, 200);
    forge.fail(fault(502));
    assert_eq!(client.get("/pulls/12?branch=x").await.status, 500);
    assert_eq!(forge.expect_violations().len(), 1);
}

#[tokio::test]
#[should_panic(expected = "query parameter branch: no such parameter")]
async fn an_unexpected_violation_panics() {
    let (_forge, client) = start().await;
    client.get("/pulls?branch=main").await;
}
