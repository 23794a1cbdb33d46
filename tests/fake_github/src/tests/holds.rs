//! Requests that a test makes wait.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinHandle;

use super::client::{Client, Reply};
use crate::{Barrier, FakeGitHub, Head};

async fn forge() -> (FakeGitHub, Arc<Client>) {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(12, Head::own("feature/x"), &"b".repeat(40));
    let client = Arc::new(Client::of(&forge));
    (forge, client)
}

fn pull(client: &Arc<Client>) -> JoinHandle<Reply> {
    let client = client.clone();
    tokio::spawn(async move { client.get("/pulls/12").await })
}

#[tokio::test]
async fn handles_a_held_request_when_it_is_released() {
    let (forge, client) = forge().await;
    let gate = forge.hold("GET", "/pulls/12");
    let held = pull(&client);
    gate.reached().await;
    forge.close_pull_request(12);
    assert_eq!(client.get("/pulls/12").await.body["state"], "closed");
    gate.release();
    assert_eq!(held.await.unwrap().body["state"], "closed");
}

#[tokio::test]
async fn holds_back_an_answer_that_stands() {
    let (forge, client) = forge().await;
    let gate = forge.hold_answer("GET", "/pulls/12");
    assert!(!gate.is_reached());
    let held = pull(&client);
    gate.reached().await;
    forge.close_pull_request(12);
    gate.release();
    assert_eq!(held.await.unwrap().body["state"], "open");
}

#[tokio::test]
async fn holds_back_the_answer_to_what_is_done() {
    let (forge, client) = forge().await;
    let gate = forge.hold_answer("POST", "/issues/12/comments");
    let sender = client.clone();
    let held = tokio::spawn(async move { sender.post("/issues/12/comments", json!({"body": "x"})).await });
    gate.reached().await;
    assert_eq!(forge.comments(12).len(), 1);
    drop(gate);
    assert_eq!(held.await.unwrap().status, 201);
}

#[tokio::test]
async fn holds_one_request_for_each_gate() {
    let (forge, client) = forge().await;
    let gates = [forge.hold("GET", "/pulls/12"), forge.hold("GET", "/pulls/12")];
    let held = [pull(&client), pull(&client)];
    for gate in &gates {
        gate.reached().await;
        gate.release();
    }
    for held in held {
        assert_eq!(held.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn serves_while_the_test_blocks_its_thread() {
    let (forge, _) = forge().await;
    let address = forge.url().replace("http://", "");
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let head =
        "GET /repos/acme/integrations/pulls HTTP/1.1\r\nhost: x\r\nconnection: close\r\nuser-agent: test\r\n";
    let more = "accept: application/vnd.github+json\r\nauthorization: Bearer ghs_x\r\n\r\n";
    stream.write_all(format!("{head}{more}").as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
}

#[test]
fn crosses_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<FakeGitHub>();
    is_shared::<Barrier>();
}
