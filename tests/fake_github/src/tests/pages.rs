//! Lists that are longer than a page.

use serde_json::Value;

use super::client::{Client, Reply};
use crate::{FakeGitHub, Head};

async fn forge() -> FakeGitHub {
    let forge = FakeGitHub::start().await;
    forge.open_pull_request(12, Head::own("feature/x"), &"b".repeat(40));
    for number in 1..=5 {
        forge.comment_by("mona", 12, &number.to_string());
    }
    forge
}

/// The address that the reply's links have for this relation.
fn linked(reply: &Reply, relation: &str) -> Option<String> {
    let links = reply.link.as_deref()?.split(", ");
    let found = links.filter_map(|link| link.split_once("; "));
    let mut found = found.filter(|(_, kind)| *kind == format!("rel=\"{relation}\""));
    found.next().map(|(address, _)| address.trim_matches(['<', '>']).to_owned())
}

fn bodies(reply: &Reply) -> Vec<String> {
    let text = |comment: &Value| comment["body"].as_str().unwrap().to_owned();
    reply.body.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn links_each_page_to_the_next() {
    let forge = forge().await;
    forge.page_size(2);
    let client = Client::of(&forge);
    let first = client.get("/issues/12/comments?per_page=100").await;
    assert_eq!(bodies(&first), ["1", "2"]);
    let next = linked(&first, "next").unwrap();
    assert_eq!(next, format!("{}/repositories/1296269/issues/12/comments?per_page=100&page=2", forge.url()));
    let second = client.get(&next).await;
    assert_eq!(
        (bodies(&second), linked(&second, "prev").is_some()),
        (vec!["3".to_owned(), "4".to_owned()], true)
    );
    let last = client.get(&linked(&first, "last").unwrap()).await;
    assert_eq!((bodies(&last), linked(&last, "next")), (vec!["5".to_owned()], None));
}

#[tokio::test]
async fn links_nothing_where_one_page_is_enough() {
    let forge = forge().await;
    let reply = Client::of(&forge).get("/issues/12/comments").await;
    assert_eq!((reply.body.as_array().unwrap().len(), reply.link), (5, None));
}

#[tokio::test]
async fn gives_an_empty_page_after_the_last() {
    let forge = forge().await;
    let reply = Client::of(&forge).get("/issues/12/comments?per_page=2&page=7").await;
    assert!(bodies(&reply).is_empty());
    assert_eq!(linked(&reply, "next"), None);
    assert!(linked(&reply, "prev").unwrap().ends_with("page=3"));
}

#[tokio::test]
async fn keeps_the_filters_in_its_links() {
    let forge = forge().await;
    forge.open_pull_request(13, Head::own("a&b"), &"c".repeat(40));
    forge.close_pull_request(13);
    forge.open_pull_request(14, Head::own("a&b"), &"c".repeat(40));
    forge.page_size(1);
    let client = Client::of(&forge);
    let first = client.get("/pulls?state=all&head=acme:a%26b").await;
    let second = client.get(&linked(&first, "next").unwrap()).await;
    assert_eq!((&first.body[0]["number"], &second.body[0]["number"]), (&14.into(), &13.into()));
}

#[tokio::test]
async fn stays_below_the_path_of_github_enterprise() {
    let forge = forge().await;
    forge.page_size(3);
    let client = Client::of(&forge);
    let list = format!("{}/repos/acme/integrations/issues/12/comments", forge.enterprise_url());
    let first = client.get(&list).await;
    assert!(first.body[0]["url"].as_str().unwrap().starts_with(&forge.enterprise_url()));
    let next = linked(&first, "next").unwrap();
    assert!(next.starts_with(&forge.enterprise_url()), "{next}");
    assert_eq!(bodies(&client.get(&next).await), ["4", "5"]);
}
