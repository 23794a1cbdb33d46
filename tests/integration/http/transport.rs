//! Failures below HTTP: no connection, one that breaks, one that says nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gitbook_deploy::gitbook::GitBook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{attempted, client, told};
use crate::support::{TOKEN, replace_digits_after};

/// A server that reads some of each request, writes these bytes and hangs up. Also counts connections.
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

async fn publishing(endpoint: &str) -> String {
    let error = client(endpoint, 1).publish("hello", b"{}".to_vec(), attempted).await.last.unwrap_err();
    replace_digits_after(&told(&error), "127.0.0.1:", "<port>")
}

#[tokio::test]
async fn nobody_who_listens_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    insta::assert_snapshot!(publishing(&format!("http://{address}")).await, @"
    Transport: no connection to `127.0.0.1:<port>`: tcp connect error: Connection refused (os error 111)
    hint: check `GITBOOK_ENDPOINT`, the network, and `HTTPS_PROXY` if there is a proxy
    ");
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_is_tried_again() {
    let (address, connections) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"name\"").await;
    insta::assert_snapshot!(publishing(&format!("http://{address}")).await, @"
    Transport: the connection broke: request or response body error: error reading a body from connection: end of file before message length reached
    hint: run again, which is safe
    ");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_server_that_hangs_up_is_a_broken_connection() {
    let (address, connections) = server(b"").await;
    insta::assert_snapshot!(publishing(&format!("http://{address}")).await, @"
    Transport: the connection broke: connection closed before message completed
    hint: run again, which is safe
    ");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_told_at_once() {
    let (address, connections) = server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    insta::assert_snapshot!(publishing(&format!("https://{address}")).await, @"
    Transport: no secure connection to `127.0.0.1:<port>`: received corrupt message of type InvalidContentType
    hint: check the host and port of `GITBOOK_ENDPOINT`; if a proxy or server of your own signs certificates, name its authority's file with `SSL_CERT_FILE`
    ");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let client = GitBook::new(endpoint, TOKEN.into(), Duration::from_millis(200), 1).unwrap();
    let started = std::time::Instant::now();
    insta::assert_snapshot!(told(&client.publish("hello", b"{}".to_vec(), attempted).await.last.unwrap_err()), @"
    Transport: no answer within 200ms
    hint: run again, which is safe, or raise `GITBOOK_TIMEOUT`
    ");
    // Two tries and the pause between them.
    let took = started.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn an_endpoint_that_makes_no_url_is_told() {
    let endpoint = "data:text/plain,x".parse().unwrap();
    let client = GitBook::new(endpoint, TOKEN.into(), Duration::from_secs(1), 0).unwrap();
    insta::assert_snapshot!(told(&client.read("hello").await.unwrap_err()), @"
    Url: the endpoint makes no URL: relative URL with a cannot-be-a-base base
    hint: check `GITBOOK_ENDPOINT`
    ");
}
