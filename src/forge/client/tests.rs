//! Tests of paginated lists from a server that sends no `Link` header.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

/// Starts a server that sends three pages of ten items without a `Link` header. Returns the server and its request counter.
async fn start_server() -> (MockServer, Arc<AtomicUsize>) {
    let server = MockServer::start().await;
    let request_count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&request_count);
    let response = move |_: &Request| {
        let page = counter.fetch_add(1, Ordering::Relaxed);
        let items: Vec<_> = (0..30).skip(page * 10).take(10).collect();
        ResponseTemplate::new(200).set_body_json(items)
    };
    Mock::given(any()).respond_with(response).mount(&server).await;
    (server, request_count)
}

fn client(server: &MockServer) -> Client {
    let (root, cancel) = (Url::parse(&server.uri()).unwrap(), Cancel::never());
    let (token, timeout) = (&SecretString::from("any"), Duration::from_secs(20));
    let max_wait = MaxWait::Short;
    let access = Access { root: &root, token, timeout, retries: 0, max_wait, cancel: &cancel };
    Client::new(ForgeKind::GitHub, &["repos", "acme", "docs"], &access).unwrap()
}

#[tokio::test]
async fn complete_list_reads_pages_until_an_empty_page() {
    let (server, request_count) = start_server().await;
    let list = client(&server).complete_list(&[], &[], Permission::ReadContents, Some::<usize>).await;
    assert_eq!((list.unwrap(), request_count.load(Ordering::Relaxed)), ((0..30).collect(), 4));
}

#[tokio::test]
async fn list_stops_after_a_page_with_fewer_than_20_items() {
    let (server, request_count) = start_server().await;
    let list = client(&server).list(&[], &[], Permission::ReadContents, Some::<usize>).await;
    assert_eq!((list.unwrap(), request_count.load(Ordering::Relaxed)), ((0..10).collect(), 1));
}

/// Checks that items that `keep` does not select are dropped after each page, so that they do not accumulate in memory.
#[tokio::test]
async fn filters_each_page_before_requesting_the_next_page() {
    let (server, request_count) = start_server().await;
    let keep = |item: usize| (item % 10 == 9).then(|| request_count.load(Ordering::Relaxed));
    let request_counts = client(&server).complete_list(&[], &[], Permission::ReadContents, keep).await;
    assert_eq!(request_counts.unwrap(), [1, 2, 3]);
}
