//! Requests and answers that GitHub's document does not allow.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::client::{Client, reply};
use crate::{FakeGitHub, Fault, Head};

/// A stand-in with a pull request and a deployment's worth of branches.
async fn forge() -> FakeGitHub {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(12, Head::own("feature/x"), &"b".repeat(40));
    forge
}

/// The one violation that the request is.
async fn violation(request: impl FnOnce(&Client) -> RequestBuilder) -> String {
    let forge = forge().await;
    let reply = reply(request(&Client::of(&forge))).await;
    let violations = forge.expect_violations();
    assert_eq!((reply.status, violations.len()), (500, 1), "{violations:?}");
    assert!(reply.body["message"].as_str().unwrap().contains(&violations[0]));
    violations[0].clone()
}

async fn violation_of(method: Method, path: &str) -> String {
    violation(|client| client.request(method, path)).await
}

async fn violation_with(path: &str, body: serde_json::Value) -> String {
    let send = |client: &Client| {
        let request = client.request(Method::POST, path).header("content-type", "application/json");
        request.body(body.to_string())
    };
    violation(send).await
}

fn assert_says(violation: &str, expected: &str) {
    assert!(violation.ends_with(expected), "{violation}");
}

#[tokio::test]
async fn finds_a_wrong_path_or_method() {
    let expected = "no operation is served there";
    assert_says(&violation_of(Method::GET, "/branches/feature/x").await, expected);
    assert_says(&violation_of(Method::PUT, "/issues/12/comments").await, expected);
    assert_says(&violation_of(Method::GET, "/pulls/").await, expected);
    assert_says(&violation_of(Method::DELETE, "").await, expected);
}

#[tokio::test]
async fn finds_wrong_parameters() {
    let unknown = violation_of(Method::GET, "/pulls?branch=main").await;
    assert_says(&unknown, "query parameter branch: no such parameter");
    let state = violation_of(Method::GET, "/pulls?state=merged").await;
    assert_says(&state, r#""merged" is not one of "open", "closed" or "all""#);
    let number = violation_of(Method::GET, "/pulls/twelve").await;
    assert_says(&number, r#"path parameter pull_number: "twelve" is not of type "integer""#);
    let most = violation_of(Method::GET, "/deployments?per_page=101").await;
    assert_says(&most, "query parameter per_page: 101 is out of range");
    let twice = violation_of(Method::GET, "/deployments?page=1&per_page=3&sha=a&sha=b").await;
    assert!(twice.contains("query parameter sha is given twice"), "{twice}");
}

#[tokio::test]
async fn finds_wrong_bodies() {
    let missing = violation_with("/issues/12/comments", json!({})).await;
    assert_says(&missing, r#""body" is a required property"#);
    let kind = violation_with("/issues/12/comments", json!({"body": 1})).await;
    assert_says(&kind, r#"body /body: 1 is not of type "string""#);
    let misspelt = violation_with("/deployments", json!({"ref": "main", "enviroment": "preview"})).await;
    assert_says(&misspelt, "body /enviroment: no such property");
    let state = violation_with("/deployments/1/statuses", json!({"state": "succeeded"})).await;
    assert!(state.contains("\"succeeded\" is not one of"), "{state}");
    let unwanted = violation(|client| client.request(Method::GET, "/pulls").body("{}")).await;
    assert_says(&unwanted, "the request has a body, and the operation takes none");
    let broken = violation(|client| client.request(Method::POST, "/deployments").body("{")).await;
    assert_says(&broken, "the body is not JSON");
    let body = json!({"body": "x"}).to_string();
    let unnamed = violation(|client| client.request(Method::POST, "/issues/12/comments").body(body)).await;
    assert_says(&unnamed, "the content-type is not application/json");
}

#[tokio::test]
async fn finds_missing_headers() {
    let right = [
        ("authorization", "Bearer ghs_x"),
        ("user-agent", "test"),
        ("accept", "application/vnd.github+json"),
        ("x-github-api-version", "2022-11-28"),
    ];
    for missing in ["authorization", "user-agent", "accept"] {
        let some = right.into_iter().filter(|(name, _)| *name != missing);
        let send = |client: &Client| {
            some.fold(client.bare(Method::GET, "/pulls"), |request, (name, value)| {
                request.header(name, value)
            })
        };
        assert!(violation(send).await.contains(&format!("header {missing} is")), "{missing}");
    }
    let send = |client: &Client| {
        let all = right[..3].iter();
        let request = client.bare(Method::GET, "/pulls").header("x-github-api-version", "2021-01-01");
        all.fold(request, |request, (name, value)| request.header(*name, *value))
    };
    assert_says(&violation(send).await, "header x-github-api-version is not 2022-11-28");
}

/// Has the answers lack this field, and looks for it in the violation.
async fn assert_missed(forge: &FakeGitHub, path: &str, pointer: &str) {
    forge.omit(pointer);
    let client = Client::of(forge);
    assert_eq!(client.get(path).await.status, 500, "{path}");
    let name = pointer.rsplit('/').next().unwrap();
    let found = forge.expect_violations();
    assert!(found[0].contains(&format!("\"{name}\" is a required property")), "{path}: {found:?}");
}

#[tokio::test]
async fn finds_an_answer_that_lacks_a_field() {
    let forge = forge().await;
    let comment = forge.comment_by("mona", 12, "x");
    let client = Client::of(&forge);
    let order = json!({"ref": "main", "auto_merge": false, "required_contexts": []});
    let deployment = client.post("/deployments", order).await.body["id"].clone();
    let statuses = format!("/deployments/{deployment}/statuses");
    assert_eq!(client.post(&statuses, json!({"state": "queued"})).await.status, 201);
    let answers = [
        ("", "/owner"),
        ("/branches/main", "/commit/sha"),
        ("/pulls", "/0/head/sha"),
        ("/pulls/12", "/base/repo/id"),
        ("/issues/12/comments", "/0/id"),
        (&format!("/issues/comments/{comment}"), "/id"),
        ("/deployments", "/0/environment"),
        (&statuses, "/0/state"),
    ];
    for (path, pointer) in answers {
        assert_missed(&forge, path, pointer).await;
    }
}

#[tokio::test]
async fn finds_a_user_that_is_neither_private_nor_public() {
    let forge = forge().await;
    forge.omit("/login");
    let mut client = Client::of(&forge);
    client.token = "ghp_monas".to_owned();
    assert_eq!(client.get(&format!("{}/user", forge.url())).await.status, 500);
    assert_eq!(forge.expect_violations().len(), 1);
}

#[tokio::test]
async fn finds_a_field_that_github_does_not_have() {
    let forge = forge().await;
    forge.fail(Fault::on("GET", "/pulls/12").status(404).json(json!({"message": "x", "reason": "y"})));
    assert_eq!(Client::of(&forge).get("/pulls/12").await.status, 500);
    assert_says(&forge.expect_violations()[0], "with 404: /reason: no such property");
}

#[tokio::test]
async fn finds_wrong_answers_that_a_test_orders() {
    let forge = forge().await;
    let client = Client::of(&forge);
    for body in [json!({"id": "one"}), json!({"idea": 1})] {
        forge.fail(Fault::on("POST", "/comments").status(201).json(body));
        assert_eq!(client.post("/issues/12/comments", json!({"body": "x"})).await.status, 500);
        assert_eq!(forge.expect_violations().len(), 1);
    }
    forge.fail(Fault::on("POST", "/comments").status(201).json(json!({"idea": 1})).unvalidated());
    assert_eq!(client.post("/issues/12/comments", json!({"body": "x"})).await.status, 201);
}

#[tokio::test]
#[should_panic(expected = "query parameter branch: no such parameter")]
async fn panics_with_what_no_test_has_looked_at() {
    let forge = forge().await;
    Client::of(&forge).get("/pulls?branch=main").await;
}

#[tokio::test]
async fn lets_anything_pass_when_asked_to() {
    let forge = FakeGitHub::unvalidated().await;
    let client = Client::of(&forge);
    assert_eq!(client.get("/pulls?branch=main").await.status, 200);
    assert_eq!(client.get("/nothing").await.status, 404);
    assert_eq!(reply(client.bare(Method::GET, "/pulls")).await.status, 401);
    assert!(forge.violations().is_empty());
}
