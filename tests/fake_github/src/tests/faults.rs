//! Faults that a test orders.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;

use super::client::{Client, reply};
use crate::{FakeGitHub, Fault, Head};

async fn forge() -> FakeGitHub {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(12, Head::own("feature/x"), &"b".repeat(40));
    forge
}

#[tokio::test]
async fn fails_as_often_as_asked() {
    let forge = forge().await;
    let client = Client::of(&forge);
    let fault = Fault::on("GET", "/pulls/12").skip(1).times(2).status(403);
    forge.fail(fault.header("retry-after", "1").json(json!({"message": "rate limit"})));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.get("/pulls/12").await.status);
    }
    assert_eq!(statuses, [200, 403, 403, 200]);
}

#[tokio::test]
async fn fails_always_until_told_otherwise() {
    let forge = forge().await;
    let client = Client::of(&forge);
    forge.fail(Fault::on("GET", "/pulls$").always().status(502).body("<html>"));
    assert_eq!((client.get("/pulls?page=1").await.status, client.get("/pulls").await.status), (502, 502));
    assert_eq!(client.get("/pulls/12").await.status, 200);
    forge.clear_faults();
    assert_eq!(client.get("/pulls").await.status, 200);
}

#[tokio::test]
async fn loses_the_answer_only() {
    let forge = forge().await;
    let client = Client::of(&forge);
    forge.fail(Fault::on("POST", "/comments").close_connection());
    forge.fail(Fault::on("POST", "/comments").after_effect().close_connection());
    for comments in [0, 1] {
        let request =
            client.request(Method::POST, "/issues/12/comments").header("content-type", "application/json");
        assert!(request.body(json!({"body": "x"}).to_string()).send().await.is_err());
        assert_eq!(forge.comments(12).len(), comments);
    }
    assert_eq!(client.get("/pulls/12").await.status, 200);
}

#[tokio::test]
async fn hangs() {
    let forge = forge().await;
    let client = Client::of(&forge);
    forge.fail(Fault::on("GET", "/pulls/12").hang());
    let request = client.request(Method::GET, "/pulls/12");
    assert!(timeout(Duration::from_millis(100), request.send()).await.is_err());
    assert_eq!(client.get("/pulls/12").await.status, 200);
}

#[tokio::test]
async fn validates_the_request_that_it_fails() {
    let forge = forge().await;
    forge.fail(Fault::on("GET", "/pulls").status(502));
    assert_eq!(Client::of(&forge).get("/pulls?branch=x").await.status, 500);
    assert_eq!(forge.expect_violations().len(), 1);
}

#[tokio::test]
async fn takes_its_time() {
    let forge = forge().await;
    let client = Client::of(&forge);
    client.get("/pulls/12").await;
    forge.latency(Duration::from_millis(50));
    let begun = Instant::now();
    client.get("/pulls/12").await;
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn lets_one_token_in() {
    let forge = forge().await;
    forge.require_token("ghs_right");
    let mut client = Client::of(&forge);
    let refused = client.get("/pulls/12").await;
    assert_eq!((refused.status, &refused.body["message"]), (401, &json!("Bad credentials")));
    client.token = "ghs_right".to_owned();
    assert_eq!(client.get("/pulls/12").await.status, 200);
}

#[tokio::test]
async fn records_requests() {
    let forge = forge().await;
    let client = Client::of(&forge);
    client.get("/pulls?state=all").await;
    client.post("/issues/12/comments", json!({"body": "x"})).await;
    let requests = forge.requests();
    assert_eq!((requests[0].method.as_str(), &requests[0].body), ("GET", &None));
    assert_eq!(requests[0].path, "/repos/acme/integrations/pulls?state=all");
    assert_eq!(requests[1].body, Some(json!({"body": "x"})));
    forge.clear_requests();
    assert!(forge.requests().is_empty());
    let sent = reply(client.request(Method::GET, "/pulls")).await;
    assert_eq!((sent.status, forge.requests().len()), (200, 1));
}
