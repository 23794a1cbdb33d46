//! Compares the schema with GitBook's `OpenAPI` document, field by field.

mod comparison;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{BODY, MANIFEST, MAX_NAME, SchemaRule};
use comparison::Comparison;

const FILE: &str = "tests/contract/node_modules/@gitbook/api/spec/openapi.json";

/// Reads the document from the npm package.
pub(crate) fn read() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let hint = "run `npm ci --ignore-scripts` in tests/contract";
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("GitBook's OpenAPI document is missing: {error}; {hint}"));
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("GitBook's OpenAPI document is broken: {error}; {hint}"))
}

/// Returns the JSON schema of a parameter in the document.
pub(crate) fn parameter_schema(name: &str) -> Value {
    read()["components"]["parameters"][name]["schema"].take()
}

/// Intended differences: the path of each field, and the reason.
type Exceptions<'a> = &'a [(&'a str, &'a str)];

const EMPTY_ORGANIZATION: &str = "an empty organization is never intended";
const IMAGES_ARE_ENCODED: &str = "the program itself encodes the images in base64";
const DIRECTIVES_ARE_TEXT: &str = "an unknown directive must be text, too, as in the vendor's CLI";
const IS_A_PATH: &str = "the value is a path in a manifest";

const BODY_EXCEPTIONS: Exceptions<'_> = &[
    ("contentSecurityPolicy.additionalProperties", DIRECTIVES_ARE_TEXT),
    ("icon.format", IMAGES_ARE_ENCODED),
    ("organization.minLength", EMPTY_ORGANIZATION),
    ("previewImages[].format", IMAGES_ARE_ENCODED),
];

const MANIFEST_EXCEPTIONS: Exceptions<'_> = &[
    ("contentSecurityPolicy.additionalProperties", DIRECTIVES_ARE_TEXT),
    ("description.required", "the default is an empty text, as in the vendor's CLI"),
    ("envs", "the field is removed before sending"),
    ("icon.format", IS_A_PATH),
    ("name", "the name is part of the URL"),
    ("organization.minLength", EMPTY_ORGANIZATION),
    ("previewImages[].format", IS_A_PATH),
    ("previewImages[].minLength", IS_A_PATH),
    ("script.minLength", IS_A_PATH),
];

/// Compares a rule with the document. Fails with the names of all fields that differ. Prints fields and names that are only
/// in the document, which are sent unchanged.
fn check(label: &str, rule: &SchemaRule, exceptions: Exceptions<'_>) {
    let document = read();
    let found = Comparison::of(&document, rule, "PublishIntegration");
    let expected: BTreeSet<_> = exceptions.iter().map(|(field, _)| *field).collect();
    let differing: BTreeSet<_> = found.differences.keys().map(String::as_str).collect();
    let wrong: Vec<_> = found.differences.iter().filter(|(field, _)| !expected.contains(&***field)).collect();
    assert!(wrong.is_empty(), "{label} differs from GitBook's document in {wrong:#?}");
    let stale: Vec<_> = expected.difference(&differing).collect();
    assert!(stale.is_empty(), "{label} no longer differs in {stale:?}: remove the exceptions");
    assert!(found.compared >= 130, "compared only {} parts of {label}", found.compared);
    print_additions(label, &found);
}

/// Prints the fields and names that are only in the document. Writes to stderr directly, because the test runner hides the
/// captured output of passing tests.
fn print_additions(label: &str, found: &Comparison<'_>) {
    let count = found.compared;
    let mut text = format!("{label}: {count} parts match GitBook's document\n");
    for name in &found.additions {
        text += &format!("{label}: GitBook's document has {name}, which the schema lacks\n");
    }
    drop(std::io::stderr().write_all(text.as_bytes()));
}

#[test]
fn a_request_body_has_the_limits_of_the_document() {
    check("the request", &BODY, BODY_EXCEPTIONS);
}

#[test]
fn a_manifest_has_the_limits_of_the_document() {
    check("the manifest", &MANIFEST, MANIFEST_EXCEPTIONS);
}

#[test]
fn a_name_has_the_limits_of_the_document() {
    let name = parameter_schema("integrationName");
    assert_eq!(name["maxLength"], MAX_NAME);
    // The sandbox accepts the same pattern. Names in manifests follow the stricter rules of the vendor's CLI.
    assert_eq!(name["pattern"], "^[a-zA-Z0-9-_.]+$");
}

/// Changes a value in the document and compares. Returns the differences and additions.
fn compare_changed(pointer: &str, to: Value) -> (Vec<String>, Vec<String>) {
    let mut document = read();
    let unchanged = Comparison::of(&document, &BODY, "PublishIntegration").differences;
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(&format!("/components/schemas/{parent}")).unwrap();
    match parent {
        Value::Array(items) => items.push(to),
        parent => parent[name] = to,
    }
    let found = Comparison::of(&document, &BODY, "PublishIntegration");
    let differences = found.differences.into_iter().filter(|(field, _)| !unchanged.contains_key(field));
    (differences.map(|(field, how)| format!("{field}: {how}")).collect(), found.additions)
}

#[test]
fn a_changed_limit_is_a_difference() {
    let check = |pointer: &str, to: Value, expected: &str| {
        assert_eq!(compare_changed(pointer, to), (vec![expected.to_owned()], vec![]), "{pointer}");
    };
    check("IntegrationTitle/maxLength", json!(31), "title.maxLength: 30 here, 31 there");
    check("IntegrationTitle/pattern", json!("^a"), "title.pattern: null here, \"^a\" there");
    check("IntegrationBlocks/maxItems", json!(9), "blocks.maxItems: null here, 9 there");
    check("IntegrationSecrets/maxProperties", json!(21), "secrets.maxProperties: 20 here, 21 there");
    check(
        "IntegrationBlockMarkdown/oneOf/0/type",
        json!("array"),
        "blocks[].markdown.type: \"object\" here, \"array\" there",
    );
    check("IntegrationBlock/required/2", json!("icon"), "blocks[].icon.required: required there only");
    let titled = "configurations.account.properties.*.title.minLength: 2 here, 3 there";
    let (found, _) = compare_changed("IntegrationPropertyTitle/minLength", json!(3));
    assert_eq!((found.len(), &*found[0]), (3, titled));
}

#[test]
fn a_new_name_is_a_difference_only_in_a_closed_list() {
    let addition = |name: &str| vec![name.to_owned()];
    let (differences, found) = compare_changed("IntegrationScope/enum/99", json!("moon:read"));
    assert_eq!((differences, found), (vec![], addition("the name `moon:read` of `scopes[]`")));
    let (differences, found) =
        compare_changed("PublishIntegration/properties/moon", json!({"type": "string"}));
    assert_eq!((differences, found), (vec![], addition("the field `moon`")));
    let (differences, found) = compare_changed("IntegrationVisibility/enum/99", json!("hidden"));
    assert_eq!(differences, ["visibility.hidden: a name there, rejected here"]);
    assert_eq!(found, addition("the name `hidden` of `visibility`"));
    let (differences, _) = compare_changed("IntegrationCategory/enum", json!(["other"]));
    assert_eq!((differences.len(), &*differences[0]), (5, "categories[].analytics: a name here, none there"));
}
