//! Lists: all of their pages, and an organization by its id or subdomain.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gitbook_deploy::gitbook::Published;
use serde_json::{Value, json};
use wiremock::matchers::{path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{client, told};
use crate::support::{Recorded as _, published};

fn page(items: &[Value], next: Option<&str>) -> ResponseTemplate {
    let next = next.map(|page| json!({"page": page}));
    ResponseTemplate::new(200).set_body_json(json!({"items": items, "next": next}))
}

/// A server with two pages of something.
async fn two_pages(at: &str, first: &[Value], second: &[Value]) -> MockServer {
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
async fn a_list_is_all_of_its_pages() {
    let pages = [published("one"), published("two"), published("three")];
    let server = two_pages("/v1/orgs/acme/integrations", &pages[..2], &pages[2..]).await;
    let names: Vec<_> =
        client(&server.uri(), 0).list("acme", |integration| Some(integration.name)).await.unwrap();
    assert_eq!(names, ["one", "two", "three"]);
    assert_eq!(server.asked().await.len(), 2);
}

/// A list without end must not fill the memory.
#[tokio::test]
async fn a_page_is_processed_before_the_next_is_asked_for() {
    let server = MockServer::start().await;
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    let pages = move |_: &Request| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => page(&[published("one"), published("two")], Some("2")),
        _ => page(&[published("three")], None),
    };
    Mock::given(path("/v1/orgs/acme/integrations")).respond_with(pages).mount(&server).await;
    let keep = |integration: Published| Some((integration.name, count.load(Ordering::Relaxed)));
    let seen = client(&server.uri(), 0).list("acme", keep).await.unwrap();
    assert_eq!(seen, [("one".to_owned(), 1), ("two".to_owned(), 1), ("three".to_owned(), 2)]);
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    let server = MockServer::start().await;
    Mock::given(path("/v1/orgs/acme/integrations")).respond_with(page(&[], Some("1"))).mount(&server).await;
    let error = client(&server.uri(), 0).list("acme", Some).await.unwrap_err();
    insta::assert_snapshot!(told(&error), @"
    EndlessList: the list did not end after 1000 pages
    hint: check that `GITBOOK_ENDPOINT` is GitBook's API, and that no proxy answers in its place
    ");
    assert_eq!(server.asked().await.len(), 1000);
}

#[tokio::test]
async fn an_organization_is_known_by_its_id_or_its_subdomain() {
    let organization = |id: &str, hostname: &str| json!({"id": id, "hostname": hostname});
    let first = [organization("id1", "acme.gitbook.io"), json!({"id": "id2"})];
    let second = [organization("id3", "acme-two.gitbook.io")];
    let server = two_pages("/v1/orgs", &first, &second).await;
    let find = async |text: &str| client(&server.uri(), 0).organization(text).await.unwrap();
    assert_eq!(find("acme").await.as_deref(), Some("id1"));
    assert_eq!(find("id2").await.as_deref(), Some("id2"));
    assert_eq!(find("acme-two").await.as_deref(), Some("id3"));
    assert_eq!(find("acme-three").await, None);
    assert_eq!(find("").await, None);
}
