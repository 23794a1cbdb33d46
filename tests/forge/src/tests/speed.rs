//! How long requests take, printed with `--nocapture`.

use std::time::Instant;

use super::client::Client;
use crate::{Head, StandIn};

#[tokio::test]
#[ignore = "measures, and judges nothing"]
async fn measures_requests() {
    let begun = Instant::now();
    let forge = StandIn::start().await;
    eprintln!("start {:?}", begun.elapsed());
    forge.open_pull_request(12, Head::own("x"), &"b".repeat(40));
    forge.comment_by("mona", 12, "hello");
    measure("validated", &Client::of(&forge)).await;
    let begun = Instant::now();
    let forge = StandIn::unvalidated().await;
    eprintln!("unvalidated start {:?}", begun.elapsed());
    forge.open_pull_request(12, Head::own("x"), &"b".repeat(40));
    forge.comment_by("mona", 12, "hello");
    measure("unvalidated", &Client::of(&forge)).await;
}

async fn measure(kind: &str, client: &Client) {
    for path in ["/pulls/12", "/pulls", "/issues/12/comments", "/branches/main", "/deployments", ""] {
        let begun = Instant::now();
        client.get(path).await;
        let first = begun.elapsed();
        let begun = Instant::now();
        for _ in 0..200 {
            client.get(path).await;
        }
        eprintln!("{kind} {path}: first {first:?}, then {:?}", begun.elapsed() / 200);
    }
}
