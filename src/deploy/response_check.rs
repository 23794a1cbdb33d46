//! Compares GitBook's response with the request.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::field_comparison::is_same_field;
use crate::gitbook::{PublishedContent, PublishedIntegration};
use crate::integration::{Integration, PreviewIdentity};

/// The maximum length of a field's value in the log, in characters.
const MAX_LOGGED_CHARACTERS: usize = 200;

/// The fields of a publish request that the response should repeat. An empty text means that the field was not sent, so it
/// matches any response.
#[derive(Debug)]
pub(super) struct ExpectedIntegration<'a> {
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    pub(super) visibility: &'a str,
    pub(super) target: &'a str,
    pub(super) scopes: BTreeSet<&'a str>,
    /// The summary; `None` for a preview, whose summary contains the marker and is checked separately.
    pub(super) summary: Option<&'a str>,
    /// The ID or subdomain of the organization.
    pub(super) organization: &'a str,
    pub(super) content: PublishedContent,
}

/// A difference between a request and its response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference<'a> {
    /// The response has the name of another integration.
    Integration { sent: &'a str, got: &'a str },
    /// A field has another value.
    Field { name: &'a str, field: &'static str, sent: String, got: String },
    /// The response lacks a field.
    Missing { name: &'a str, field: &'static str, sent: String },
}

impl<'a> ExpectedIntegration<'a> {
    /// Returns the expected fields of an integration in production.
    pub(super) fn for_production(integration: &'a Integration) -> Self {
        Self {
            name: &integration.name,
            title: integration.title(),
            visibility: integration.text("visibility"),
            target: integration.text("target"),
            scopes: integration.scopes(),
            summary: Some(integration.text("summary")),
            organization: integration.text("organization"),
            content: PublishedContent {
                description: integration.field("description").cloned(),
                categories: integration.field("categories").cloned(),
                blocks: integration.field("blocks").cloned(),
                content_sources: integration.field("contentSources").cloned(),
                configurations: integration.field("configurations").cloned(),
                external_links: integration.field("externalLinks").cloned(),
                content_security_policy: integration.field("contentSecurityPolicy").cloned(),
            },
        }
    }

    /// Returns the expected fields of a preview.
    pub(super) fn for_preview(integration: &'a Integration, identity: &'a PreviewIdentity) -> Self {
        let PreviewIdentity { name, title, visibility, .. } = identity;
        Self { name, title, visibility, summary: None, ..Self::for_production(integration) }
    }

    /// Returns true if publishing would not change the existing integration. A field that the request omits must have
    /// GitBook's default value. A field that the response omits counts as empty.
    pub(super) fn matches_published(&self, existing: &PublishedIntegration) -> bool {
        let or_default = |sent: &'a str, default: &'a str| if sent.is_empty() { default } else { sent };
        let (visibility, target) = (or_default(self.visibility, "private"), or_default(self.target, "all"));
        let is_present_or_empty = |(field, sent, got): (_, &Value, &Option<Value>)| {
            got.is_some() || is_same_field(field, sent, &Value::Null)
        };
        let has_summary =
            existing.summary.is_some() || self.summary.is_none_or(|sent| sent.trim_end().is_empty());
        self.differences_from(visibility, target, existing).is_empty()
            && has_summary
            && self.content_fields(&existing.content).into_iter().all(is_present_or_empty)
            && existing.owner.as_ref().and_then(|owner| owner.matches(self.organization)) != Some(false)
    }

    /// Returns the differences between the request and the response. If the response describes another integration, returns only
    /// this difference.
    pub(super) fn differences(&self, response: &'a PublishedIntegration) -> Vec<Difference<'a>> {
        self.differences_from(self.visibility, self.target, response)
    }

    fn differences_from(
        &self,
        visibility: &'a str,
        target: &'a str,
        response: &'a PublishedIntegration,
    ) -> Vec<Difference<'a>> {
        if let Some(got) = self.other_name(response) {
            return vec![Difference::Integration { sent: self.name, got }];
        }
        let nonempty_option = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
        let nonempty = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        let texts = [
            ("name", self.name, nonempty(&response.name)),
            ("title", self.title, nonempty(&response.title)),
            ("visibility", visibility, nonempty_option(&response.visibility)),
            ("target", target, nonempty_option(&response.target)),
        ];
        let different = texts.into_iter().filter(|(_, sent, got)| !sent.is_empty() && Some(*sent) != *got);
        let mut differences: Vec<_> = different
            .map(|(field, sent, got)| self.new_difference(field, sent.to_owned(), got.map(str::to_owned)))
            .collect();
        let scopes: Option<BTreeSet<_>> =
            response.scopes.as_ref().map(|scopes| scopes.iter().map(String::as_str).collect());
        if scopes.as_ref() != Some(&self.scopes) {
            differences.push(self.new_difference(
                "scopes",
                join_scopes(&self.scopes),
                scopes.as_ref().map(join_scopes),
            ));
        }
        if let Some((sent, got)) = self.summary.zip(response.summary.as_deref())
            && sent.trim_end() != got.trim_end()
        {
            differences.push(self.new_difference("summary", shorten(sent), Some(shorten(got))));
        }
        differences.extend(self.differences_in_content(&response.content));
        differences
    }

    /// Returns the differences in optional fields. A field that the response omits is not a difference.
    fn differences_in_content(&self, got: &PublishedContent) -> Vec<Difference<'a>> {
        let difference = |(field, sent, got): (_, &Value, &Option<Value>)| {
            let got = got.as_ref().filter(|got| !is_same_field(field, sent, got))?;
            Some(self.new_difference(field, shorten(&sent.to_string()), Some(shorten(&got.to_string()))))
        };
        self.content_fields(got).into_iter().filter_map(difference).collect()
    }

    /// Returns the name, the sent value and the returned value of each optional field.
    fn content_fields<'b>(
        &'b self,
        got: &'b PublishedContent,
    ) -> [(&'static str, &'b Value, &'b Option<Value>); 7] {
        let sent = &self.content;
        [
            ("description", &sent.description, &got.description),
            ("categories", &sent.categories, &got.categories),
            ("blocks", &sent.blocks, &got.blocks),
            ("contentSources", &sent.content_sources, &got.content_sources),
            ("configurations", &sent.configurations, &got.configurations),
            ("externalLinks", &sent.external_links, &got.external_links),
            ("contentSecurityPolicy", &sent.content_security_policy, &got.content_security_policy),
        ]
        .map(|(field, sent, got)| (field, sent.as_ref().unwrap_or(&Value::Null), got))
    }

    /// Returns the name in the response if it differs from the requested name, ignoring case.
    pub(super) fn other_name(&self, response: &'a PublishedIntegration) -> Option<&'a str> {
        let is_other = !response.name.is_empty() && !response.name.eq_ignore_ascii_case(self.name);
        is_other.then_some(&*response.name)
    }

    fn new_difference(&self, field: &'static str, sent: String, got: Option<String>) -> Difference<'a> {
        match got {
            Some(got) => Difference::Field { name: self.name, field, sent, got },
            None => Difference::Missing { name: self.name, field, sent },
        }
    }
}

/// Shortens a field's value for the log.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_LOGGED_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn join_scopes(scopes: &BTreeSet<&str>) -> String {
    scopes.iter().copied().collect::<Vec<_>>().join(", ")
}

impl Difference<'_> {
    /// Logs a warning. A difference is not an error, because the integration is already published.
    pub(super) fn log_warning(&self) {
        match self {
            Self::Integration { sent, got } => tracing::warn!(sent, got, "{self}"),
            Self::Field { field, sent, got, .. } => tracing::warn!(field, sent, got, "{self}"),
            Self::Missing { field, sent, .. } => tracing::warn!(field, sent, "{self}"),
        }
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integration { sent, .. } => write!(
                f,
                "GitBook's response describes an integration other than `{sent}`; check in GitBook that `{sent}` was published"
            ),
            Self::Field { name, field, .. } => {
                write!(f, "GitBook published `{name}` with a different `{field}` than requested")
            }
            Self::Missing { name, field, .. } => {
                write!(f, "GitBook's response for `{name}` does not contain `{field}`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Difference, ExpectedIntegration};
    use crate::gitbook::{PublishedContent, PublishedIntegration};

    fn sent() -> ExpectedIntegration<'static> {
        let scopes = ["site:views:read", "space:content:read"].into();
        let content =
            PublishedContent { description: Some(json!("Says hello.")), ..PublishedContent::default() };
        let (name, title, visibility) = ("hello", "Hello World", "unlisted");
        let (summary, organization) = (Some("Hello."), "acme");
        ExpectedIntegration {
            name,
            title,
            visibility,
            target: "site",
            scopes,
            summary,
            organization,
            content,
        }
    }

    /// Returns a response that repeats the request.
    fn response() -> Value {
        json!({
            "name": "hello",
            "title": "Hello World",
            "visibility": "unlisted",
            "target": "site",
            "scopes": ["space:content:read", "site:views:read"],
            "version": 3,
        })
    }

    fn differences(sent: &ExpectedIntegration<'_>, response: &Value) -> Vec<String> {
        let response: PublishedIntegration = serde_json::from_value(response.clone()).unwrap();
        let describe = |difference: &Difference<'_>| match difference {
            Difference::Integration { sent, got } => format!("{sent} -> {got}"),
            Difference::Field { field, sent, got, .. } => format!("{field}: {sent} -> {got}"),
            Difference::Missing { field, sent, .. } => format!("{field}: {sent} -> nothing"),
        };
        sent.differences(&response).iter().map(describe).collect()
    }

    /// Checks the differences from a response in which one field has another value or, for `null`, is missing.
    fn check(field: &str, value: Value, expected: &[&str]) {
        let mut response = response();
        match value {
            Value::Null => drop(response.as_object_mut().unwrap().remove(field)),
            value => response[field] = value,
        }
        assert_eq!(differences(&sent(), &response), expected, "{response}");
    }

    #[test]
    fn accepts_a_response_that_repeats_the_request() {
        assert_eq!(differences(&sent(), &response()), [""; 0]);
    }

    #[test]
    fn compares_each_required_field() {
        check("name", json!("Hello"), &["name: hello -> Hello"]);
        check("title", json!("Hallo World"), &["title: Hello World -> Hallo World"]);
        check("visibility", json!("public"), &["visibility: unlisted -> public"]);
        check("target", json!("all"), &["target: site -> all"]);
        check(
            "scopes",
            json!(["site:views:read"]),
            &["scopes: site:views:read, space:content:read -> site:views:read"],
        );
    }

    #[test]
    fn compares_all_optional_fields() {
        check("summary", json!("Hello."), &[]);
        check("summary", json!("Hi."), &["summary: Hello. -> Hi."]);
        check("description", json!("Says hello."), &[]);
        check("description", json!(""), &["description: \"Says hello.\" -> \"\""]);
        check("blocks", json!([]), &[]);
        check("blocks", json!([{"id": "b"}]), &["blocks: null -> [{\"id\":\"b\"}]"]);
        let long = json!("x".repeat(1000));
        check("categories", long, &[&format!("categories: null -> \"{}…", "x".repeat(199))]);
        for field in ["contentSources", "configurations", "externalLinks", "contentSecurityPolicy"] {
            check(field, json!({"a": 1}), &[&format!("{field}: null -> {{\"a\":1}}")]);
        }
    }

    #[test]
    fn detects_whitespace_changes_in_a_title() {
        for title in ["Hello  World", "Hello World ", " Hello World", "HelloWorld", "Hello\u{a0}World"] {
            check("title", json!(title), &[&format!("title: Hello World -> {title}")]);
        }
    }

    #[test]
    fn ignores_order_and_repetition_of_scopes() {
        check("scopes", json!(["site:views:read", "space:content:read", "site:views:read"]), &[]);
    }

    #[test]
    fn detects_additional_scopes() {
        let none = ExpectedIntegration { scopes: [].into(), ..sent() };
        let more = "scopes:  -> site:views:read, space:content:read";
        assert_eq!(differences(&none, &response()), [more]);
        let mut response = response();
        response["scopes"] = json!([]);
        assert_eq!(differences(&none, &response), [""; 0]);
    }

    #[test]
    fn detects_missing_fields() {
        check("name", Value::Null, &["name: hello -> nothing"]);
        check("title", Value::Null, &["title: Hello World -> nothing"]);
        check("visibility", Value::Null, &["visibility: unlisted -> nothing"]);
        check("target", Value::Null, &["target: site -> nothing"]);
        check("scopes", Value::Null, &["scopes: site:views:read, space:content:read -> nothing"]);
    }

    #[test]
    fn ignores_fields_that_were_not_sent() {
        let without_fields = ExpectedIntegration { visibility: "", target: "", ..sent() };
        assert_eq!(differences(&without_fields, &response()), [""; 0]);
        let mut response = response();
        response["target"] = Value::Null;
        assert_eq!(differences(&without_fields, &response), [""; 0]);
    }

    #[test]
    fn reports_only_the_name_of_another_integration() {
        let response = json!({"name": "other", "title": "Other", "scopes": []});
        assert_eq!(differences(&sent(), &response), ["hello -> other"]);
    }
}
