//! Checks values against the schema.

mod url;

use std::collections::BTreeSet;

use super::suggestion::{Suggest, suggestion};
use super::{Field, SchemaRule};
use crate::diagnostic::{Diagnostic, nearest};
use crate::yaml::{YamlData, YamlKey, YamlMapping, YamlValue};

/// A problem with a value.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The kind of the problem.
    pub kind: FindingKind,
    /// The error or warning. Violations are errors. Unknown fields and unknown names in open lists are warnings.
    pub diagnostic: Diagnostic,
}

/// A kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FindingKind {
    /// The value violates a rule.
    Violation,
    /// The name is not in the list of known names.
    UnknownName,
    /// The field is not in the list of known fields.
    UnknownField,
}

/// Returns all problems with `node`, in the order of the text.
pub(crate) fn check(node: &YamlValue, rule: &SchemaRule) -> Vec<Finding> {
    let mut found = Vec::new();
    Checker { found: &mut found }.check_value(node, rule, "");
    found
}

/// The end of hints for unknown fields and values.
const SENT_UNCHANGED: &str = "are sent to GitBook unchanged";

struct Checker<'a> {
    found: &'a mut Vec<Finding>,
}

impl Checker<'_> {
    fn check_value(&mut self, node: &YamlValue, rule: &SchemaRule, path: &str) {
        match (rule, &node.value) {
            (SchemaRule::Any, _)
            | (SchemaRule::Boolean, YamlData::Bool(_))
            | (SchemaRule::Number, YamlData::Number(_)) => {}
            (SchemaRule::Text { min, max }, YamlData::Text(text)) => {
                self.check_length(node, text, *min, *max, path);
            }
            (SchemaRule::Url { max }, YamlData::Text(text)) => {
                self.check_length(node, text, 1, *max, path);
                if let Some(problem) = url::problem(text) {
                    let message = format!("`{path}` is not a valid URL: {problem}");
                    let hint = "write a complete address, such as `https://example.com/page`".to_owned();
                    self.violation(Diagnostic::error(node.place.clone(), message).hint(hint));
                }
            }
            (SchemaRule::OneOf { .. }, YamlData::Text(text)) => self.check_name(node, text, rule, path),
            (SchemaRule::List { of, max, unique }, YamlData::List(items)) => {
                self.check_count(node, items.len(), *max, path);
                if *unique {
                    self.check_unique(items, path);
                }
                for (index, item) in items.iter().enumerate() {
                    self.check_value(item, of, &format!("{path}[{index}]"));
                }
            }
            (SchemaRule::Mapping { of, max }, YamlData::Mapping(map)) => {
                self.check_count(node, map.0.len(), *max, path);
                for (key, value) in &map.0 {
                    self.check_value(value, of, &join(path, &key.name));
                }
            }
            (SchemaRule::Object(fields), YamlData::Mapping(map)) => {
                self.check_object(node, map, &[fields], path);
            }
            (SchemaRule::TextOr(_), YamlData::Text(_)) => {}
            (SchemaRule::TextOr(other), _) => self.check_value(node, other, path),
            (SchemaRule::IfHas { key, instead_of, then, otherwise }, YamlData::Mapping(map)) => {
                match (map.get(key), map.get(instead_of)) {
                    (Some(_), Some(_)) => {
                        self.error(
                            node,
                            format!(
                                "`{path}` has both `{key}` and `{instead_of}`; only one of them is allowed"
                            ),
                        );
                    }
                    (Some(_), None) => self.check_value(node, then, path),
                    (None, _) => self.check_value(node, otherwise, path),
                }
            }
            (SchemaRule::Tagged { key, common, cases }, YamlData::Mapping(map)) => {
                let case = cases.iter().find(|(text, _)| map.text(key) == Some(text));
                self.check_object(node, map, &[common, case.unwrap_or(&cases[0]).1], path);
            }
            _ => self.wrong_type(node, rule, path),
        }
    }

    fn check_object(&mut self, node: &YamlValue, map: &YamlMapping, fields: &[&[Field]], path: &str) {
        let fields = || fields.iter().copied().flatten();
        for (key, value) in &map.0 {
            let path = join(path, &key.name);
            match fields().find(|field| field.name == key.name) {
                Some(field) => self.check_value(value, &field.rule, &path),
                None => self.unknown_field(key, fields().map(|field| field.name), &path),
            }
        }
        for field in fields().filter(|field| field.required && map.get(field.name).is_none()) {
            let message = format!("`{}` is missing", join(path, field.name));
            let hint = format!("add `{}`; it must be {}", field.name, field.rule.kind());
            self.violation(Diagnostic::error(node.place.clone(), message).hint(hint));
        }
    }

    fn unknown_field<'a>(&mut self, key: &YamlKey, known: impl Iterator<Item = &'a str>, path: &str) {
        let hint = match nearest(&key.name, known) {
            Some(known) => format!("did you mean `{known}`? unknown fields {SENT_UNCHANGED}"),
            None => format!("check the spelling; unknown fields {SENT_UNCHANGED}"),
        };
        let warning = Diagnostic::warning(key.place.clone(), format!("unknown field `{path}`"));
        self.found.push(Finding { kind: FindingKind::UnknownField, diagnostic: warning.hint(hint) });
    }

    fn check_name(&mut self, node: &YamlValue, text: &str, rule: &SchemaRule, path: &str) {
        let SchemaRule::OneOf { known, closed, suggest } = rule else { return };
        if known.contains(&text) {
            return;
        }
        let all = format!("use one of {}", backticked(known));
        let hint = match suggestion(text, known, suggest) {
            // A list of all scopes could lead the user to a scope that grants more rights.
            Some(suggestion) if matches!(suggest, Suggest::Scope) => suggestion,
            Some(suggestion) => format!("{suggestion} {all}"),
            None => all,
        };
        let message = format!("`{path}` is `{}`, which is not a valid value", truncated(text));
        let place = node.place.clone();
        let diagnostic = if *closed {
            Diagnostic::error(place, message).hint(hint)
        } else {
            let separator = if hint.ends_with('?') { " " } else { "; " };
            let message = format!("`{path}` has the unknown value `{}`", truncated(text));
            Diagnostic::warning(place, message)
                .hint(format!("{hint}{separator}unknown values {SENT_UNCHANGED}"))
        };
        self.found.push(Finding { kind: FindingKind::UnknownName, diagnostic });
    }

    fn check_length(&mut self, node: &YamlValue, text: &str, min: usize, max: usize, path: &str) {
        let length = text.chars().count();
        if length > max {
            self.error(node, format!("`{path}` is {length} characters; the limit is {max}"));
        } else if length < min {
            let message = match length {
                0 => format!("`{path}` is empty"),
                1 => format!("`{path}` is 1 character; the minimum is {min}"),
                _ => format!("`{path}` is {length} characters; the minimum is {min}"),
            };
            self.error(node, message);
        }
    }

    fn check_count(&mut self, node: &YamlValue, count: usize, max: usize, path: &str) {
        if count > max {
            self.error(node, format!("`{path}` has {count} entries; the limit is {max}"));
        }
    }

    fn check_unique(&mut self, items: &[YamlValue], path: &str) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(text) = item.as_text().filter(|text| !seen.insert(*text)) {
                self.error(item, format!("`{path}[{index}]` is a duplicate of `{}`", truncated(text)));
            }
        }
    }

    fn wrong_type(&mut self, node: &YamlValue, rule: &SchemaRule, path: &str) {
        let subject = if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
        let message = format!("{subject} is {}; it must be {}", node.kind(), rule.kind());
        let hint = match node.value {
            YamlData::Null => Some("add a value, or remove the field".to_owned()),
            YamlData::Text(_) if matches!(rule, SchemaRule::List { .. }) => {
                Some("put the value in brackets, or write each item on its own line after `- `".to_owned())
            }
            YamlData::Number(_) | YamlData::Bool(_) if rule.accepts_text() => {
                Some("put the value in quotes".to_owned())
            }
            _ => None,
        };
        self.violation(Diagnostic::error(node.place.clone(), message).hint(hint));
    }

    fn error(&mut self, node: &YamlValue, message: String) {
        self.violation(Diagnostic::error(node.place.clone(), message));
    }

    fn violation(&mut self, diagnostic: Diagnostic) {
        self.found.push(Finding { kind: FindingKind::Violation, diagnostic });
    }
}

impl SchemaRule {
    fn kind(&self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text { .. } | Self::Url { .. } | Self::OneOf { .. } => "text",
            Self::Boolean => "`true` or `false`",
            Self::Number => "a number",
            Self::List { .. } => "a list",
            Self::Mapping { .. } | Self::Object(_) | Self::IfHas { .. } | Self::Tagged { .. } => "a mapping",
            Self::TextOr(_) => "text or a mapping",
        }
    }

    fn accepts_text(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Url { .. } | Self::OneOf { .. } | Self::TextOr(_))
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn backticked(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Truncates a text to 60 characters, to keep messages readable.
fn truncated(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::SourceLocation;
    use crate::yaml::YamlValue;

    const GOOD: &str = "name: a\ntitle: ab\norganization: o\nscript: s.ts\nscopes: []\n";

    fn check(more: &str, expected: &[&str]) {
        let node = YamlValue::parse(&format!("{GOOD}{more}"), &SourceLocation::file("m")).unwrap();
        let found = super::check(&node, &super::super::MANIFEST);
        let found: Vec<_> = found
            .into_iter()
            .map(|finding| finding.diagnostic)
            .map(|d| match &d.hint {
                Some(hint) => format!("{} {d} ({hint})", d.severity),
                None => format!("{} {d}", d.severity),
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_good_manifest_has_no_problem() {
        check("", &[]);
        check("contentSecurityPolicy: 'default-src self'\ntarget: site\n", &[]);
        check("contentSecurityPolicy: {default-src: self}\nenvs: {x: {secrets: {}}}\n", &[]);
        check("externalLinks: [{label: a, url: 'https://example.com'}]\n", &[]);
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        check(&format!("description: {}\n", "é".repeat(100)), &[]);
        check(
            &format!("description: {}\n", "é".repeat(101)),
            &["error m:6:14: `description` is 101 characters; the limit is 100"],
        );
        check(
            "previewImages: [a, b, c, d]\n",
            &["error m:6:16: `previewImages` has 4 entries; the limit is 3"],
        );
        check(
            "blocks:\n- id: x\n  title: y\n",
            &["error m:8:10: `blocks[0].title` is 1 character; the minimum is 2"],
        );
    }

    #[test]
    fn a_wrong_type_is_reported_with_the_right_one() {
        check(
            "summary: 12\n",
            &["error m:6:10: `summary` is a number; it must be text (put the value in quotes)"],
        );
        check(
            "categories: content\n",
            &[
                "error m:6:13: `categories` is text; it must be a list (put the value in brackets, or write each item on its own line after `- `)",
            ],
        );
        check(
            "icon:\n",
            &["error m:6:5: `icon` is empty; it must be text (add a value, or remove the field)"],
        );
        check(
            "configurations:\n  account:\n    properties:\n      key: {type: number, default: x}\n",
            &["error m:9:36: `configurations.account.properties.key.default` is text; it must be a number"],
        );
    }

    #[test]
    fn unknown_names_are_warnings_with_a_suggestion() {
        check(
            "visibilty: private\n",
            &[
                "warning m:6:1: unknown field `visibilty` (did you mean `visibility`? unknown fields are sent to GitBook unchanged)",
            ],
        );
        check(
            "target: sites\n",
            &[
                "warning m:6:9: `target` has the unknown value `sites` (did you mean `site`? use one of `all`, `site`, `space`, `organization`; unknown values are sent to GitBook unchanged)",
            ],
        );
    }

    #[test]
    fn an_unknown_scope_has_one_suggestion_or_all_names() {
        let manifest = |scope: &str| format!("{}scopes: [{scope}]\n", GOOD.replace("scopes: []\n", ""));
        let hint = |scope: &str| {
            let node = YamlValue::parse(&manifest(scope), &SourceLocation::file("m")).unwrap();
            let found = super::check(&node, &super::super::MANIFEST);
            assert_eq!(found.len(), 1, "{scope}");
            found[0].diagnostic.hint.clone().unwrap()
        };
        let successor = "use its successor `site:views:read`; unknown values are sent to GitBook unchanged";
        assert_eq!(hint("space:views:read"), successor);
        let near = "did you mean `space:content:read`? unknown values are sent to GitBook unchanged";
        assert_eq!(hint("space:contents:read"), near);
        let all = hint("space:comments:read");
        assert!(all.starts_with("use one of `space:content:read`, `space:content:write`, "), "{all}");
    }

    #[test]
    fn a_duplicate_is_reported_at_its_second_occurrence() {
        check(
            "configurations: {site: {properties: {}, required: [a, b, a]}}\n",
            &["error m:6:58: `configurations.site.required[2]` is a duplicate of `a`"],
        );
        check("previewImages: [a.png, a.png]\nblocks: [{id: a, title: bc, urlUnfurl: [x, x]}]\n", &[]);
    }

    #[test]
    fn a_configuration_has_a_component_or_properties() {
        check(
            "configurations: {site: {properties: {}, componentId: a}}\n",
            &[
                "error m:6:24: `configurations.site` has both `componentId` and `properties`; only one of them is allowed",
            ],
        );
    }

    #[test]
    fn an_invalid_url_is_reported_with_its_problem() {
        check(
            "externalLinks: [{label: a, url: 'https://a.example/b c'}]\n",
            &[
                "error m:6:33: `externalLinks[0].url` is not a valid URL: write ` ` as `%20` (write a complete address, such as `https://example.com/page`)",
            ],
        );
    }

    #[test]
    fn an_unknown_visibility_is_an_error() {
        check(
            "visibility: secret\n",
            &[
                "error m:6:13: `visibility` is `secret`, which is not a valid value (use one of `public`, `private`, `unlisted`)",
            ],
        );
    }

    #[test]
    fn missing_fields_are_reported_at_their_object() {
        check(
            "contentSources:\n- id: x\n  title: xy\n",
            &[
                "error m:7:3: `contentSources[0].configuration` is missing (add `configuration`; it must be a mapping)",
            ],
        );
        check(
            "configurations: {site: {properties: {b: {type: button}}}}\n",
            &[
                "error m:6:41: `configurations.site.properties.b.callback_url` is missing (add `callback_url`; it must be text)",
                "error m:6:41: `configurations.site.properties.b.button_text` is missing (add `button_text`; it must be text)",
            ],
        );
    }
}
