//! Compares the schema with GitBook's `OpenAPI` document, field by field.

mod comparison;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{BODY, MANIFEST, MAX_NAME_LENGTH, SchemaRule};
use comparison::Comparison;

const DOCUMENT_PATH: &str = "tests/contract/node_modules/@gitbook/api/spec/openapi.json";

/// Reads GitBook's `OpenAPI` document from the npm package `@gitbook/api`.
fn read_document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT_PATH);
    let hint = "run `npm ci --ignore-scripts` in tests/contract";
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("GitBook's OpenAPI document is missing: {error}; {hint}"));
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("GitBook's OpenAPI document is broken: {error}; {hint}"))
}

/// Returns the JSON schema of a parameter in GitBook's `OpenAPI` document.
pub(crate) fn parameter_schema(name: &str) -> Value {
    read_document()["components"]["parameters"][name]["schema"].take()
}

/// The intended differences from the document: the path of each field, and the reason.
type Exceptions<'a> = &'a [(&'a str, &'a str)];

const EMPTY_ORGANIZATION: &str = "an empty organization is never intended";
const IMAGES_ARE_ENCODED: &str = "the program itself encodes the images in base64";
const CSP_DIRECTIVES_ARE_TEXT: &str = "`@gitbook/cli` requires text for unknown directives, too";
const IS_A_PATH: &str = "the value is a path in a manifest";

const BODY_EXCEPTIONS: Exceptions<'_> = &[
    ("contentSecurityPolicy.additionalProperties", CSP_DIRECTIVES_ARE_TEXT),
    ("icon.format", IMAGES_ARE_ENCODED),
    ("organization.minLength", EMPTY_ORGANIZATION),
    ("previewImages[].format", IMAGES_ARE_ENCODED),
];

const MANIFEST_EXCEPTIONS: Exceptions<'_> = &[
    ("contentSecurityPolicy.additionalProperties", CSP_DIRECTIVES_ARE_TEXT),
    ("description.required", "the default is an empty text, as in `@gitbook/cli`"),
    ("envs", "the field is removed before sending"),
    ("icon.format", IS_A_PATH),
    ("name", "the name is part of the URL"),
    ("organization.minLength", EMPTY_ORGANIZATION),
    ("previewImages[].format", IS_A_PATH),
    ("previewImages[].minLength", IS_A_PATH),
    ("script.minLength", IS_A_PATH),
];

/// Compares a rule with the document. Fails if a field without an exception differs, or if an exception is no longer needed.
/// Prints the fields and names that only the document contains. The program sends such fields to GitBook unchanged.
fn check(label: &str, rule: &SchemaRule, exceptions: Exceptions<'_>) {
    let document = read_document();
    let comparison = Comparison::new(&document, rule, "PublishIntegration");
    let expected: BTreeSet<_> = exceptions.iter().map(|(field, _)| *field).collect();
    let differing: BTreeSet<_> = comparison.differences.keys().map(String::as_str).collect();
    let unexpected: Vec<_> =
        comparison.differences.iter().filter(|(field, _)| !expected.contains(&***field)).collect();
    assert!(unexpected.is_empty(), "{label} differs from GitBook's document in {unexpected:#?}");
    let unneeded: Vec<_> = expected.difference(&differing).collect();
    assert!(unneeded.is_empty(), "{label} no longer differs in {unneeded:?}: remove the exceptions");
    assert!(comparison.compared >= 130, "compared only {} values of {label}", comparison.compared);
    print_additions(label, &comparison);
}

/// Prints the fields and names that only the document contains. Writes directly to stderr, because the test runner captures the output
/// of `println!` and hides it if the test passes.
fn print_additions(label: &str, comparison: &Comparison<'_>) {
    let count = comparison.compared;
    let mut text = format!("{label}: {count} values match GitBook's document\n");
    for name in &comparison.additions {
        text += &format!("{label}: GitBook's document has {name}, which the schema lacks\n");
    }
    drop(std::io::stderr().write_all(text.as_bytes()));
}

#[test]
fn body_schema_matches_the_openapi_document() {
    check("the request", &BODY, BODY_EXCEPTIONS);
}

#[test]
fn manifest_schema_matches_the_openapi_document() {
    check("the manifest", &MANIFEST, MANIFEST_EXCEPTIONS);
}

#[test]
fn maximum_name_length_matches_the_openapi_document() {
    let name = parameter_schema("integrationName");
    assert_eq!(name["maxLength"], MAX_NAME_LENGTH);
    // The sandbox accepts names with this pattern. Names in manifests follow the stricter rules of `@gitbook/cli`.
    assert_eq!(name["pattern"], "^[a-zA-Z0-9-_.]+$");
}

/// Changes a value in the document and compares the schema with the changed document. Returns the differences that the change
/// causes, and all additions.
fn compare_with_changed_document(pointer: &str, value: Value) -> (Vec<String>, Vec<String>) {
    let mut document = read_document();
    let unchanged = Comparison::new(&document, &BODY, "PublishIntegration").differences;
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(&format!("/components/schemas/{parent}")).unwrap();
    match parent {
        Value::Array(items) => items.push(value),
        parent => parent[name] = value,
    }
    let comparison = Comparison::new(&document, &BODY, "PublishIntegration");
    let differences = comparison.differences.into_iter().filter(|(field, _)| !unchanged.contains_key(field));
    (differences.map(|(field, text)| format!("{field}: {text}")).collect(), comparison.additions)
}

#[test]
fn reports_a_changed_limit_as_a_difference() {
    let check = |pointer: &str, value: Value, expected: &str| {
        let expected = (vec![expected.to_owned()], vec![]);
        assert_eq!(compare_with_changed_document(pointer, value), expected, "{pointer}");
    };
    check("IntegrationTitle/maxLength", json!(31), "title.maxLength: 30 in the schema, 31 in the document");
    check(
        "IntegrationTitle/pattern",
        json!("^a"),
        "title.pattern: null in the schema, \"^a\" in the document",
    );
    check("IntegrationBlocks/maxItems", json!(9), "blocks.maxItems: null in the schema, 9 in the document");
    check(
        "IntegrationSecrets/maxProperties",
        json!(21),
        "secrets.maxProperties: 20 in the schema, 21 in the document",
    );
    check(
        "IntegrationBlockMarkdown/oneOf/0/type",
        json!("array"),
        "blocks[].markdown.type: \"object\" in the schema, \"array\" in the document",
    );
    check(
        "IntegrationBlock/required/2",
        json!("icon"),
        "blocks[].icon.required: required only in the document",
    );
    let first = "configurations.account.properties.*.title.minLength: 2 in the schema, 3 in the document";
    let (differences, _) = compare_with_changed_document("IntegrationPropertyTitle/minLength", json!(3));
    assert_eq!((differences.len(), &*differences[0]), (3, first));
}

#[test]
fn reports_a_new_name_as_a_difference_only_in_a_closed_list() {
    let addition = |name: &str| vec![name.to_owned()];
    let (differences, additions) =
        compare_with_changed_document("IntegrationScope/enum/99", json!("moon:read"));
    assert_eq!((differences, additions), (vec![], addition("the name `moon:read` of `scopes[]`")));
    let (differences, additions) =
        compare_with_changed_document("PublishIntegration/properties/moon", json!({"type": "string"}));
    assert_eq!((differences, additions), (vec![], addition("the field `moon`")));
    let (differences, additions) =
        compare_with_changed_document("IntegrationVisibility/enum/99", json!("hidden"));
    assert_eq!(differences, ["visibility.hidden: the document has this name, but the schema rejects it"]);
    assert_eq!(additions, addition("the name `hidden` of `visibility`"));
    let (differences, _) = compare_with_changed_document("IntegrationCategory/enum", json!(["other"]));
    assert_eq!(
        (differences.len(), &*differences[0]),
        (5, "categories[].analytics: the name is only in the schema")
    );
}
