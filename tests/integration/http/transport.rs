//! Failures below HTTP: refused, broken and silent connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gitbook_deploy::gitbook::GitBook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{approve_attempt, client, describe};
use crate::support::{TOKEN, replace_digits_after};

/// Starts a server that reads part of each request, writes these bytes and closes the connection. Returns its address and a
/// counter of connections.
async fn server(bytes: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    (address, connections)
}

async fn publish_error(endpoint: &str) -> String {
    let error = client(endpoint, 1).publish("hello", b"{}".to_vec(), approve_attempt).await.last.unwrap_err();
    replace_digits_after(&describe(&error), "127.0.0.1:", "<port>")
}

#[tokio::test]
async fn reports_a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    insta::assert_snapshot!(publish_error(&format!("http://{address}")).await, @"
    Transport: could not connect to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    hint: check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
}

#[tokio::test]
async fn retries_after_a_broken_connection() {
    let (address, connections) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"name\"").await;
    insta::assert_snapshot!(publish_error(&format!("http://{address}")).await, @"
    Transport: connection to GitBook lost: request or response body error: error reading a body from connection: end of file before message length reached
    hint: re-run the job; publishing and deleting are safe to repeat
    ");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn reports_a_closed_connection() {
    let (address, connections) = server(b"").await;
    insta::assert_snapshot!(publish_error(&format!("http://{address}")).await, @"
    Transport: connection to GitBook lost: connection closed before message completed
    hint: re-run the job; publishing and deleting are safe to repeat
    ");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn reports_a_server_without_tls() {
    let (address, connections) = server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    insta::assert_snapshot!(publish_error(&format!("https://{address}")).await, @"
    Transport: TLS handshake failed with `127.0.0.1:<port>`: received corrupt message of type InvalidContentType
    hint: check the host and port of `GITBOOK_ENDPOINT`; if a private CA signed the certificate, set `SSL_CERT_FILE` to the CA certificate file
    ");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn times_out_if_the_server_does_not_respond() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let client = GitBook::new(endpoint, TOKEN.into(), Duration::from_millis(200), 1).unwrap();
    let started = std::time::Instant::now();
    insta::assert_snapshot!(describe(&client.publish("hello", b"{}".to_vec(), approve_attempt).await.last.unwrap_err()), @"
    Transport: no response from GitBook within 200ms
    hint: re-run the job, or raise `GITBOOK_TIMEOUT`; publishing and deleting are safe to repeat
    ");
    // The time includes two attempts and the pause between them.
    let elapsed = started.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test]
async fn reports_an_invalid_endpoint() {
    let endpoint = "data:text/plain,x".parse().unwrap();
    let client = GitBook::new(endpoint, TOKEN.into(), Duration::from_secs(1), 0).unwrap();
    insta::assert_snapshot!(describe(&client.read("hello").await.unwrap_err()), @"
    Url: `GITBOOK_ENDPOINT` is not a valid base URL: relative URL with a cannot-be-a-base base
    hint: set it to a URL such as `https://api.gitbook.com`
    ");
}
