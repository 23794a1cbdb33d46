//! What becomes of GitHub's schemas.

use serde_json::{Value, json};

use crate::document::json_schema;

fn allows(schema: &Value, value: &Value) -> bool {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4);
    options.build(&json_schema(schema)).unwrap().is_valid(value)
}

#[test]
fn allows_null_wherever_it_is_said() {
    let reference = json!({"$ref": "#/components/schemas/simple-user", "nullable": true});
    let nullable = [
        json!({"type": "string", "nullable": true}),
        json!({"type": "string", "enum": ["a"], "nullable": true}),
        json!({"allOf": [{"type": "object"}], "nullable": true}),
        json!({"type": "object", "oneOf": [{"required": ["a"]}], "nullable": true}),
        json!({"enum": ["a"], "nullable": true}),
        reference,
    ];
    for mut schema in nullable {
        assert!(allows(&schema, &Value::Null), "{schema}");
        assert!(!allows(&schema, &json!(5)), "{schema}");
        schema["nullable"] = json!(false);
        assert!(!allows(&schema, &Value::Null), "{schema}");
    }
}

#[test]
fn says_where_the_document_comes_from() {
    let error = crate::document::read(std::path::Path::new("nowhere.json")).unwrap_err();
    assert!(error.contains("npm ci --ignore-scripts"), "{error}");
}

#[test]
fn takes_a_property_for_one_whatever_its_name() {
    let schema = json!({"type": "object", "properties": {"nullable": {"type": "string"}, "title": {"type": "string"}}});
    assert!(!allows(&schema, &json!({"title": 1})));
    assert!(!allows(&schema, &json!({"nullable": 1})));
}

#[test]
#[should_panic(expected = "the word `patternProperties`")]
fn stumbles_over_a_word_that_it_does_not_know() {
    json_schema(&json!({"patternProperties": {}}));
}

#[test]
fn allows_what_github_does_and_does_not_say() {
    let pull =
        |repository: Value| json!({"label": "a", "ref": "a", "sha": "a", "user": null, "repo": repository});
    let schema = json!({"$ref": "#/components/schemas/pull-request-simple"});
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4);
    let validator = options.build(&json_schema(&schema)).unwrap();
    for (repository, wrong) in [(Value::Null, false), (json!("gone"), true)] {
        let value = json!({"head": pull(repository)});
        let at_repository = |path: &str| path == "/head/repo";
        let found =
            validator.iter_errors(&value).any(|error| at_repository(&error.instance_path().to_string()));
        assert_eq!(found, wrong);
    }
}
