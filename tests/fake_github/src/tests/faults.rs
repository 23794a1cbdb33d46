//! Faults that the program's own tests do not cover.

use std::io::{Read as _, Write as _};

use serde_json::json;

use super::client::start;
use crate::Fault;

#[tokio::test]
async fn faults_apply_to_matching_requests_only() {
    let (forge, client) = start().await;
    let fault = Fault::on("GET", "/pulls/12").skip(1).times(2).status(403);
    forge.fail(fault.json(json!({"message": "rate limit"})));
    forge.fail(Fault::on("GET", "/pulls$").always().status(502).body("<html>"));
    for status in [200, 403, 403, 200] {
        assert_eq!(client.get("/pulls/12").await.status, status);
        assert_eq!(client.get("/pulls?page=1").await.status, 502);
    }
    forge.clear_faults();
    assert_eq!(client.get("/pulls").await.status, 200);
}

#[tokio::test]
async fn serves_a_test_that_blocks_its_thread() {
    let (forge, _) = start().await;
    let mut stream = std::net::TcpStream::connect(forge.url().replace("http://", "")).unwrap();
    stream.write_all(b"GET /repos HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 500"), "{reply}");
    assert_eq!(forge.expect_violations().len(), 1);
}
