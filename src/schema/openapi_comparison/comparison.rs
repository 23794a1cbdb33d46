//! Compares a schema rule with a JSON schema in GitBook's `OpenAPI` document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::schema::{Field, SchemaRule};

/// JSON schema keywords that do not restrict values.
const ANNOTATIONS: [&str; 2] = ["description", "default"];

/// The result of a comparison.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    document: &'a Value,
    /// The number of compared values.
    pub(super) compared: usize,
    /// The differences, by field and keyword.
    pub(super) differences: BTreeMap<String, String>,
    /// The fields and names that only the document contains.
    pub(super) additions: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Compares a rule with the schema `schema_name` in the document.
    pub(super) fn new(document: &'a Value, rule: &SchemaRule, schema_name: &str) -> Self {
        let mut comparison =
            Self { document, compared: 0, differences: BTreeMap::new(), additions: Vec::new() };
        comparison.compare_value(rule, &document["components"]["schemas"][schema_name], "");
        comparison
    }

    fn compare_value(&mut self, rule: &SchemaRule, schema: &'a Value, path: &str) {
        self.compared += 1;
        let schema = self.resolve_reference(schema);
        match rule {
            SchemaRule::Any => {}
            SchemaRule::Text { min, max } => {
                let (min, max) = (min_length_keyword(*min), maximum_keyword("maxLength", *max));
                self.compare_keywords(schema, path, &[type_keyword("string"), min, max], &[]);
            }
            SchemaRule::Url { max } => {
                let (format, max) = (("format", json!("uri")), maximum_keyword("maxLength", *max));
                self.compare_keywords(schema, path, &[type_keyword("string"), format, max], &[]);
            }
            SchemaRule::Boolean => self.compare_keywords(schema, path, &[type_keyword("boolean")], &[]),
            SchemaRule::Number => self.compare_keywords(schema, path, &[type_keyword("number")], &[]),
            SchemaRule::OneOf { known, closed, .. } => {
                self.compare_keywords(schema, path, &[type_keyword("string")], &["enum"]);
                let names = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
                self.compare_names(known.iter().copied(), names, *closed, path);
            }
            SchemaRule::List { of, max, unique } => {
                let unique = ("uniqueItems", if *unique { json!(true) } else { Value::Null });
                self.compare_keywords(
                    schema,
                    path,
                    &[type_keyword("array"), maximum_keyword("maxItems", *max), unique],
                    &["items"],
                );
                self.compare_value(of, &schema["items"], &format!("{path}[]"));
            }
            SchemaRule::Mapping { of, max } => self.compare_mapping(of, *max, schema, path),
            SchemaRule::Object(fields) => {
                self.compare_object(&fields.iter().collect::<Vec<_>>(), schema, path, "");
            }
            SchemaRule::TextOr(other) => {
                self.compare_keywords(schema, path, &[], &["oneOf"]);
                let is_text = |schema: &&Value| schema["type"] == "string";
                self.compare_alternative(
                    &SchemaRule::Text { min: 0, max: usize::MAX },
                    schema,
                    path,
                    is_text,
                );
                self.compare_alternative(other, schema, path, |schema| !is_text(schema));
            }
            SchemaRule::IfHas { key, instead_of, then, otherwise } => {
                self.compare_keywords(schema, path, &[], &["oneOf"]);
                self.compare_alternative(then, schema, path, |schema| requires(schema, key));
                self.compare_alternative(otherwise, schema, path, |schema| requires(schema, instead_of));
            }
            SchemaRule::Tagged { key, common, cases } => {
                self.compare_tagged(key, common, cases, schema, path);
            }
        }
    }

    /// Compares a rule with the matching alternative of `oneOf`. Adds a difference unless exactly one alternative matches.
    fn compare_alternative(
        &mut self,
        rule: &SchemaRule,
        schema: &'a Value,
        path: &str,
        is_match: impl Fn(&&Value) -> bool,
    ) {
        let alternatives = schema["oneOf"].as_array().into_iter().flatten();
        let alternatives = alternatives.map(|alternative| self.resolve_reference(alternative));
        match alternatives.filter(is_match).collect::<Vec<_>>()[..] {
            [alternative] => self.compare_value(rule, alternative, path),
            ref alternatives => {
                let count = alternatives.len();
                let text = format!("1 matching alternative in the schema, {count} in the document");
                self.add_difference(path, "oneOf", &text);
            }
        }
    }

    fn compare_mapping(&mut self, of: &SchemaRule, max: usize, schema: &'a Value, path: &str) {
        let skipped = ["properties", "additionalProperties"];
        self.compare_keywords(
            schema,
            path,
            &[type_keyword("object"), maximum_keyword("maxProperties", max)],
            &skipped,
        );
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.compare_value(of, property, &join(path, name));
        }
        match schema.get("additionalProperties") {
            Some(others) => self.compare_value(of, others, &join(path, "*")),
            None => self.add_difference(
                path,
                "additionalProperties",
                "values of one type in the schema, any values in the document",
            ),
        }
    }

    /// Compares all fields except `skipped_field`, which the caller compares itself.
    fn compare_object(&mut self, fields: &[&Field], schema: &'a Value, path: &str, skipped_field: &str) {
        self.compare_keywords(schema, path, &[type_keyword("object")], &["properties", "required"]);
        let properties = schema["properties"].as_object();
        for field in fields {
            let path = join(path, field.name);
            let Some(property) = properties.and_then(|properties| properties.get(field.name)) else {
                self.differences.insert(path, "the field is only in the schema".to_owned());
                continue;
            };
            if field.required != requires(schema, field.name) {
                let side = if field.required { "schema" } else { "document" };
                self.add_difference(&path, "required", &format!("required only in the {side}"));
            }
            self.compare_value(&field.rule, property, &path);
        }
        let known = |name: &str| fields.iter().any(|field| field.name == name);
        let theirs = properties.into_iter().flat_map(Map::keys);
        for name in theirs.filter(|name| !known(name) && *name != skipped_field) {
            let path = join(path, name);
            // If the document requires a field that the schema lacks, GitBook rejects every request.
            if requires(schema, name) {
                self.add_difference(
                    &path,
                    "required",
                    "the document requires the field, but the schema does not contain it",
                );
            }
            self.additions.push(format!("the field `{path}`"));
        }
    }

    /// Compares each case of a [`SchemaRule::Tagged`] with its alternative in the document. Each alternative allows a single
    /// value of `key`, which identifies the case.
    fn compare_tagged(
        &mut self,
        key: &str,
        common: &[Field],
        cases: &[(&str, &[Field])],
        schema: &'a Value,
        path: &str,
    ) {
        self.compare_keywords(schema, path, &[], &["allOf"]);
        let (shared, alternatives) =
            (self.resolve_reference(&schema["allOf"][0]), self.resolve_reference(&schema["allOf"][1]));
        self.compare_keywords(alternatives, path, &[], &["oneOf"]);
        let alternatives = alternatives["oneOf"].as_array().into_iter().flatten();
        let case_of =
            |alternative: &'a Value| alternative["properties"][key]["enum"][0].as_str().unwrap_or_default();
        let theirs: BTreeMap<_, _> =
            alternatives.map(|alternative| (case_of(alternative), alternative)).collect();
        let path_of_key = join(path, key);
        self.compare_names(cases.iter().map(|(case, _)| *case), theirs.keys().copied(), false, &path_of_key);
        if let Some(SchemaRule::OneOf { known, closed, .. }) = find_rule(common, key) {
            self.compare_names(known.iter().copied(), theirs.keys().copied(), *closed, &path_of_key);
        }
        let others: Vec<_> = common.iter().filter(|field| field.name != key).collect();
        self.compare_object(&others, shared, path, "");
        for (case, fields) in cases {
            let Some(alternative) = theirs.get(case) else { continue };
            if !requires(alternative, key) {
                self.add_difference(&path_of_key, "required", "required only in the schema");
            }
            self.compare_object(
                &fields.iter().collect::<Vec<_>>(),
                alternative,
                &format!("{path}<{case}>"),
                key,
            );
        }
    }

    /// Compares the keywords that restrict values, including those that only one side has. Skips the keywords in `skipped`, which
    /// the caller compares itself. `ours` contains the keywords of the rule.
    fn compare_keywords(&mut self, schema: &'a Value, path: &str, ours: &[(&str, Value)], skipped: &[&str]) {
        let none = Map::new();
        let theirs = schema.as_object().unwrap_or(&none);
        let restricting = theirs.keys().map(String::as_str).filter(|keyword| !ANNOTATIONS.contains(keyword));
        let keywords: BTreeSet<_> = restricting.chain(ours.iter().map(|(keyword, _)| *keyword)).collect();
        for keyword in keywords.into_iter().filter(|keyword| !skipped.contains(keyword)) {
            let ours = ours
                .iter()
                .find(|(our_keyword, _)| *our_keyword == keyword)
                .map_or(&Value::Null, |(_, value)| value);
            let theirs = match theirs.get(keyword) {
                Some(value) if keyword == "minLength" && *value == 0 => &Value::Null,
                value => value.unwrap_or(&Value::Null),
            };
            if ours != theirs {
                let text = format!("{ours} in the schema, {theirs} in the document");
                self.add_difference(path, keyword, &text);
            }
        }
    }

    fn compare_names<'n>(
        &mut self,
        ours: impl Iterator<Item = &'n str>,
        theirs: impl Iterator<Item = &'n str>,
        closed: bool,
        path: &str,
    ) {
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) = (ours.collect(), theirs.collect());
        for name in ours.difference(&theirs) {
            self.add_difference(path, name, "the name is only in the schema");
        }
        for name in theirs.difference(&ours) {
            // A closed list rejects unknown names.
            if closed {
                self.add_difference(path, name, "the document has this name, but the schema rejects it");
            }
            self.additions.push(format!("the name `{name}` of `{path}`"));
        }
    }

    fn add_difference(&mut self, path: &str, keyword: &str, description: &str) {
        self.differences.insert(join(path, keyword), description.to_owned());
    }

    /// Resolves `$ref` references. Replaces a `oneOf` that has a single alternative with this alternative.
    fn resolve_reference(&self, schema: &'a Value) -> &'a Value {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
            return self.resolve_reference(
                target.unwrap_or_else(|| panic!("GitBook's document has no {reference}")),
            );
        }
        match schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => self.resolve_reference(only),
            _ => schema,
        }
    }
}

fn type_keyword(name: &str) -> (&'static str, Value) {
    ("type", json!(name))
}

fn min_length_keyword(min: usize) -> (&'static str, Value) {
    ("minLength", if min == 0 { Value::Null } else { json!(min) })
}

fn maximum_keyword(keyword: &'static str, max: usize) -> (&'static str, Value) {
    (keyword, if max == usize::MAX { Value::Null } else { json!(max) })
}

fn find_rule<'f>(fields: &'f [Field], name: &str) -> Option<&'f SchemaRule> {
    fields.iter().find(|field| field.name == name).map(|field| &field.rule)
}

fn requires(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
