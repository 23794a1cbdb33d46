//! GitHub's example responses as texts with placeholders; filling texts is fast in a debug build.
//!
//! A placeholder is `«name»` inside a string of the example, or `«=name=»` for a whole string including its
//! quotes.

use std::fmt::Display;

use serde_json::{Value, json};

use crate::document;
use crate::state::{OWNER, REPOSITORY, State};

pub(crate) struct Template {
    /// Texts, each with the name of the following placeholder.
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
    /// Every response contains URLs of the fake GitHub.
    pub(crate) fn new(state: &State) -> Self {
        Self(vec![("base", state.base.clone())])
    }

    /// Sets a placeholder inside a string to a text without special characters.
    #[must_use]
    pub(crate) fn part(mut self, name: &'static str, part: impl Display) -> Self {
        self.0.push((name, part.to_string()));
        self
    }

    /// Sets a placeholder for a whole value.
    #[must_use]
    pub(crate) fn value(self, name: &'static str, value: impl Into<Value>) -> Self {
        let value: Value = value.into();
        self.part(name, value)
    }

    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(other, _)| *other == name);
        found.map_or_else(|| panic!("nothing is given for the gap {name}"), |(_, text)| text)
    }
}

/// Returns an example, with placeholders for URLs and names of the repository.
pub(crate) fn example(name: &str) -> Value {
    let mut example = document::example(name).clone();
    replace(&mut example, "https://api.github.com", "«base»");
    for repository in ["octocat/Hello-World", "octocat/example"] {
        replace(&mut example, repository, &format!("{OWNER}/{REPOSITORY}"));
    }
    example
}

/// Replaces a part of every string.
pub(crate) fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => *text = text.replace(from, to),
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, from, to)),
        Value::Object(values) => values.values_mut().for_each(|value| replace(value, from, to)),
        _ => {}
    }
}

/// Sets fields of an example. Panics on a field that the example lacks.
pub(crate) fn fill(example: &mut Value, fields: Value) {
    let (Value::Object(example), Value::Object(fields)) = (example, fields) else {
        panic!("only the fields of an object can be filled in");
    };
    for (name, value) in fields {
        let Some(field) = example.get_mut(&name) else { panic!("GitHub's example has no field {name}") };
        *field = value;
    }
}

/// Replaces whole fields of an example by placeholders of the same names.
pub(crate) fn open(example: &mut Value, names: &[&str]) {
    let gaps = names.iter().map(|name| ((*name).to_owned(), json!(format!("«={name}=»"))));
    fill(example, gaps.collect());
}
