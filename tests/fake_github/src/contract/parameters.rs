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
    place: &'static str,
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
            place: part["in"].as_str()?,
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
        errors.into_iter().map(|error| format!("{} parameter {}{error}", self.place, self.name)).collect()
    }

    /// Checks a limit that the document states in prose only.
    fn limit(&self, value: &Value) -> Option<String> {
        let (number, page) = (value.as_i64()?, matches!(self.name, "page" | "per_page"));
        let most = i64::try_from(MAX_PAGE_SIZE).unwrap_or(i64::MAX);
        let wrong = page && (number < 1 || self.name == "per_page" && number > most);
        wrong.then(|| format!(": {number} is out of range"))
    }
}

pub(crate) fn errors(parameters: &[Parameter], call: &Call, values: &PathValues) -> Vec<String> {
    let path = values.iter().map(|(name, value)| ("path", *name, value.as_str()));
    let query = call.query.iter().map(|(name, value)| ("query", name.as_str(), value.as_str()));
    let given: Vec<_> = path.chain(query).collect();
    let unknown_or_wrong = given.iter().flat_map(|(place, name, value)| {
        match parameters.iter().find(|parameter| parameter.place == *place && parameter.name == *name) {
            Some(parameter) => parameter.errors(value),
            None => vec![format!("{place} parameter {name}: no such parameter")],
        }
    });
    unknown_or_wrong.chain(missing(parameters, &given)).chain(doubled(&given)).collect()
}

fn missing(parameters: &[Parameter], given: &[(&str, &str, &str)]) -> Vec<String> {
    let there = |parameter: &Parameter| {
        given.iter().any(|(place, name, _)| *place == parameter.place && *name == parameter.name)
    };
    let missing = parameters.iter().filter(|parameter| parameter.required && !there(parameter));
    missing.map(|parameter| format!("{} parameter {} is missing", parameter.place, parameter.name)).collect()
}

fn doubled(given: &[(&str, &str, &str)]) -> Vec<String> {
    let times = |name| given.iter().filter(|(_, other, _)| *other == name).count();
    let doubled = given.iter().filter(|(_, name, _)| times(*name) > 1);
    doubled.map(|(place, name, _)| format!("{place} parameter {name} is given twice")).collect()
}
