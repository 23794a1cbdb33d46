//! What GitHub's document allows for one operation.

mod parameters;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::call::Call;
use crate::document::{self, json_schema, resolve};
use crate::operations::{Operation, Taken};
use crate::response::{Answer, Content};
use parameters::Parameter;

const MEDIA_TYPE: &str = "application/vnd.github+json";
const VERSION: &str = "2022-11-28";
/// Errors that GitHub gives for any operation, whether or not its document lists them there.
const ANYWHERE: [u16; 2] = [401, 404];

type Contracts = HashMap<&'static str, Arc<Contract>>;
static CONTRACTS: LazyLock<Mutex<Contracts>> = LazyLock::new(Mutex::default);

/// Built for an operation when it is first asked for, and then kept for the whole process.
pub(crate) struct Contract {
    name: &'static str,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: BTreeMap<u16, Option<Body>>,
    error: Body,
}

/// What a body has to be; the validator is made when it is first needed.
pub(crate) struct Body {
    schema: &'static Value,
    validator: OnceLock<Validator>,
    /// The hashes of the texts that were found right; most answers come more than once.
    right: Mutex<HashSet<u64>>,
}

impl Body {
    fn new(schema: &'static Value) -> Self {
        Self { schema, validator: OnceLock::new(), right: Mutex::default() }
    }

    fn of(part: &'static Value) -> Option<Self> {
        resolve(part).pointer("/content/application~1json/schema").map(Self::new)
    }

    fn errors(&self, value: &Value) -> Vec<String> {
        let validator = self.validator.get_or_init(|| compile(self.schema));
        let mut errors = schema_errors(validator, value);
        errors.extend(self.unknown(value).into_iter().map(|name| format!("/{name}: no such property")));
        errors
    }

    fn text_errors(&self, text: &str) -> Vec<String> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(text);
        let right = || self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right().contains(&hash) {
            return Vec::new();
        }
        let Ok(value) = serde_json::from_str(text) else { return vec!["it is not JSON".to_owned()] };
        let errors = self.errors(&value);
        if errors.is_empty() {
            right().insert(hash);
        }
        errors
    }

    /// Properties that GitHub would ignore in silence, so that the schema alone lets a misspelt one through.
    fn unknown(&self, value: &Value) -> Vec<String> {
        let Some(known) = document::properties(self.schema) else { return Vec::new() };
        let names = value.as_object().into_iter().flat_map(|object| object.keys());
        names.filter(|name| !known.contains(&name.as_str())).cloned().collect()
    }
}

fn compile(schema: &Value) -> Validator {
    let options = jsonschema::options().with_draft(Draft::Draft4);
    let built = options.build(&json_schema(schema));
    built.unwrap_or_else(|error| panic!("a schema of GitHub's document cannot be used: {error}"))
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
            body: described.get("requestBody").and_then(Body::of),
            answers: answers
                .filter_map(|(status, part)| Some((status.parse().ok()?, Body::of(part))))
                .collect(),
            error: Body::new(document::component("schemas", "basic-error")),
        }
    }

    /// What is wrong with a request for this operation.
    pub(crate) fn judge_request(&self, call: &Call, taken: &Taken) -> Vec<String> {
        let mut errors = header_errors(call);
        errors.extend(parameters::errors(&self.parameters, call, taken));
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

    /// What is wrong with an answer to this operation.
    pub(crate) fn judge_answer(&self, answer: &Answer) -> Vec<String> {
        let described = self.answers.get(&answer.status);
        let body = match (described, &answer.content) {
            (Some(Some(body)), _) => body,
            // Some errors, such as 409, are listed without the body that they have.
            (Some(None), Content::Json(_)) if answer.status >= 400 => &self.error,
            (None, _) if ANYWHERE.contains(&answer.status) => &self.error,
            (Some(None), Content::Empty) => return Vec::new(),
            (Some(None), _) => return vec!["the answer has a body, and the document has none".to_owned()],
            (None, _) => return vec![format!("the document has no status {} for it", answer.status)],
        };
        match &answer.content {
            Content::Json(text) => body.text_errors(text),
            _ => vec!["the answer is not JSON".to_owned()],
        }
    }

    /// Whether the document says what an answer with this status looks like.
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
    let wanted = [
        (call.token().is_some(), "authorization is not `Bearer` and a token".to_owned()),
        (!header("user-agent").is_empty(), "user-agent is missing".to_owned()),
        (header("accept") == MEDIA_TYPE, format!("accept is not {MEDIA_TYPE}")),
        (version.is_none_or(|sent| sent == VERSION), format!("x-github-api-version is not {VERSION}")),
    ];
    wanted.into_iter().filter(|(right, _)| !right).map(|(_, error)| format!("header {error}")).collect()
}

/// The answer to a request that breaks the contract.
pub(crate) fn violation(what: &str) -> Answer {
    Answer::json(500, json!({"message": format!("stand-in: {what}")}).to_string())
}
