//! Tests of paginated lists from a server that sends no `Link` header.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

/// Starts a server that sends three pages of ten items without a `Link` header. Returns the server and its request counter.
async fn server() -> (MockServer, Arc<AtomicUsize>) {
    let server = MockServer::start().await;
    let count = Arc::new(AtomicUsize::new(0));
    let requests = Arc::clone(&count);
    let response = move |_: &Request| {
        let page = requests.fetch_add(1, Ordering::Relaxed);
        let items: Vec<_> = (0..30).skip(page * 10).take(10).collect();
        ResponseTemplate::new(200).set_body_json(items)
    };
    Mock::given(any()).respond_with(response).mount(&server).await;
    (server, count)
}

fn client(server: &MockServer) -> Client {
    let (root, cancel) = (Url::parse(&server.uri()).unwrap(), Cancel::never());
    let (token, timeout) = (&SecretString::from("any"), Duration::from_secs(20));
    let max_wait = MaxWait::Short;
    let access = Access { root: &root, token, timeout, retries: 0, max_wait, cancel: &cancel };
    Client::new(ForgeKind::GitHub, &["repos", "acme", "docs"], &access).unwrap()
}

#[tokio::test]
async fn a_complete_list_ends_with_an_empty_page() {
    let (server, count) = server().await;
    let list = client(&server).complete_list(&[], &[], Permission::ReadContents, Some::<usize>).await;
    assert_eq!((list.unwrap(), count.load(Ordering::Relaxed)), ((0..30).collect(), 4));
}

#[tokio::test]
async fn a_list_ends_with_a_short_page() {
    let (server, count) = server().await;
    let list = client(&server).list(&[], &[], Permission::ReadContents, Some::<usize>).await;
    assert_eq!((list.unwrap(), count.load(Ordering::Relaxed)), ((0..10).collect(), 1));
}

/// Items that are not selected must not accumulate in memory.
#[tokio::test]
async fn processes_a_page_before_the_request_for_the_next() {
    let (server, count) = server().await;
    let keep = |item: usize| (item % 10 == 9).then(|| count.load(Ordering::Relaxed));
    let seen = client(&server).complete_list(&[], &[], Permission::ReadContents, keep).await;
    assert_eq!(seen.unwrap(), [1, 2, 3]);
}
