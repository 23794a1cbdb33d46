//! How long requests take, printed with `--ignored --nocapture`.

#![expect(clippy::print_stderr, reason = "it is there to print")]

use std::time::Instant;

use reqwest::Method;

use super::client::Client;
use crate::{FakeGitHub, Head};

#[tokio::test]
#[ignore = "measures, and judges nothing"]
async fn measures_requests() {
    let begun = Instant::now();
    let forge = FakeGitHub::start().await;
    eprintln!("start {:?}", begun.elapsed());
    forge.open_pull_request(12, Head::own("x"), &"b".repeat(40));
    forge.comment_by("mona", 12, "hello");
    measure("validated", &Client::of(&forge)).await;
    let begun = Instant::now();
    let forge = FakeGitHub::unvalidated().await;
    eprintln!("unvalidated start {:?}", begun.elapsed());
    forge.open_pull_request(12, Head::own("x"), &"b".repeat(40));
    forge.comment_by("mona", 12, "hello");
    measure("unvalidated", &Client::of(&forge)).await;
}

async fn measure(kind: &str, client: &Client) {
    for path in ["/pulls/12", "/pulls", "/issues/12/comments", "/branches/main", "/deployments", ""] {
        let begun = Instant::now();
        send(client, path).await;
        let first = begun.elapsed();
        let begun = Instant::now();
        for _ in 0..200 {
            send(client, path).await;
        }
        eprintln!("{kind} {path}: first {first:?}, then {:?}", begun.elapsed() / 200);
    }
}

/// Without a look at the answer, which would take longer than to give it.
async fn send(client: &Client, path: &str) {
    let response = client.request(Method::GET, path).send().await.unwrap();
    assert!(!response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
#[ignore = "measures, and judges nothing"]
async fn measures_histories() {
    let begun = Instant::now();
    for _ in 0..2_000 {
        let forge = FakeGitHub::unvalidated().await;
        forge.open_pull_request(12, Head::own("x"), &"b".repeat(40));
        let client = Client::of(&forge);
        for path in ["/pulls/12", "/issues/12/comments", "/branches/x", "/deployments", "/pulls"] {
            send(&client, path).await;
        }
    }
    eprintln!("a history of five requests takes {:?}", begun.elapsed() / 2_000);
}
