//! Lists of a server that sends no `Link` header.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

/// A server with three pages of ten items, and no `Link` header. Counts the pages that it was asked for.
async fn server() -> (MockServer, Arc<AtomicUsize>) {
    let server = MockServer::start().await;
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    let answer = move |_: &Request| {
        let page = asked.fetch_add(1, Ordering::Relaxed);
        let items: Vec<_> = (0..30).skip(page * 10).take(10).collect();
        ResponseTemplate::new(200).set_body_json(items)
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    (server, count)
}

fn client(server: &MockServer) -> Client {
    let (root, cancel) = (Url::parse(&server.uri()).unwrap(), Cancel::never());
    let (token, timeout) = (&SecretString::from("any"), Duration::from_secs(20));
    let patience = Patience::Short;
    let access = Access { root: &root, token, timeout, retries: 0, patience, cancel: &cancel };
    Client::new(ForgeKind::GitHub, &["repos", "acme", "docs"], &access).unwrap()
}

#[tokio::test]
async fn a_list_that_decides_deletions_ends_with_an_empty_page() {
    let (server, count) = server().await;
    let list = client(&server).whole_list(&[], &[], Permission::ReadContents, Some::<usize>).await;
    assert_eq!((list.unwrap(), count.load(Ordering::Relaxed)), ((0..30).collect(), 4));
}

#[tokio::test]
async fn another_list_ends_with_a_short_page() {
    let (server, count) = server().await;
    let list = client(&server).list(&[], &[], Permission::ReadContents, Some::<usize>).await;
    assert_eq!((list.unwrap(), count.load(Ordering::Relaxed)), ((0..10).collect(), 1));
}

/// A list without end must not fill the memory.
#[tokio::test]
async fn a_page_is_processed_before_the_next_is_asked_for() {
    let (server, count) = server().await;
    let keep = |item: usize| (item % 10 == 9).then(|| count.load(Ordering::Relaxed));
    let seen = client(&server).whole_list(&[], &[], Permission::ReadContents, keep).await;
    assert_eq!(seen.unwrap(), [1, 2, 3]);
}
