//! The parameters of an operation, in its path and its query.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::call::Call;
use crate::document::resolve;
use crate::operations::PathValues;
use crate::paging::MAX_PAGE_SIZE;

pub(crate) struct Parameter {
    name: &'static str,
    location: &'static str,
    required: bool,
    schema: &'static Value,
    validator: OnceLock<Validator>,
}

impl Parameter {
    pub(crate) fn all(operation: &'static Value) -> Vec<Self> {
        let parts = operation["parameters"].as_array().into_iter().flatten();
        parts.filter_map(|part| Self::new(resolve(part))).collect()
    }

    fn new(part: &'static Value) -> Option<Self> {
        Some(Self {
            name: part["name"].as_str()?,
            location: part["in"].as_str()?,
            required: part["required"].as_bool().unwrap_or(false),
            schema: &part["schema"],
            validator: OnceLock::new(),
        })
    }

    fn errors(&self, text: &str) -> Vec<String> {
        let value = match self.schema["type"].as_str() {
            Some("integer") => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
            Some("boolean") => text.parse::<bool>().map_or_else(|_| json!(text), Value::from),
            _ => json!(text),
        };
        let validator = self.validator.get_or_init(|| super::compile(self.schema));
        let mut errors = super::schema_errors(validator, &value);
        errors.extend(self.limit(&value));
        errors.into_iter().map(|error| format!("{} parameter {}{error}", self.location, self.name)).collect()
    }

    /// Checks the limits of page numbers and page sizes, which the OpenAPI document states only in prose.
    fn limit(&self, value: &Value) -> Option<String> {
        let (number, page) = (value.as_i64()?, matches!(self.name, "page" | "per_page"));
        let max = i64::try_from(MAX_PAGE_SIZE).unwrap_or(i64::MAX);
        let wrong = page && (number < 1 || self.name == "per_page" && number > max);
        wrong.then(|| format!(": {number} is out of range"))
    }
}

pub(crate) fn errors(parameters: &[Parameter], call: &Call, values: &PathValues) -> Vec<String> {
    let path = values.iter().map(|(name, value)| ("path", *name, value.as_str()));
    let query = call.query.iter().map(|(name, value)| ("query", name.as_str(), value.as_str()));
    let sent: Vec<_> = path.chain(query).collect();
    let unknown_or_wrong = sent.iter().flat_map(|(location, name, value)| {
        match parameters.iter().find(|parameter| parameter.location == *location && parameter.name == *name) {
            Some(parameter) => parameter.errors(value),
            None => vec![format!("{location} parameter {name}: no such parameter")],
        }
    });
    unknown_or_wrong.chain(missing(parameters, &sent)).chain(duplicates(&sent)).collect()
}

fn missing(parameters: &[Parameter], sent: &[(&str, &str, &str)]) -> Vec<String> {
    let is_sent = |parameter: &Parameter| {
        sent.iter().any(|(location, name, _)| *location == parameter.location && *name == parameter.name)
    };
    let missing = parameters.iter().filter(|parameter| parameter.required && !is_sent(parameter));
    missing
        .map(|parameter| format!("{} parameter {} is missing", parameter.location, parameter.name))
        .collect()
}

fn duplicates(sent: &[(&str, &str, &str)]) -> Vec<String> {
    let times = |name| sent.iter().filter(|(_, other, _)| *other == name).count();
    let duplicates = sent.iter().filter(|(_, name, _)| times(*name) > 1);
    duplicates.map(|(location, name, _)| format!("{location} parameter {name} is given twice")).collect()
}
