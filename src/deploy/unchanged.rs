//! Compares a field of a request with the field that GitBook returns.

use serde_json::Value;

/// Fields that GitBook returns in another form: it replaces an image by a URL.
const TRANSFORMED: [&str; 1] = ["icon"];

/// Returns whether GitBook has a field as it was sent. It ignores the order of lists, and an empty value equals a missing
/// one.
pub(super) fn is_same(sent: &Value, got: &Value) -> bool {
    match (sent, got) {
        (Value::Object(sent), Value::Object(got)) => {
            let keys = sent.keys().chain(got.keys()).filter(|key| !TRANSFORMED.contains(&key.as_str()));
            keys.into_iter().all(|key| {
                is_same(sent.get(key).unwrap_or(&Value::Null), got.get(key).unwrap_or(&Value::Null))
            })
        }
        (Value::Array(sent), Value::Array(got)) => {
            sent.len() == got.len() && sent.iter().all(|sent| got.iter().any(|got| is_same(sent, got)))
        }
        (Value::Number(sent), Value::Number(got)) => sent.as_f64() == got.as_f64(),
        _ if is_empty(sent) && is_empty(got) => true,
        // A content security policy can be a text or an object, and GitBook may return either form.
        (Value::String(text), Value::Object(_)) | (Value::Object(_), Value::String(text)) => !text.is_empty(),
        // YAML block texts end with a newline, and GitBook may remove it.
        (Value::String(sent), Value::String(got)) => sent.trim_end() == got.trim_end(),
        _ => sent == got,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn check(sent: Value, got: Value, expected: bool) {
        assert_eq!(super::is_same(&sent, &got), expected, "{sent} {got}");
        assert_eq!(super::is_same(&got, &sent), expected, "{got} {sent}");
    }

    #[test]
    fn accepts_equivalent_values() {
        check(json!({"a": [1, 2], "b": {"c": "x"}}), json!({"b": {"c": "x"}, "a": [2, 1.0]}), true);
        check(Value::Null, json!(""), true);
        check(json!([]), Value::Null, true);
        check(json!({"site": {"properties": {}}}), json!({}), true);
        check(json!([{"id": "b", "icon": "iVBORw0"}]), json!([{"id": "b", "icon": "https://x/b.png"}]), true);
        check(json!("a\n"), json!("a"), true);
        check(json!("default-src 'self'"), json!({"default-src": "'self'"}), true);
    }

    #[test]
    fn detects_changes() {
        check(json!("a"), json!("b"), false);
        check(json!("a"), Value::Null, false);
        check(json!([]), json!([{"id": "b"}]), false);
        check(json!([1, 2]), json!([1]), false);
        check(json!({"a": {"title": "x"}}), json!({"a": {"title": "y"}}), false);
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), false);
        check(json!(true), json!(false), false);
        check(json!(1), json!(2), false);
    }
}
