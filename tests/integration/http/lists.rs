//! Lists with several pages, and the lookup of an organization by its id or subdomain.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gitbook_deploy::gitbook::PublishedIntegration;
use serde_json::{Value, json};
use wiremock::matchers::{path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{client, describe};
use crate::support::{RecordedRequests as _, published};

fn page(items: &[Value], next: Option<&str>) -> ResponseTemplate {
    let next = next.map(|page| json!({"page": page}));
    ResponseTemplate::new(200).set_body_json(json!({"items": items, "next": next}))
}

/// Starts a server with a list of two pages.
async fn server_with_two_pages(at: &str, first: &[Value], second: &[Value]) -> MockServer {
    let server = MockServer::start().await;
    let first_page = Mock::given(path(at)).and(query_param("limit", "1000"));
    first_page
        .and(query_param_is_missing("page"))
        .respond_with(page(first, Some("a b&c")))
        .mount(&server)
        .await;
    let second_page = Mock::given(path(at)).and(query_param("limit", "1000"));
    second_page.and(query_param("page", "a b&c")).respond_with(page(second, None)).mount(&server).await;
    server
}

#[tokio::test]
async fn reads_all_pages_of_a_list() {
    let pages = [published("one"), published("two"), published("three")];
    let server = server_with_two_pages("/v1/orgs/acme/integrations", &pages[..2], &pages[2..]).await;
    let names: Vec<_> =
        client(&server.uri(), 0).list("acme", |integration| Some(integration.name)).await.unwrap();
    assert_eq!(names, ["one", "two", "three"]);
    assert_eq!(server.requests().await.len(), 2);
}

/// A client that kept all pages would run out of memory on an endless list.
#[tokio::test]
async fn processes_a_page_before_it_requests_the_next_page() {
    let server = MockServer::start().await;
    let count = Arc::new(AtomicUsize::new(0));
    let requests = Arc::clone(&count);
    let pages = move |_: &Request| match requests.fetch_add(1, Ordering::Relaxed) {
        0 => page(&[published("one"), published("two")], Some("2")),
        _ => page(&[published("three")], None),
    };
    Mock::given(path("/v1/orgs/acme/integrations")).respond_with(pages).mount(&server).await;
    let keep = |integration: PublishedIntegration| Some((integration.name, count.load(Ordering::Relaxed)));
    let names_and_requests = client(&server.uri(), 0).list("acme", keep).await.unwrap();
    assert_eq!(names_and_requests, [("one".to_owned(), 1), ("two".to_owned(), 1), ("three".to_owned(), 2)]);
}

#[tokio::test]
async fn stops_reading_an_endless_list() {
    let server = MockServer::start().await;
    Mock::given(path("/v1/orgs/acme/integrations")).respond_with(page(&[], Some("1"))).mount(&server).await;
    let error = client(&server.uri(), 0).list("acme", Some).await.unwrap_err();
    insta::assert_snapshot!(describe(&error), @"
    TooManyPages: GitBook sent a list of more than 1000 pages
    hint: check that `GITBOOK_ENDPOINT` is the URL of the API and that no proxy intercepts the requests
    ");
    assert_eq!(server.requests().await.len(), 1000);
}

#[tokio::test]
async fn finds_an_organization_by_its_id_or_subdomain() {
    let organization = |id: &str, hostname: &str| json!({"id": id, "hostname": hostname});
    let first = [organization("id1", "acme.gitbook.io"), json!({"id": "id2"})];
    let second = [organization("id3", "acme-two.gitbook.io")];
    let server = server_with_two_pages("/v1/orgs", &first, &second).await;
    let find = async |text: &str| client(&server.uri(), 0).organization_id(text).await.unwrap();
    assert_eq!(find("acme").await.as_deref(), Some("id1"));
    assert_eq!(find("id2").await.as_deref(), Some("id2"));
    assert_eq!(find("acme-two").await.as_deref(), Some("id3"));
    assert_eq!(find("acme-three").await, None);
    assert_eq!(find("").await, None);
}
