//! Holds a value against a rule and tells everything that is wrong with it.

mod url;

use std::collections::BTreeSet;

use super::suggestion::{Suggest, suggestion};
use super::{Field, Rule};
use crate::diagnostic::{Diagnostic, nearest};
use crate::yaml::{YamlData, YamlKey, YamlMapping, YamlValue};

/// One thing that is wrong with a value.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Of what kind it is.
    pub kind: Kind,
    /// What to say of it: of what is broken an error, of what is unknown a warning.
    pub diagnostic: Diagnostic,
}

/// How something can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It breaks a rule.
    Broken,
    /// It is no name that is known here.
    UnknownName,
    /// It is no field that is known here.
    UnknownField,
}

/// Everything in `node` that breaks `rule`, in the order of the text.
pub(crate) fn check(node: &YamlValue, rule: &Rule) -> Vec<Finding> {
    let mut found = Vec::new();
    Checker { found: &mut found }.value(node, rule, "");
    found
}

struct Checker<'a> {
    found: &'a mut Vec<Finding>,
}

impl Checker<'_> {
    fn value(&mut self, node: &YamlValue, rule: &Rule, path: &str) {
        match (rule, &node.value) {
            (Rule::Any, _) | (Rule::Boolean, YamlData::Bool(_)) | (Rule::Number, YamlData::Number(_)) => {}
            (Rule::Text { min, max }, YamlData::Text(text)) => self.length(node, text, *min, *max, path),
            (Rule::Url { max }, YamlData::Text(text)) => {
                self.length(node, text, 1, *max, path);
                if let Some(problem) = url::problem(text) {
                    let message = format!("`{path}` is not a URL: {problem}");
                    let hint = "accepted: a whole address, such as `https://example.com/page`".to_owned();
                    self.broken(Diagnostic::error(node.place.clone(), message).hint(hint));
                }
            }
            (Rule::OneOf { .. }, YamlData::Text(text)) => self.name(node, text, rule, path),
            (Rule::List { of, max, unique }, YamlData::List(items)) => {
                self.count(node, items.len(), *max, path);
                if *unique {
                    self.once(items, path);
                }
                for (index, item) in items.iter().enumerate() {
                    self.value(item, of, &format!("{path}[{index}]"));
                }
            }
            (Rule::Mapping { of, max }, YamlData::YamlMapping(map)) => {
                self.count(node, map.0.len(), *max, path);
                for (key, value) in &map.0 {
                    self.value(value, of, &join(path, &key.name));
                }
            }
            (Rule::Object(fields), YamlData::YamlMapping(map)) => self.object(node, map, &[fields], path),
            (Rule::TextOr(_), YamlData::Text(_)) => {}
            (Rule::TextOr(other), _) => self.value(node, other, path),
            (Rule::IfHas { key, instead_of, then, otherwise }, YamlData::YamlMapping(map)) => {
                match (map.get(key), map.get(instead_of)) {
                    (Some(_), Some(_)) => {
                        self.error(
                            node,
                            format!("`{path}` has both `{key}` and `{instead_of}`, one is the most"),
                        );
                    }
                    (Some(_), None) => self.value(node, then, path),
                    (None, _) => self.value(node, otherwise, path),
                }
            }
            (Rule::By { key, common, cases }, YamlData::YamlMapping(map)) => {
                let case = cases.iter().find(|(text, _)| map.text(key) == Some(text));
                self.object(node, map, &[common, case.unwrap_or(&cases[0]).1], path);
            }
            _ => self.wrong_type(node, rule, path),
        }
    }

    fn object(&mut self, node: &YamlValue, map: &YamlMapping, fields: &[&[Field]], path: &str) {
        let fields = || fields.iter().copied().flatten();
        for (key, value) in &map.0 {
            let path = join(path, &key.name);
            match fields().find(|field| field.name == key.name) {
                Some(field) => self.value(value, &field.rule, &path),
                None => self.unknown_field(key, fields().map(|field| field.name), &path),
            }
        }
        for field in fields().filter(|field| field.required && map.get(field.name).is_none()) {
            let message = format!("`{}` is missing", join(path, field.name));
            let hint = format!("it must be {}", field.rule.kind());
            self.broken(Diagnostic::error(node.place.clone(), message).hint(hint));
        }
    }

    fn unknown_field<'a>(&mut self, key: &YamlKey, known: impl Iterator<Item = &'a str>, path: &str) {
        let hint = match nearest(&key.name, known) {
            Some(known) => format!("did you mean `{known}`? It is sent to GitBook as it is"),
            None => "it is sent to GitBook as it is".to_owned(),
        };
        let warning = Diagnostic::warning(key.place.clone(), format!("`{path}` is not a field known here"));
        self.found.push(Finding { kind: Kind::UnknownField, diagnostic: warning.hint(hint) });
    }

    fn name(&mut self, node: &YamlValue, text: &str, rule: &Rule, path: &str) {
        let Rule::OneOf { known, closed, suggest } = rule else { return };
        if known.contains(&text) {
            return;
        }
        let accepted = format!("accepted: {}", backticked(known));
        let hint = match suggestion(text, known, suggest) {
            // The list of all scopes would suggest others.
            Some(suggestion) if matches!(suggest, Suggest::Scope) => suggestion,
            Some(suggestion) => format!("{suggestion} {accepted}"),
            None => accepted,
        };
        let is = format!("`{path}` is `{}`", shortened(text));
        let place = node.place.clone();
        let diagnostic = if *closed {
            Diagnostic::error(place, format!("{is}, which is not accepted")).hint(hint)
        } else {
            let end = if hint.ends_with('?') { " It" } else { "; it" };
            Diagnostic::warning(place, format!("{is}, which is not known here"))
                .hint(format!("{hint}{end} is sent to GitBook as it is"))
        };
        self.found.push(Finding { kind: Kind::UnknownName, diagnostic });
    }

    fn length(&mut self, node: &YamlValue, text: &str, min: usize, max: usize, path: &str) {
        let length = text.chars().count();
        if length > max {
            self.error(node, format!("`{path}` has {length} characters, {max} are the most"));
        } else if length < min {
            self.error(node, format!("`{path}` has {length} characters, {min} are the least"));
        }
    }

    fn count(&mut self, node: &YamlValue, count: usize, max: usize, path: &str) {
        if count > max {
            self.error(node, format!("`{path}` has {count} entries, {max} are the most"));
        }
    }

    fn once(&mut self, items: &[YamlValue], path: &str) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(text) = item.as_text().filter(|text| !seen.insert(*text)) {
                self.error(item, format!("`{path}[{index}]` is `{}` once more", shortened(text)));
            }
        }
    }

    fn wrong_type(&mut self, node: &YamlValue, rule: &Rule, path: &str) {
        let subject = if path.is_empty() { "the whole".to_owned() } else { format!("`{path}`") };
        let message = format!("{subject} is {}, it must be {}", node.kind(), rule.kind());
        let hint = match node.value {
            YamlData::Null => Some("give it a value, or remove it".to_owned()),
            YamlData::Text(_) if matches!(rule, Rule::List { .. }) => {
                Some("put it in brackets, or each item on a line of its own behind `- `".to_owned())
            }
            YamlData::Number(_) | YamlData::Bool(_) if rule.accepts_text() => {
                Some("put it in quotes".to_owned())
            }
            _ => None,
        };
        self.broken(Diagnostic::error(node.place.clone(), message).hint(hint));
    }

    fn error(&mut self, node: &YamlValue, message: String) {
        self.broken(Diagnostic::error(node.place.clone(), message));
    }

    fn broken(&mut self, diagnostic: Diagnostic) {
        self.found.push(Finding { kind: Kind::Broken, diagnostic });
    }
}

impl Rule {
    fn kind(&self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text { .. } | Self::Url { .. } | Self::OneOf { .. } => "text",
            Self::Boolean => "`true` or `false`",
            Self::Number => "a number",
            Self::List { .. } => "a list",
            Self::Mapping { .. } | Self::Object(_) | Self::IfHas { .. } | Self::By { .. } => "a mapping",
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

/// The first 60 characters, so that a message stays readable.
fn shortened(text: &str) -> String {
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
            &["error m:6:14: `description` has 101 characters, 100 are the most"],
        );
        check(
            "previewImages: [a, b, c, d]\n",
            &["error m:6:16: `previewImages` has 4 entries, 3 are the most"],
        );
        check(
            "blocks:\n- id: x\n  title: y\n",
            &["error m:8:10: `blocks[0].title` has 1 characters, 2 are the least"],
        );
    }

    #[test]
    fn wrong_types_say_what_is_there_and_what_must_be() {
        check("summary: 12\n", &["error m:6:10: `summary` is a number, it must be text (put it in quotes)"]);
        check(
            "categories: content\n",
            &[
                "error m:6:13: `categories` is text, it must be a list (put it in brackets, or each item on a line of its own behind `- `)",
            ],
        );
        check("icon:\n", &["error m:6:5: `icon` is empty, it must be text (give it a value, or remove it)"]);
        check(
            "configurations:\n  account:\n    properties:\n      key: {type: number, default: x}\n",
            &["error m:9:36: `configurations.account.properties.key.default` is text, it must be a number"],
        );
    }

    #[test]
    fn unknown_names_are_warnings_with_the_nearest_known() {
        check(
            "visibilty: private\n",
            &[
                "warning m:6:1: `visibilty` is not a field known here (did you mean `visibility`? It is sent to GitBook as it is)",
            ],
        );
        check(
            "target: sites\n",
            &[
                "warning m:6:9: `target` is `sites`, which is not known here (did you mean `site`? accepted: `all`, `site`, `space`, `organization`; it is sent to GitBook as it is)",
            ],
        );
    }

    #[test]
    fn a_scope_has_one_suggestion_or_all_names() {
        let manifest = |scope: &str| format!("{}scopes: [{scope}]\n", GOOD.replace("scopes: []\n", ""));
        let hint = |scope: &str| {
            let node = YamlValue::parse(&manifest(scope), &SourceLocation::file("m")).unwrap();
            let found = super::check(&node, &super::super::MANIFEST);
            assert_eq!(found.len(), 1, "{scope}");
            found[0].diagnostic.hint.clone().unwrap()
        };
        let successor = "use its successor `site:views:read`; it is sent to GitBook as it is";
        assert_eq!(hint("space:views:read"), successor);
        let near = "did you mean `space:content:read`? It is sent to GitBook as it is";
        assert_eq!(hint("space:contents:read"), near);
        let all = hint("space:comments:read");
        assert!(all.starts_with("accepted: `space:content:read`, `space:content:write`, "), "{all}");
    }

    #[test]
    fn what_must_be_unique_is_told_where_it_stands_again() {
        check(
            "configurations: {site: {properties: {}, required: [a, b, a]}}\n",
            &["error m:6:58: `configurations.site.required[2]` is `a` once more"],
        );
        check("previewImages: [a.png, a.png]\nblocks: [{id: a, title: bc, urlUnfurl: [x, x]}]\n", &[]);
    }

    #[test]
    fn a_configuration_is_one_thing_or_the_other() {
        check(
            "configurations: {site: {properties: {}, componentId: a}}\n",
            &["error m:6:24: `configurations.site` has both `componentId` and `properties`, one is the most"],
        );
    }

    #[test]
    fn a_url_says_what_is_wrong_with_it() {
        check(
            "externalLinks: [{label: a, url: 'https://a.example/b c'}]\n",
            &[
                "error m:6:33: `externalLinks[0].url` is not a URL: write ` ` as `%20` (accepted: a whole address, such as `https://example.com/page`)",
            ],
        );
    }

    #[test]
    fn a_visibility_that_is_not_one_is_an_error() {
        check(
            "visibility: secret\n",
            &[
                "error m:6:13: `visibility` is `secret`, which is not accepted (accepted: `public`, `private`, `unlisted`)",
            ],
        );
    }

    #[test]
    fn missing_fields_are_told_at_their_object() {
        check(
            "contentSources:\n- id: x\n  title: xy\n",
            &["error m:7:3: `contentSources[0].configuration` is missing (it must be a mapping)"],
        );
        check(
            "configurations: {site: {properties: {b: {type: button}}}}\n",
            &[
                "error m:6:41: `configurations.site.properties.b.callback_url` is missing (it must be text)",
                "error m:6:41: `configurations.site.properties.b.button_text` is missing (it must be text)",
            ],
        );
    }
}
