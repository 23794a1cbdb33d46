//! Serves the fake GitHub until the process is stopped, for manual trials of the program. With
//! `cargo run -p fake-github --example serve -- 50`, each response is delayed by 50 ms.

#![expect(clippy::print_stdout, reason = "prints the URL of the server")]

use std::time::Duration;

use fake_github::{FakeGitHub, Head};

#[tokio::main]
async fn main() {
    let latency = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    let forge = FakeGitHub::unvalidated().await;
    forge.latency(Duration::from_millis(latency));
    forge.open_pull_request(12, Head::own("fix"), &"1".repeat(40));
    println!("{}", forge.url());
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        println!("{} requests so far", forge.requests().len());
    }
}
