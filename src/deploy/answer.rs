//! What GitBook says that it has published, held against what was sent.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::same::is_same_field;
use crate::gitbook::{Content, Published};
use crate::integration::Integration;

/// Characters of a field that the log shows.
const MAX_SHOWN: usize = 200;

/// What was sent, as far as an answer should repeat it. Empty is what was not sent, of which any answer is right; only
/// scopes are always sent, and none of them is some.
#[derive(Debug)]
pub(super) struct Sent<'a> {
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    pub(super) visibility: &'a str,
    pub(super) target: &'a str,
    pub(super) scopes: BTreeSet<&'a str>,
    /// `None` for a preview, whose mark is compared instead.
    pub(super) summary: Option<&'a str>,
    /// The organization's id or subdomain.
    pub(super) organization: &'a str,
    pub(super) content: Content,
}

/// One way in which an answer is not what was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference<'a> {
    /// It is about another integration altogether.
    Integration { sent: &'a str, got: &'a str },
    /// A field is another.
    Field { of: &'a str, field: &'static str, sent: String, got: String },
    /// A field is not there.
    Absent { of: &'a str, field: &'static str, sent: String },
}

impl<'a> Sent<'a> {
    /// What is sent for an integration in production.
    pub(super) fn production(integration: &'a Integration) -> Self {
        Self {
            name: &integration.name,
            title: integration.title(),
            visibility: integration.text("visibility"),
            target: integration.text("target"),
            scopes: integration.scopes(),
            summary: Some(integration.text("summary")),
            organization: integration.text("organization"),
            content: Content {
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

    /// Returns whether GitBook has everything as a publishing would leave it. A field that is not sent must have the API's
    /// default, and one that GitBook leaves out is empty.
    pub(super) fn is_unchanged_in(&self, live: &Published) -> bool {
        let or = |sent: &'a str, default: &'a str| if sent.is_empty() { default } else { sent };
        let (visibility, target) = (or(self.visibility, "private"), or(self.target, "all"));
        let is_there = |(field, sent, got): (_, &Value, &Option<Value>)| {
            got.is_some() || is_same_field(field, sent, &Value::Null)
        };
        let has_summary =
            live.summary.is_some() || self.summary.is_none_or(|sent| sent.trim_end().is_empty());
        self.differences_to(visibility, target, live).is_empty()
            && has_summary
            && self.content_of(&live.content).into_iter().all(is_there)
            && live.owner.as_ref().and_then(|owner| owner.is(self.organization)) != Some(false)
    }

    /// All differences; but of another integration nothing else matters.
    pub(super) fn differences(&self, answer: &'a Published) -> Vec<Difference<'a>> {
        self.differences_to(self.visibility, self.target, answer)
    }

    fn differences_to(
        &self,
        visibility: &'a str,
        target: &'a str,
        answer: &'a Published,
    ) -> Vec<Difference<'a>> {
        if let Some(got) = self.another(answer) {
            return vec![Difference::Integration { sent: self.name, got }];
        }
        let text = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
        let present = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        let texts = [
            ("name", self.name, present(&answer.name)),
            ("title", self.title, present(&answer.title)),
            ("visibility", visibility, text(&answer.visibility)),
            ("target", target, text(&answer.target)),
        ];
        let sent = texts.into_iter().filter(|(_, sent, got)| !sent.is_empty() && Some(*sent) != *got);
        let mut found: Vec<_> = sent
            .map(|(field, sent, got)| self.difference(field, sent.to_owned(), got.map(str::to_owned)))
            .collect();
        let scopes: Option<BTreeSet<_>> =
            answer.scopes.as_ref().map(|scopes| scopes.iter().map(String::as_str).collect());
        if scopes.as_ref() != Some(&self.scopes) {
            found.push(self.difference("scopes", joined(&self.scopes), scopes.as_ref().map(joined)));
        }
        if let Some((sent, got)) = self.summary.zip(answer.summary.as_deref())
            && sent.trim_end() != got.trim_end()
        {
            found.push(self.difference("summary", short(sent), Some(short(got))));
        }
        found.extend(self.differences_in_content(&answer.content));
        found
    }

    /// The differences in fields that GitBook repeats. One that it leaves out tells nothing.
    fn differences_in_content(&self, got: &Content) -> Vec<Difference<'a>> {
        let difference = |(field, sent, got): (_, &Value, &Option<Value>)| {
            let got = got.as_ref().filter(|got| !is_same_field(field, sent, got))?;
            Some(self.difference(field, short(&sent.to_string()), Some(short(&got.to_string()))))
        };
        self.content_of(got).into_iter().filter_map(difference).collect()
    }

    /// The fields that are compared as they are: the name, the value that was sent, and the value of the answer.
    fn content_of<'b>(&'b self, got: &'b Content) -> [(&'static str, &'b Value, &'b Option<Value>); 7] {
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

    /// The name of the other integration that an answer is about. In another case it is the same.
    pub(super) fn another(&self, answer: &'a Published) -> Option<&'a str> {
        let is_another = !answer.name.is_empty() && !answer.name.eq_ignore_ascii_case(self.name);
        is_another.then_some(&*answer.name)
    }

    fn difference(&self, field: &'static str, sent: String, got: Option<String>) -> Difference<'a> {
        match got {
            Some(got) => Difference::Field { of: self.name, field, sent, got },
            None => Difference::Absent { of: self.name, field, sent },
        }
    }
}

/// The beginning of a text that may be long.
fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn joined(scopes: &BTreeSet<&str>) -> String {
    scopes.iter().copied().collect::<Vec<_>>().join(", ")
}

impl Difference<'_> {
    /// Says it. What was published is published: it fails nothing.
    pub(super) fn warn(&self) {
        match self {
            Self::Integration { sent, got } => tracing::warn!(sent, got, "{self}"),
            Self::Field { field, sent, got, .. } => tracing::warn!(field, sent, got, "{self}"),
            Self::Absent { field, sent, .. } => tracing::warn!(field, sent, "{self}"),
        }
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integration { sent, .. } => write!(
                f,
                "GitBook answered about another integration than `{sent}`, so see in GitBook whether it was published"
            ),
            Self::Field { of, field, .. } => {
                write!(f, "GitBook published `{of}` with another `{field}` than was sent")
            }
            Self::Absent { of, field, .. } => {
                write!(f, "GitBook does not say with which `{field}` it has published `{of}`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Difference, Sent};
    use crate::gitbook::{Content, Published};

    fn sent() -> Sent<'static> {
        let scopes = ["site:views:read", "space:content:read"].into();
        let content = Content { description: Some(json!("Says hello.")), ..Content::default() };
        let (name, title, visibility) = ("hello", "Hello World", "unlisted");
        let (summary, organization) = (Some("Hello."), "acme");
        Sent { name, title, visibility, target: "site", scopes, summary, organization, content }
    }

    /// What was sent, as an answer.
    fn repeated() -> Value {
        json!({
            "name": "hello",
            "title": "Hello World",
            "visibility": "unlisted",
            "target": "site",
            "scopes": ["space:content:read", "site:views:read"],
            "version": 3,
        })
    }

    fn differences(sent: &Sent<'_>, answer: &Value) -> Vec<String> {
        let answer: Published = serde_json::from_value(answer.clone()).unwrap();
        let told = |difference: &Difference<'_>| match difference {
            Difference::Integration { sent, got } => format!("{sent} -> {got}"),
            Difference::Field { field, sent, got, .. } => format!("{field}: {sent} -> {got}"),
            Difference::Absent { field, sent, .. } => format!("{field}: {sent} -> nothing"),
        };
        sent.differences(&answer).iter().map(told).collect()
    }

    /// With another value of one field, or without it.
    fn check(field: &str, value: Value, expected: &[&str]) {
        let mut answer = repeated();
        match value {
            Value::Null => drop(answer.as_object_mut().unwrap().remove(field)),
            value => answer[field] = value,
        }
        assert_eq!(differences(&sent(), &answer), expected, "{answer}");
    }

    #[test]
    fn what_was_sent_is_no_difference() {
        assert_eq!(differences(&sent(), &repeated()), [""; 0]);
    }

    #[test]
    fn each_of_the_five_fields_is_compared() {
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
    fn all_that_gitbook_repeats_is_compared() {
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
    fn a_title_that_differs_in_blanks_differs() {
        for title in ["Hello  World", "Hello World ", " Hello World", "HelloWorld", "Hello\u{a0}World"] {
            check("title", json!(title), &[&format!("title: Hello World -> {title}")]);
        }
    }

    #[test]
    fn the_order_of_scopes_and_how_often_they_are_named_does_not_matter() {
        check("scopes", json!(["site:views:read", "space:content:read", "site:views:read"]), &[]);
    }

    #[test]
    fn a_scope_that_was_not_asked_for_is_a_difference_where_none_was() {
        let none = Sent { scopes: [].into(), ..sent() };
        let more = "scopes:  -> site:views:read, space:content:read";
        assert_eq!(differences(&none, &repeated()), [more]);
        let mut answer = repeated();
        answer["scopes"] = json!([]);
        assert_eq!(differences(&none, &answer), [""; 0]);
    }

    #[test]
    fn a_field_that_the_answer_lacks_is_not_what_was_sent() {
        check("name", Value::Null, &["name: hello -> nothing"]);
        check("title", Value::Null, &["title: Hello World -> nothing"]);
        check("visibility", Value::Null, &["visibility: unlisted -> nothing"]);
        check("target", Value::Null, &["target: site -> nothing"]);
        check("scopes", Value::Null, &["scopes: site:views:read, space:content:read -> nothing"]);
    }

    #[test]
    fn what_was_not_sent_may_be_anything() {
        let less = Sent { visibility: "", target: "", ..sent() };
        assert_eq!(differences(&less, &repeated()), [""; 0]);
        let mut answer = repeated();
        answer["target"] = Value::Null;
        assert_eq!(differences(&less, &answer), [""; 0]);
    }

    #[test]
    fn of_another_integration_nothing_else_matters() {
        let answer = json!({"name": "other", "title": "Other", "scopes": []});
        assert_eq!(differences(&sent(), &answer), ["hello -> other"]);
    }
}
