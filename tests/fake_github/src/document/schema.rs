//! Converts schemas of OpenAPI 3.0 to JSON Schema, draft 4.

use serde_json::{Map, Value, json};

use super::{component, resolve};

/// Keywords with the same meaning in OpenAPI 3.0 and in JSON Schema.
const SHARED_KEYWORDS: [&str; 15] = [
    "type",
    "enum",
    "required",
    "maxLength",
    "minLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "$ref",
];
/// Keywords that do not affect validation, and `nullable`, which `translate` handles.
const IGNORED_KEYWORDS: [&str; 13] = [
    "nullable",
    "title",
    "description",
    "format",
    "example",
    "examples",
    "default",
    "deprecated",
    "discriminator",
    "readOnly",
    "writeOnly",
    "externalDocs",
    "xml",
];
/// Fields that can be null although GitHub's OpenAPI document does not mark them as nullable, as pairs of schema and JSON pointer.
/// `head.repo` is null if the fork was deleted.
const UNDOCUMENTED_NULLS: [(&str, &str); 2] = [
    ("pull-request", "/properties/head/properties/repo"),
    ("pull-request-simple", "/properties/head/properties/repo"),
];

/// Converts a schema together with all schemas that it references.
pub(crate) fn json_schema(schema: &Value) -> Value {
    let mut schemas = Map::new();
    let mut pending = references(schema);
    while let Some(name) = pending.pop() {
        if schemas.contains_key(&name) {
            continue;
        }
        let part = with_undocumented_nulls(&name, component("schemas", &name));
        pending.extend(references(&part));
        schemas.insert(name, translate(&part));
    }
    json!({"allOf": [translate(schema)], "components": {"schemas": schemas}})
}

/// Returns the top-level property names of a schema, or `None` if the schema does not list properties.
pub(crate) fn properties(schema: &'static Value) -> Option<Vec<&'static str>> {
    let schema = resolve(schema);
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let names: Option<Vec<_>> = choices.iter().map(properties).collect();
        return names.map(|names| names.concat());
    }
    let names = schema.get("properties")?.as_object()?;
    Some(names.keys().map(String::as_str).collect())
}

fn with_undocumented_nulls(name: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    for (_, pointer) in UNDOCUMENTED_NULLS.iter().filter(|(schema, _)| *schema == name) {
        let field = schema.pointer_mut(pointer);
        let field = field.unwrap_or_else(|| panic!("GitHub's document has no {pointer} in {name}"));
        field["nullable"] = json!(true);
    }
    schema
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Array(parts) => parts.iter().flat_map(references).collect(),
        Value::Object(parts) => {
            let own = parts.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            let below = parts.iter().filter(|(word, _)| *word != "example" && *word != "default");
            own.map(str::to_owned).into_iter().chain(below.flat_map(|(_, part)| references(part))).collect()
        }
        _ => Vec::new(),
    }
}

fn translate(schema: &Value) -> Value {
    let Some(words) = schema.as_object() else { return schema.clone() };
    let kept: Map<String, Value> =
        words.iter().filter_map(|(word, value)| translate_keyword(word, value)).collect();
    if schema.get("nullable") == Some(&json!(true)) { or_null(kept) } else { Value::Object(kept) }
}

/// Translates a keyword. Panics on an unknown keyword, since ignoring it would weaken the validation.
fn translate_keyword(word: &str, value: &Value) -> Option<(String, Value)> {
    let translated = match word {
        "properties" => translate_all(value),
        "items" | "additionalProperties" | "not" => translate(value),
        "allOf" | "anyOf" | "oneOf" => value.as_array()?.iter().map(translate).collect(),
        word if SHARED_KEYWORDS.contains(&word) => value.clone(),
        word if IGNORED_KEYWORDS.contains(&word) || word.starts_with("x-") => return None,
        word => panic!("unsupported keyword in GitHub's OpenAPI document: the word `{word}`"),
    };
    Some((word.to_owned(), translated))
}

fn translate_all(schemas: &Value) -> Value {
    let Some(schemas) = schemas.as_object() else { return schemas.clone() };
    schemas.iter().map(|(name, schema)| (name.clone(), translate(schema))).collect()
}

/// Makes a schema accept null. A simple type becomes a list of types, for shorter error messages; other schemas use `anyOf`.
fn or_null(mut words: Map<String, Value>) -> Value {
    let is_composed = ["$ref", "allOf", "anyOf", "oneOf", "not"].iter().any(|word| words.contains_key(*word));
    let name = match words.get("type") {
        Some(Value::String(name)) if !is_composed => name.clone(),
        _ => return json!({"anyOf": [words, {"type": "null"}]}),
    };
    words.insert("type".to_owned(), json!([name, "null"]));
    if let Some(Value::Array(values)) = words.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(words)
}
