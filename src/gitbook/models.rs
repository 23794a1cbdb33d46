//! The fields of GitBook's responses that the program uses.

use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An integration in a response from GitBook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PublishedIntegration {
    /// The name, unique in all of GitBook.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// The version number. GitBook increments it each time that the integration is published.
    pub version: Option<serde_json::Number>,
    /// The title.
    #[serde(deserialize_with = "null_as_default")]
    pub title: String,
    /// The summary. A preview's summary ends with its ownership marker.
    pub summary: Option<String>,
    /// `public`, `private` or `unlisted`.
    pub visibility: Option<String>,
    /// The places where the integration can be installed: `all`, `site`, `space` or `organization`.
    pub target: Option<String>,
    /// The permissions that the integration asks for.
    pub scopes: Option<Vec<String>>,
    /// The optional fields that the program compares, as JSON, with the request.
    #[serde(flatten)]
    pub content: PublishedContent,
    /// The owner.
    pub owner: Option<Owner>,
    /// The links.
    #[serde(deserialize_with = "null_as_default")]
    pub urls: Urls,
}

/// The optional fields that are compared with the publish request, as JSON. GitBook's response may omit any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PublishedContent {
    /// The description.
    pub description: Option<Value>,
    /// The categories.
    pub categories: Option<Value>,
    /// The blocks.
    pub blocks: Option<Value>,
    /// The content sources.
    pub content_sources: Option<Value>,
    /// The configuration forms.
    pub configurations: Option<Value>,
    /// The external links.
    pub external_links: Option<Value>,
    /// The content security policy.
    pub content_security_policy: Option<Value>,
}

/// The organization that owns an integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Owner {
    /// The organization's ID.
    pub id: String,
    /// The organization's subdomain.
    pub hostname: Option<String>,
}

impl Owner {
    /// Returns true if the organization has this ID or subdomain. Returns `None` if the ID differs and the response omits the
    /// subdomain.
    #[must_use]
    pub(crate) fn matches(&self, id_or_subdomain: &str) -> Option<bool> {
        if self.id == id_or_subdomain {
            return Some(true);
        }
        let subdomain = self.hostname.as_deref()?.split('.').next();
        Some(subdomain.is_some_and(|subdomain| subdomain.eq_ignore_ascii_case(id_or_subdomain)))
    }
}

/// The links to an integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Urls {
    /// The page in the GitBook app.
    pub app: Option<String>,
    /// The endpoint of the integration's script.
    pub public_endpoint: Option<String>,
}

/// The result of a request with retries, and the number of failed attempts with an unknown effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts<T> {
    /// The result of the last attempt.
    pub last: T,
    /// The number of failed attempts that may have taken effect.
    pub unanswered: u32,
}

/// A failed attempt that will be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The time of the failure.
    pub at: Instant,
    /// The number of failed attempts so far that may have taken effect.
    pub unanswered: u32,
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The integration was deleted (status 205).
    Deleted,
    /// The integration did not exist (status 204).
    DidNotExist,
}

/// Deserializes `null` as the default value, because a successful request must not fail due to an incomplete response.
fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
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

/// The position of the next page.
#[derive(Debug, Deserialize)]
pub(super) struct Cursor {
    pub(super) page: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Organization {
    pub(super) id: String,
    pub(super) hostname: Option<String>,
}
