//! Checks values against the schema.

mod url;

use std::collections::BTreeSet;

use super::suggestion::{SuggestionPolicy, suggestion};
use super::{Field, SchemaRule};
use crate::diagnostic::{Diagnostic, most_similar_name};
use crate::yaml::{YamlData, YamlKey, YamlMapping, YamlValue};

/// A problem in a value, key or field.
#[derive(Debug)]
pub(crate) struct Finding {
    pub kind: FindingKind,
    /// The error or warning to report. Violations and unknown names in closed lists are errors. Other findings are warnings.
    pub diagnostic: Diagnostic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FindingKind {
    /// The value violates a rule.
    Violation,
    /// The value is not in the list of known names.
    UnknownValue,
    /// The field is not in the list of known fields.
    UnknownField,
}

/// Returns all problems in `node`. The problems of nested values follow the order of the text.
pub(crate) fn check(node: &YamlValue, rule: &SchemaRule) -> Vec<Finding> {
    let mut findings = Vec::new();
    Checker { findings: &mut findings }.check_value(node, rule, "");
    findings
}

/// The last words of hints about unknown fields and values.
const SENT_UNCHANGED: &str = "are sent to GitBook unchanged";

struct Checker<'a> {
    findings: &'a mut Vec<Finding>,
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
                if let Some(problem) = url::find_problem(text) {
                    let message = format!("`{path}` is not a valid URL: {problem}");
                    let hint = "write a complete address, such as `https://example.com/page`".to_owned();
                    self.report_violation(Diagnostic::error(node.location.clone(), message).with_hint(hint));
                }
            }
            (SchemaRule::OneOf { .. }, YamlData::Text(text)) => self.check_one_of(node, text, rule, path),
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
                        self.report_error(
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
            _ => self.report_wrong_type(node, rule, path),
        }
    }

    fn check_object(&mut self, node: &YamlValue, map: &YamlMapping, fields: &[&[Field]], path: &str) {
        let fields = || fields.iter().copied().flatten();
        for (key, value) in &map.0 {
            let path = join(path, &key.name);
            match fields().find(|field| field.name == key.name) {
                Some(field) => self.check_value(value, &field.rule, &path),
                None => self.report_unknown_field(key, fields().map(|field| field.name), &path),
            }
        }
        for field in fields().filter(|field| field.required && map.get(field.name).is_none()) {
            let message = format!("`{}` is missing", join(path, field.name));
            let hint = format!("add `{}`; it must be {}", field.name, field.rule.kind());
            self.report_violation(Diagnostic::error(node.location.clone(), message).with_hint(hint));
        }
    }

    fn report_unknown_field<'a>(&mut self, key: &YamlKey, known: impl Iterator<Item = &'a str>, path: &str) {
        let hint = match most_similar_name(&key.name, known) {
            Some(known) => format!("did you mean `{known}`? unknown fields {SENT_UNCHANGED}"),
            None => format!("check the spelling; unknown fields {SENT_UNCHANGED}"),
        };
        let warning = Diagnostic::warning(key.location.clone(), format!("unknown field `{path}`"));
        self.findings.push(Finding { kind: FindingKind::UnknownField, diagnostic: warning.with_hint(hint) });
    }

    fn check_one_of(&mut self, node: &YamlValue, text: &str, rule: &SchemaRule, path: &str) {
        let SchemaRule::OneOf { known, closed, suggest } = rule else { return };
        if known.contains(&text) {
            return;
        }
        let all_names = format!("use one of {}", backticked(known));
        let hint = match suggestion(text, known, suggest) {
            // Do not list all scopes: the user could choose a scope that grants more rights.
            Some(suggestion) if matches!(suggest, SuggestionPolicy::Scope) => suggestion,
            Some(suggestion) => format!("{suggestion} {all_names}"),
            None => all_names,
        };
        let message = format!("`{path}` is `{}`, which is not a valid value", truncated(text));
        let location = node.location.clone();
        let diagnostic = if *closed {
            Diagnostic::error(location, message).with_hint(hint)
        } else {
            let separator = if hint.ends_with('?') { " " } else { "; " };
            let message = format!("`{path}` has the unknown value `{}`", truncated(text));
            Diagnostic::warning(location, message)
                .with_hint(format!("{hint}{separator}unknown values {SENT_UNCHANGED}"))
        };
        self.findings.push(Finding { kind: FindingKind::UnknownValue, diagnostic });
    }

    fn check_length(&mut self, node: &YamlValue, text: &str, min: usize, max: usize, path: &str) {
        let length = text.chars().count();
        if length > max {
            self.report_error(node, format!("`{path}` is {length} characters; the limit is {max}"));
        } else if length < min {
            let message = match length {
                0 => format!("`{path}` is empty"),
                1 => format!("`{path}` is 1 character; the minimum is {min}"),
                _ => format!("`{path}` is {length} characters; the minimum is {min}"),
            };
            self.report_error(node, message);
        }
    }

    fn check_count(&mut self, node: &YamlValue, count: usize, max: usize, path: &str) {
        if count > max {
            self.report_error(node, format!("`{path}` has {count} entries; the limit is {max}"));
        }
    }

    fn check_unique(&mut self, items: &[YamlValue], path: &str) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(text) = item.as_text().filter(|text| !seen.insert(*text)) {
                self.report_error(item, format!("`{path}[{index}]` is a duplicate of `{}`", truncated(text)));
            }
        }
    }

    fn report_wrong_type(&mut self, node: &YamlValue, rule: &SchemaRule, path: &str) {
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
        self.report_violation(Diagnostic::error(node.location.clone(), message).with_hint(hint));
    }

    fn report_error(&mut self, node: &YamlValue, message: String) {
        self.report_violation(Diagnostic::error(node.location.clone(), message));
    }

    fn report_violation(&mut self, diagnostic: Diagnostic) {
        self.findings.push(Finding { kind: FindingKind::Violation, diagnostic });
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

    const VALID_MANIFEST: &str = "name: a\ntitle: ab\norganization: o\nscript: s.ts\nscopes: []\n";

    fn check(additional_fields: &str, expected: &[&str]) {
        let manifest = format!("{VALID_MANIFEST}{additional_fields}");
        let node = YamlValue::parse(&manifest, &SourceLocation::file("m")).unwrap();
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
    fn accepts_a_valid_manifest() {
        check("", &[]);
        check("contentSecurityPolicy: 'default-src self'\ntarget: site\n", &[]);
        check("contentSecurityPolicy: {default-src: self}\nenvs: {x: {secrets: {}}}\n", &[]);
        check("externalLinks: [{label: a, url: 'https://example.com'}]\n", &[]);
    }

    #[test]
    fn limits_the_number_of_characters_instead_of_bytes() {
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
    fn reports_the_actual_and_the_required_type() {
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
    fn warns_about_unknown_names_and_suggests_known_names() {
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
    fn suggests_one_scope_or_lists_all_scopes() {
        let manifest =
            |scope: &str| format!("{}scopes: [{scope}]\n", VALID_MANIFEST.replace("scopes: []\n", ""));
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
    fn reports_a_duplicate_at_its_second_occurrence() {
        check(
            "configurations: {site: {properties: {}, required: [a, b, a]}}\n",
            &["error m:6:58: `configurations.site.required[2]` is a duplicate of `a`"],
        );
        check("previewImages: [a.png, a.png]\nblocks: [{id: a, title: bc, urlUnfurl: [x, x]}]\n", &[]);
    }

    #[test]
    fn rejects_a_configuration_with_a_component_and_properties() {
        check(
            "configurations: {site: {properties: {}, componentId: a}}\n",
            &[
                "error m:6:24: `configurations.site` has both `componentId` and `properties`; only one of them is allowed",
            ],
        );
    }

    #[test]
    fn reports_the_problem_with_an_invalid_url() {
        check(
            "externalLinks: [{label: a, url: 'https://a.example/b c'}]\n",
            &[
                "error m:6:33: `externalLinks[0].url` is not a valid URL: write ` ` as `%20` (write a complete address, such as `https://example.com/page`)",
            ],
        );
    }

    #[test]
    fn rejects_an_unknown_visibility() {
        check(
            "visibility: secret\n",
            &[
                "error m:6:13: `visibility` is `secret`, which is not a valid value (use one of `public`, `private`, `unlisted`)",
            ],
        );
    }

    #[test]
    fn reports_missing_fields_at_the_location_of_their_object() {
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
