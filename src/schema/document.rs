//! The limits and names here are those of the vendor's own `OpenAPI` document, field by field.

mod comparison;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{BODY, MANIFEST, NAME_MAX, Rule};
use comparison::Comparison;

const FILE: &str = "tests/contract/node_modules/@gitbook/api/spec/openapi.json";

/// The document as npm installed it.
pub(crate) fn read() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let advice = "run `npm ci --ignore-scripts` in tests/contract";
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("GitBook's OpenAPI document is missing: {error}; {advice}"));
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("GitBook's OpenAPI document is broken: {error}; {advice}"))
}

/// What the document says of a parameter.
pub(crate) fn parameter(name: &str) -> Value {
    read()["components"]["parameters"][name]["schema"].take()
}

/// Where a rule differs on purpose, and why.
type Exceptions<'a> = &'a [(&'a str, &'a str)];

const NOT_EMPTY: &str = "an empty organization can't be meant";
const MADE_HERE: &str = "the images are put into base64 by the program itself";
const DIRECTIVES: &str = "a directive that nobody knows must be text, too, as the vendor's CLI has it";
const A_PATH: &str = "in a manifest it is a path";

const OF_THE_BODY: Exceptions<'_> = &[
    ("contentSecurityPolicy.additionalProperties", DIRECTIVES),
    ("icon.format", MADE_HERE),
    ("organization.minLength", NOT_EMPTY),
    ("previewImages[].format", MADE_HERE),
];

const OF_THE_MANIFEST: Exceptions<'_> = &[
    ("contentSecurityPolicy.additionalProperties", DIRECTIVES),
    ("description.required", "without one, an empty one is sent, as the vendor's CLI does"),
    ("envs", "it is gone before anything is sent"),
    ("icon.format", A_PATH),
    ("name", "it stands in the address"),
    ("organization.minLength", NOT_EMPTY),
    ("previewImages[].format", A_PATH),
    ("previewImages[].minLength", A_PATH),
    ("script.minLength", A_PATH),
];

/// Fails with the names of all fields that differ. What the vendor has newly added is only told: we send it on.
fn check(what: &str, rule: &Rule, exceptions: Exceptions<'_>) {
    let document = read();
    let found = Comparison::of(&document, rule, "PublishIntegration");
    let expected: BTreeSet<_> = exceptions.iter().map(|(field, _)| *field).collect();
    let differing: BTreeSet<_> = found.differences.keys().map(String::as_str).collect();
    let wrong: Vec<_> = found.differences.iter().filter(|(field, _)| !expected.contains(&***field)).collect();
    assert!(wrong.is_empty(), "{what} differs from GitBook's document in {wrong:#?}");
    let stale: Vec<_> = expected.difference(&differing).collect();
    assert!(stale.is_empty(), "{what} does not differ in {stale:?} any more: they are no exceptions");
    assert!(found.compared >= 130, "{} parts of {what} were compared", found.compared);
    tell(what, &found);
}

/// Past the test's own output, which nobody sees of a test that passes.
fn tell(what: &str, found: &Comparison<'_>) {
    let count = found.compared;
    let mut text = format!("{what}: {count} parts and their limits are as in GitBook's document\n");
    for name in &found.newer {
        text += &format!("{what}: GitBook's document has {name}, which is not known here yet\n");
    }
    drop(std::io::stderr().write_all(text.as_bytes()));
}

#[test]
fn a_request_body_has_the_limits_of_the_document() {
    check("the request", &BODY, OF_THE_BODY);
}

#[test]
fn a_manifest_has_the_limits_of_the_document() {
    check("the manifest", &MANIFEST, OF_THE_MANIFEST);
}

#[test]
fn a_name_has_the_limits_of_the_document() {
    let name = parameter("integrationName");
    assert_eq!(name["maxLength"], NAME_MAX);
    // The sandbox takes the same; a manifest's name is held to the vendor's CLI, which takes less.
    assert_eq!(name["pattern"], "^[a-zA-Z0-9-_.]+$");
}

/// Changes the document, and gives what of it is another then and what is newer.
fn changed(pointer: &str, to: Value) -> (Vec<String>, Vec<String>) {
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
    (differences.map(|(field, how)| format!("{field}: {how}")).collect(), found.newer)
}

#[test]
fn another_limit_is_a_difference_with_the_name_of_its_field() {
    let check = |pointer: &str, to: Value, expected: &str| {
        assert_eq!(changed(pointer, to), (vec![expected.to_owned()], vec![]), "{pointer}");
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
    let (found, _) = changed("IntegrationPropertyTitle/minLength", json!(3));
    assert_eq!((found.len(), &*found[0]), (3, titled));
}

#[test]
fn another_name_is_a_difference_where_it_would_be_refused() {
    let newer = |name: &str| vec![name.to_owned()];
    let (differences, found) = changed("IntegrationScope/enum/99", json!("moon:read"));
    assert_eq!((differences, found), (vec![], newer("the name `moon:read` of `scopes[]`")));
    let (differences, found) = changed("PublishIntegration/properties/moon", json!({"type": "string"}));
    assert_eq!((differences, found), (vec![], newer("the field `moon`")));
    let (differences, found) = changed("IntegrationVisibility/enum/99", json!("hidden"));
    assert_eq!(differences, ["visibility.hidden: a name there, refused here"]);
    assert_eq!(found, newer("the name `hidden` of `visibility`"));
    let (differences, _) = changed("IntegrationCategory/enum", json!(["other"]));
    assert_eq!((differences.len(), &*differences[0]), (5, "categories[].analytics: a name here, none there"));
}
