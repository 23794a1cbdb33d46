//! What the API answers, as far as it is used here.

use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An integration as the API tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Published {
    /// Its name, unique over all of GitBook.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// How often it was published.
    pub version: Option<serde_json::Number>,
    /// Its title.
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    /// Its summary, at whose end the mark of a preview stands.
    pub summary: Option<String>,
    /// `public`, `private` or `unlisted`.
    pub visibility: Option<String>,
    /// Where it can be installed.
    pub target: Option<String>,
    /// What it may do.
    pub scopes: Option<Vec<String>>,
    /// What else it consists of, as far as the API repeats it.
    #[serde(flatten)]
    pub content: Content,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Where it can be seen.
    #[serde(deserialize_with = "or_default")]
    pub urls: Urls,
}

/// The fields of an integration that are compared as they are. Each is missing where the API does not repeat it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Content {
    /// Its description.
    pub description: Option<Value>,
    /// Its categories.
    pub categories: Option<Value>,
    /// Its blocks.
    pub blocks: Option<Value>,
    /// Its content sources.
    pub content_sources: Option<Value>,
    /// What can be configured.
    pub configurations: Option<Value>,
    /// Its links.
    pub external_links: Option<Value>,
    /// Its content security policy.
    pub content_security_policy: Option<Value>,
}

/// The organization that owns an integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Owner {
    /// The organization's id.
    pub id: String,
    /// The organization's subdomain.
    pub hostname: Option<String>,
}

impl Owner {
    /// Returns whether this is the organization of an id or a subdomain; `None` if GitBook does not tell its subdomain.
    #[must_use]
    pub(crate) fn is(&self, id_or_subdomain: &str) -> Option<bool> {
        if self.id == id_or_subdomain {
            return Some(true);
        }
        let subdomain = self.hostname.as_deref()?.split('.').next();
        Some(subdomain.is_some_and(|subdomain| subdomain.eq_ignore_ascii_case(id_or_subdomain)))
    }
}

/// Links to an integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Urls {
    /// Its page in the GitBook app.
    pub app: Option<String>,
    /// Where its script answers.
    pub public_endpoint: Option<String>,
}

/// What came of a change, and of how many of its tries nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried<T> {
    /// What the last try came to.
    pub last: T,
    /// How many tries ended in a way that leaves open whether they took effect.
    pub unanswered: u32,
}

/// The failure of an attempt that is followed by another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The time of the failure.
    pub at: Instant,
    /// The number of attempts so far that may have taken effect.
    pub unanswered: u32,
}

/// What came of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone (the API's 205).
    Deleted,
    /// It was not there (the API's 204).
    DidNotExist,
}

/// What is published is published, even where the answer leaves something out.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<Cursor>,
}

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Cursor {
    pub(super) page: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) hostname: Option<String>,
}
