//! The translation of GitHub's schemas to JSON Schema.

use serde_json::{Value, json};

use crate::document::json_schema;

fn allows(schema: &Value, value: &Value) -> bool {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4);
    options.build(&json_schema(schema)).unwrap().is_valid(value)
}

#[test]
fn allows_null_for_nullable_schemas_only() {
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
fn a_missing_document_names_the_command_that_installs_it() {
    let error = crate::document::read(std::path::Path::new("nowhere.json")).unwrap_err();
    assert!(error.contains("npm ci --ignore-scripts"), "{error}");
}

#[test]
fn properties_may_have_the_names_of_keywords() {
    let schema = json!({"type": "object", "properties": {"nullable": {"type": "string"}, "title": {"type": "string"}}});
    assert!(!allows(&schema, &json!({"title": 1})));
    assert!(!allows(&schema, &json!({"nullable": 1})));
}

#[test]
#[should_panic(expected = "the word `patternProperties`")]
fn rejects_an_unknown_keyword() {
    json_schema(&json!({"patternProperties": {}}));
}
