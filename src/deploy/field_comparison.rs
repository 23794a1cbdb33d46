//! Compares a field of a request with the field that GitBook returns.

use std::collections::BTreeMap;

use serde_json::Value;

/// Returns true if GitBook has returned the value that was sent. Empty and missing values are equal.
pub(super) fn is_same_field(field: &str, sent: &Value, got: &Value) -> bool {
    match field {
        // GitBook may convert a content security policy from a text to an object, or from an object to a text.
        "contentSecurityPolicy" => policy_directives(sent) == policy_directives(got),
        _ => is_same_value(field, sent, got),
    }
}

/// Returns true if two values with the same key are equivalent. Ignores the order of lists, which GitBook may change, except for
/// `enum`: users see its choices in this order.
fn is_same_value(key: &str, sent: &Value, got: &Value) -> bool {
    match (sent, got) {
        (Value::Object(sent), Value::Object(got)) => sent.keys().chain(got.keys()).all(|key| {
            is_same_value(key, sent.get(key).unwrap_or(&Value::Null), got.get(key).unwrap_or(&Value::Null))
        }),
        (Value::Array(sent), Value::Array(got)) if key == "enum" => sent == got,
        (Value::Array(sent), Value::Array(got)) => is_same_list(sent, got),
        (Value::Number(sent), Value::Number(got)) => sent.as_f64() == got.as_f64(),
        _ if is_empty_or_false(sent) && is_empty_or_false(got) => true,
        // GitBook replaces an uploaded image with its URL.
        (Value::String(sent), Value::String(got)) if key == "icon" && !sent.starts_with("http") => {
            is_blank(sent) == is_blank(got)
        }
        // A YAML block text ends with a line break, which GitBook may remove.
        (Value::String(sent), Value::String(got)) => sent.trim_end() == got.trim_end(),
        _ => sent == got,
    }
}

/// Returns true if two lists contain the same items the same number of times, in any order.
fn is_same_list(sent: &[Value], got: &[Value]) -> bool {
    let mut unmatched: Vec<_> = got.iter().collect();
    let mut has_match = |sent: &Value| {
        let found = unmatched.iter().position(|got| is_same_value("", sent, got));
        found.map(|index| unmatched.swap_remove(index)).is_some()
    };
    sent.len() == got.len() && sent.iter().all(&mut has_match)
}

/// Parses a content security policy into its directives and the sources of each directive. Ignores repeated directives, as
/// browsers do.
fn policy_directives(policy: &Value) -> BTreeMap<String, Vec<String>> {
    let text = match policy {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| format!("{name} {};", value.as_str().unwrap_or("?"))).collect()
        }
        _ => String::new(),
    };
    let mut directives = BTreeMap::new();
    for directive in text.split(';') {
        let mut words = directive.split_whitespace().map(str::to_owned);
        if let Some(name) = words.next() {
            directives.entry(name.to_ascii_lowercase()).or_insert_with(|| words.collect());
        }
    }
    directives
}

fn is_blank(text: &str) -> bool {
    text.trim_end().is_empty()
}

fn is_empty_or_false(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => is_blank(text),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty_or_false),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::is_same_field;

    fn check_field(field: &str, sent: &Value, got: &Value, expected: bool) {
        assert_eq!(is_same_field(field, sent, got), expected, "{field}: {sent} {got}");
    }

    fn check(sent: Value, got: Value, expected: bool) {
        check_field("blocks", &sent, &got, expected);
        check_field("blocks", &got, &sent, expected);
    }

    fn check_policy(sent: Value, got: Value, expected: bool) {
        check_field("contentSecurityPolicy", &sent, &got, expected);
        check_field("contentSecurityPolicy", &got, &sent, expected);
    }

    #[test]
    fn accepts_equivalent_values() {
        check(json!({"a": [1, 2], "b": {"c": "x"}}), json!({"b": {"c": "x"}, "a": [2, 1.0]}), true);
        check(Value::Null, json!(""), true);
        check(json!([]), Value::Null, true);
        check(json!({"site": {"properties": {}}}), json!({}), true);
        check(json!("a\n"), json!("a"), true);
        check(json!("\n"), Value::Null, true);
        check(json!([{"id": "a"}, {"id": "b"}]), json!([{"id": "b"}, {"id": "a"}]), true);
        check(json!({"enum": ["a", "b"]}), json!({"enum": ["a", "b"]}), true);
    }

    #[test]
    fn detects_changes() {
        check(json!("a"), json!("b"), false);
        check(json!("a"), Value::Null, false);
        check(json!([]), json!([{"id": "b"}]), false);
        check(json!([1, 2]), json!([1]), false);
        check(json!([1, 1]), json!([1, 2]), false);
        check(json!({"a": {"title": "x"}}), json!({"a": {"title": "y"}}), false);
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), false);
        check(json!(true), json!(false), false);
        check(json!(1), json!(2), false);
        check(json!({"enum": ["a", "b"]}), json!({"enum": ["b", "a"]}), false);
        // An object is compared completely even if its key is `icon`: a property of a configuration can have any name.
        check(json!({"icon": {"default": "a"}}), json!({"icon": {"default": "b"}}), false);
    }

    #[test]
    fn accepts_a_url_in_place_of_an_uploaded_icon() {
        let check_icon = |sent: Value, got: Value, expected: bool| {
            let blocks_with_icon = |icon| json!([{"id": "b", "icon": icon}]);
            check_field("blocks", &blocks_with_icon(sent), &blocks_with_icon(got), expected);
        };
        check_icon(json!("iVBORw0"), json!("https://x/b.png"), true);
        check_icon(json!("./b.png"), json!("https://x/b.png"), true);
        check_icon(json!("./b.png"), Value::Null, false);
        check_icon(json!("https://x/b.png"), json!("https://x/b.png"), true);
        check_icon(json!("https://x/b.png"), json!("https://evil/b.png"), false);
        check_icon(Value::Null, json!("https://evil/b.png"), false);
    }

    #[test]
    fn compares_policy_directives_in_texts_and_objects() {
        let text = json!("default-src 'self' https://x.example; IMG-SRC *;");
        check_policy(text.clone(), json!("img-src *;  default-src 'self'\n https://x.example"), true);
        let object = json!({"default-src": "'self'\nhttps://x.example;\n", "img-src": "*", "font-src": null});
        check_policy(text.clone(), object.clone(), true);
        check_policy(object, json!({"default-src": "'self' https://x.example", "img-src": "*"}), true);
        check_policy(Value::Null, json!(""), true);
        check_policy(Value::Null, json!({}), true);
        check_policy(text.clone(), json!({"default-src": "*"}), false);
        check_policy(text.clone(), json!({"default-src": "'self' https://x.example"}), false);
        check_policy(text, Value::Null, false);
        check_policy(json!("upgrade-insecure-requests"), json!({"upgrade-insecure-requests": ""}), true);
        check_policy(json!("upgrade-insecure-requests"), Value::Null, false);
        check_policy(json!("default-src *"), json!({"default-src": ["*"]}), false);
    }
}
