//! Validates the requests and responses of one operation against GitHub's OpenAPI document.

mod parameters;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::call::Call;
use crate::document::{self, json_schema, resolve};
use crate::operations::{Operation, PathValues};
use crate::response::{Answer, Content};
use parameters::Parameter;

const MEDIA_TYPE: &str = "application/vnd.github+json";
const VERSION: &str = "2022-11-28";
/// Error statuses that every operation may return, even if the OpenAPI document does not list them.
const COMMON_ERRORS: [u16; 2] = [401, 404];

type Contracts = HashMap<&'static str, Arc<Contract>>;
static CONTRACTS: LazyLock<Mutex<Contracts>> = LazyLock::new(Mutex::default);

/// The description of an operation in GitHub's OpenAPI document, cached for the whole process.
pub(crate) struct Contract {
    name: &'static str,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: BTreeMap<u16, Option<Body>>,
    error: Body,
}

/// The JSON schema of a request or response body, with a validator that is built at its first use.
pub(crate) struct Body {
    schema: &'static Value,
    validator: OnceLock<Validator>,
    /// The hashes of texts that have passed validation. Most responses occur more than once.
    valid_hashes: Mutex<HashSet<u64>>,
}

impl Body {
    fn new(schema: &'static Value) -> Self {
        Self { schema, validator: OnceLock::new(), valid_hashes: Mutex::default() }
    }

    fn from_description(description: &'static Value) -> Option<Self> {
        resolve(description).pointer("/content/application~1json/schema").map(Self::new)
    }

    fn errors(&self, value: &Value) -> Vec<String> {
        let validator = self.validator.get_or_init(|| compile(self.schema));
        let mut errors = schema_errors(validator, value);
        errors.extend(
            self.unknown_properties(value).into_iter().map(|name| format!("/{name}: no such property")),
        );
        errors
    }

    fn text_errors(&self, text: &str) -> Vec<String> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(text);
        let valid_hashes = || self.valid_hashes.lock().unwrap_or_else(PoisonError::into_inner);
        if valid_hashes().contains(&hash) {
            return Vec::new();
        }
        let Ok(value) = serde_json::from_str(text) else { return vec!["it is not JSON".to_owned()] };
        let errors = self.errors(&value);
        if errors.is_empty() {
            valid_hashes().insert(hash);
        }
        errors
    }

    /// Returns the names of properties that the schema does not define. The schema allows unknown properties, so it would not
    /// detect a misspelled name.
    fn unknown_properties(&self, value: &Value) -> Vec<String> {
        let Some(known) = document::properties(self.schema) else { return Vec::new() };
        let names = value.as_object().into_iter().flat_map(|object| object.keys());
        names.filter(|name| !known.contains(&name.as_str())).cloned().collect()
    }
}

fn compile(schema: &Value) -> Validator {
    let options = jsonschema::options().with_draft(Draft::Draft4);
    let built = options.build(&json_schema(schema));
    built.unwrap_or_else(|error| panic!("invalid schema in GitHub's OpenAPI document: {error}"))
}

fn schema_errors(validator: &Validator, value: &Value) -> Vec<String> {
    if validator.is_valid(value) {
        return Vec::new();
    }
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

impl Contract {
    pub(crate) fn of(operation: &'static Operation) -> Arc<Self> {
        let mut contracts = CONTRACTS.lock().unwrap_or_else(PoisonError::into_inner);
        contracts.entry(operation.name).or_insert_with(|| Arc::new(Self::new(operation))).clone()
    }

    fn new(operation: &'static Operation) -> Self {
        let (name, method, template) = (operation.name, operation.method(), operation.template());
        let described = document::operation(method, template)
            .unwrap_or_else(|| panic!("GitHub's document has no operation {name}"));
        let answers = described["responses"].as_object().into_iter().flatten();
        Self {
            name,
            parameters: Parameter::all(described),
            body: described.get("requestBody").and_then(Body::from_description),
            answers: answers
                .filter_map(|(status, part)| Some((status.parse().ok()?, Body::from_description(part))))
                .collect(),
            error: Body::new(document::component("schemas", "basic-error")),
        }
    }

    /// Returns the differences between a request and the OpenAPI document.
    pub(crate) fn request_errors(&self, call: &Call, values: &PathValues) -> Vec<String> {
        let mut errors = header_errors(call);
        errors.extend(parameters::errors(&self.parameters, call, values));
        errors.extend(self.body_errors(call));
        errors
    }

    fn body_errors(&self, call: &Call) -> Vec<String> {
        match (&self.body, &call.json) {
            (None, _) if call.body.is_empty() => Vec::new(),
            (None, _) => vec!["the request has a body, and the operation takes none".to_owned()],
            (Some(_), None) => vec!["the body is not JSON".to_owned()],
            (Some(body), Some(value)) => {
                let named =
                    call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
                let unnamed = (!named).then(|| "the content-type is not application/json".to_owned());
                let errors = body.errors(value).into_iter().map(|error| format!("body {error}"));
                unnamed.into_iter().chain(errors).collect()
            }
        }
    }

    /// Returns the differences between a response and the OpenAPI document.
    pub(crate) fn response_errors(&self, answer: &Answer) -> Vec<String> {
        let described = self.answers.get(&answer.status);
        let body = match (described, &answer.content) {
            (Some(Some(body)), _) => body,
            // The OpenAPI document lists some error statuses, such as 409, without a body.
            (Some(None), Content::Json(_)) if answer.status >= 400 => &self.error,
            (None, _) if COMMON_ERRORS.contains(&answer.status) => &self.error,
            (Some(None), Content::Empty) => return Vec::new(),
            (Some(None), _) => return vec!["unexpected body in the response".to_owned()],
            (None, _) => return vec![format!("undocumented status {}", answer.status)],
        };
        match &answer.content {
            Content::Json(text) => body.text_errors(text),
            _ => vec!["the response is not JSON".to_owned()],
        }
    }

    /// Returns true if the OpenAPI document has a schema for responses with this status.
    pub(crate) fn describes(&self, status: u16) -> bool {
        matches!(self.answers.get(&status), Some(Some(_)))
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

fn header_errors(call: &Call) -> Vec<String> {
    let header = |name| call.header(name).unwrap_or_default();
    let version = call.header("x-github-api-version");
    let checks = [
        (call.token().is_some(), "authorization is not `Bearer` and a token".to_owned()),
        (!header("user-agent").is_empty(), "user-agent is missing".to_owned()),
        (header("accept") == MEDIA_TYPE, format!("accept is not {MEDIA_TYPE}")),
        (version.is_none_or(|sent| sent == VERSION), format!("x-github-api-version is not {VERSION}")),
    ];
    checks.into_iter().filter(|(is_valid, _)| !is_valid).map(|(_, error)| format!("header {error}")).collect()
}

/// Returns the response of the fake GitHub to an invalid request: status 500 and the error.
pub(crate) fn violation(error: &str) -> Answer {
    Answer::json(500, json!({"message": format!("fake GitHub: {error}")}).to_string())
}
