//! Templates of GitHub's example responses. Filling placeholders in text is faster in a debug build than building JSON values.
//!
//! In an example, `«name»` is a placeholder inside a string, and the string `«=name=»` is a placeholder for a whole value.

use std::fmt::Display;

use serde_json::{Value, json};

use crate::document;
use crate::state::{OWNER, REPOSITORY, State};

pub(crate) struct Template {
    /// Pairs of text and the name of the placeholder after it.
    pieces: Vec<(String, String)>,
    end: String,
}

impl Template {
    pub(crate) fn new(example: &Value) -> Self {
        let text = example.to_string().replace("\"«=", "«").replace("=»\"", "»");
        let mut parts: Vec<&str> = text.split(['«', '»']).collect();
        let end = parts.pop().unwrap_or_default().to_owned();
        let pairs = parts.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
        Self { pieces: pairs.collect(), end }
    }

    pub(crate) fn render(&self, fields: &Fields) -> String {
        let mut text = String::new();
        for (before, name) in &self.pieces {
            text.push_str(before);
            text.push_str(fields.get(name));
        }
        text.push_str(&self.end);
        text
    }
}

/// The values of placeholders.
pub(crate) struct Fields(Vec<(&'static str, String)>);

impl Fields {
    /// Creates fields with the base URL, which every response contains.
    pub(crate) fn new(state: &State) -> Self {
        Self(vec![("base", state.base.clone())])
    }

    /// Sets a placeholder to a text, which is inserted without quotes or escapes.
    #[must_use]
    pub(crate) fn raw(mut self, name: &'static str, text: impl Display) -> Self {
        self.0.push((name, text.to_string()));
        self
    }

    /// Sets a placeholder to a JSON value.
    #[must_use]
    pub(crate) fn value(self, name: &'static str, value: impl Into<Value>) -> Self {
        let value: Value = value.into();
        self.raw(name, value)
    }

    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(other, _)| *other == name);
        found.map_or_else(|| panic!("no value for the placeholder `{name}`"), |(_, text)| text)
    }
}

/// Returns one of GitHub's examples with the name of the fake repository and a placeholder for the base URL.
pub(crate) fn example(name: &str) -> Value {
    let mut example = document::example(name).clone();
    replace(&mut example, "https://api.github.com", "«base»");
    for repository in ["octocat/Hello-World", "octocat/example"] {
        replace(&mut example, repository, &format!("{OWNER}/{REPOSITORY}"));
    }
    example
}

/// Replaces a text in every string of a JSON value.
pub(crate) fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, from, to)),
        Value::Object(values) => values.values_mut().for_each(|value| replace(value, from, to)),
        _ => {}
    }
}

/// Replaces fields of an example. Panics if the example does not have a field.
pub(crate) fn set_fields(example: &mut Value, fields: Value) {
    let (Value::Object(example), Value::Object(fields)) = (example, fields) else {
        panic!("fields can be set only in an object");
    };
    for (name, value) in fields {
        let Some(field) = example.get_mut(&name) else { panic!("GitHub's example has no field {name}") };
        *field = value;
    }
}

/// Replaces fields of an example by placeholders of the same names.
pub(crate) fn insert_placeholders(example: &mut Value, names: &[&str]) {
    let placeholders = names.iter().map(|name| ((*name).to_owned(), json!(format!("«={name}=»"))));
    set_fields(example, placeholders.collect());
}
