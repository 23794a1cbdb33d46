//! GitHub's OpenAPI document, read once for each process.

mod schema;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

pub(crate) use schema::{json_schema, properties};

const PACKAGE: &str = "../contract/node_modules/@octokit/openapi/generated/api.github.com.json";

/// The document, or the reason why it could not be read. A panic here would show the reason only in the first test.
static DOCUMENT: LazyLock<Result<Value, String>> =
    LazyLock::new(|| read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(PACKAGE)));

pub(crate) fn read(path: &Path) -> Result<Value, String> {
    let advice = "run `npm ci --ignore-scripts` in tests/contract";
    let text = fs::read_to_string(path).map_err(|error| {
        format!("GitHub's OpenAPI document is missing: {}: {error}; {advice}", path.display())
    })?;
    serde_json::from_str(&text).map_err(|error| {
        format!("GitHub's OpenAPI document is broken: {}: {error}; {advice}", path.display())
    })
}

/// Returns the document.
pub(crate) fn openapi_document() -> &'static Value {
    DOCUMENT.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the description of an operation, such as `GET /user`.
pub(crate) fn operation(method: &str, template: &str) -> Option<&'static Value> {
    openapi_document()["paths"].get(template)?.get(method.to_ascii_lowercase())
}

/// Returns an entry of `components`.
pub(crate) fn component(kind: &str, name: &str) -> &'static Value {
    let part = openapi_document()["components"].get(kind).and_then(|parts| parts.get(name));
    part.unwrap_or_else(|| panic!("GitHub's document has no components/{kind}/{name}"))
}

/// Returns an example response.
pub(crate) fn example(name: &str) -> &'static Value {
    &component("examples", name)["value"]
}

/// Follows `$ref` references until a value without one.
pub(crate) fn resolve(part: &'static Value) -> &'static Value {
    let Some(reference) = part.get("$ref").and_then(Value::as_str) else { return part };
    let found = reference.strip_prefix('#').and_then(|pointer| openapi_document().pointer(pointer));
    resolve(found.unwrap_or_else(|| panic!("GitHub's document has no {reference}")))
}
