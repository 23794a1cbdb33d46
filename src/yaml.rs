//! Parses YAML and JSON into values with source locations.

mod raw;
mod syntax;

pub(crate) use raw::{RawYaml, byte_range};

use serde_saphyr::{Location, Spanned};

use crate::diagnostic::{Diagnostic, SourceLocation};

/// A parsed YAML or JSON text. Its values do not have source locations yet.
pub(crate) struct YamlDocument<'a> {
    text: &'a str,
    parsed: Result<Spanned<RawYaml>, serde_saphyr::Error>,
}

/// A value with its location.
#[derive(Clone, Debug)]
pub(crate) struct YamlValue {
    pub(crate) value: YamlData,
    pub(crate) location: SourceLocation,
}

/// The data of a value, without the value's location.
#[derive(Clone, Debug)]
pub(crate) enum YamlData {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<YamlValue>),
    Mapping(YamlMapping),
}

/// A mapping that keeps the order of its keys in the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct YamlMapping(pub(crate) Vec<(YamlKey, YamlValue)>);

/// A key with its location.
#[derive(Clone, Debug)]
pub(crate) struct YamlKey {
    pub(crate) name: String,
    pub(crate) location: SourceLocation,
}

impl<'a> YamlDocument<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        // In YAML 1.2, `yes` and `y` are text. If an unknown tag such as `!env` were ignored, the text after the tag would be published.
        let options = serde_saphyr::options! { strict_booleans: true, reject_unsupported_tags: true };
        Self { text, parsed: serde_saphyr::from_str_with_options(text, options) }
    }

    /// Returns the root value with byte ranges, or `None` if the text is invalid.
    pub(crate) fn root(&self) -> Option<&Spanned<RawYaml>> {
        self.parsed.as_ref().ok()
    }

    /// Adds source locations to the parsed value. `location` is the file or variable that contains the text.
    pub(crate) fn into_value(self, location: &SourceLocation) -> Result<YamlValue, Box<Diagnostic>> {
        let source = YamlSource { text: self.text, location };
        let root = self.parsed.map_err(|error| Box::new(syntax::to_diagnostic(&error, &source)))?;
        Ok(YamlValue::from_raw(root, &source))
    }
}

impl YamlValue {
    /// Parses YAML or JSON, which is a subset of YAML.
    pub(crate) fn parse(text: &str, location: &SourceLocation) -> Result<Self, Box<Diagnostic>> {
        YamlDocument::parse(text).into_value(location)
    }

    /// Creates a text value at `location`.
    pub(crate) fn from_text(value: impl Into<String>, location: &SourceLocation) -> Self {
        Self { value: YamlData::Text(value.into()), location: location.clone() }
    }

    fn from_raw(raw: Spanned<RawYaml>, source: &YamlSource<'_>) -> Self {
        let is_scalar = !matches!(raw.value, RawYaml::List(_) | RawYaml::Mapping(_));
        let location = if is_scalar {
            source.scalar_location(raw.referenced)
        } else {
            locate(source.location, raw.referenced)
        };
        let value = match raw.value {
            RawYaml::Null => YamlData::Null,
            RawYaml::Bool(value) => YamlData::Bool(value),
            RawYaml::Number(value) => YamlData::Number(value),
            RawYaml::Text(value) => YamlData::Text(value),
            RawYaml::List(items) => {
                YamlData::List(items.into_iter().map(|item| Self::from_raw(item, source)).collect())
            }
            RawYaml::Mapping(entries) => YamlData::Mapping(YamlMapping(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let location = source.scalar_location(key.referenced);
                        (YamlKey { name: key.value, location }, Self::from_raw(value, source))
                    })
                    .collect(),
            )),
        };
        Self { value, location }
    }

    /// Returns the value without locations.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            YamlData::Null => serde_json::Value::Null,
            YamlData::Bool(value) => (*value).into(),
            YamlData::Number(value) => value.clone().into(),
            YamlData::Text(value) => value.clone().into(),
            YamlData::List(items) => items.iter().map(Self::to_json).collect(),
            YamlData::Mapping(map) => {
                map.0.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect()
            }
        }
    }

    /// Creates a value from JSON. `location` becomes the location of the value and of all nested values.
    pub(crate) fn from_json(json: &serde_json::Value, location: &SourceLocation) -> Self {
        let value = match json {
            serde_json::Value::Null => YamlData::Null,
            serde_json::Value::Bool(value) => YamlData::Bool(*value),
            serde_json::Value::Number(value) => YamlData::Number(value.clone()),
            serde_json::Value::String(value) => YamlData::Text(value.clone()),
            serde_json::Value::Array(items) => {
                YamlData::List(items.iter().map(|item| Self::from_json(item, location)).collect())
            }
            serde_json::Value::Object(entries) => YamlData::Mapping(YamlMapping(
                entries
                    .iter()
                    .map(|(name, value)| {
                        (
                            YamlKey { name: name.clone(), location: location.clone() },
                            Self::from_json(value, location),
                        )
                    })
                    .collect(),
            )),
        };
        Self { value, location: location.clone() }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            YamlData::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match &self.value {
            YamlData::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_mapping(&self) -> Option<&YamlMapping> {
        match &self.value {
            YamlData::Mapping(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the type of the value, for messages such as "`title` is a number".
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            YamlData::Null => "empty",
            YamlData::Bool(_) => "`true` or `false`",
            YamlData::Number(_) => "a number",
            YamlData::Text(_) => "text",
            YamlData::List(_) => "a list",
            YamlData::Mapping(_) => "a mapping",
        }
    }
}

impl YamlMapping {
    pub(crate) fn get(&self, name: &str) -> Option<&YamlValue> {
        self.0.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// Sets the value of a key, replacing any existing one.
    pub(crate) fn set(&mut self, key: YamlKey, node: YamlValue) {
        match self.0.iter_mut().find(|(existing, _)| existing.name == key.name) {
            Some(entry) => *entry = (key, node),
            None => self.0.push((key, node)),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<YamlValue> {
        let index = self.0.iter().position(|(key, _)| key.name == name)?;
        Some(self.0.remove(index).1)
    }
}

/// A text to parse, and the file or variable that contains it.
struct YamlSource<'a> {
    text: &'a str,
    location: &'a SourceLocation,
}

impl YamlSource<'_> {
    /// Returns the location of a scalar value or key. Includes the end of the scalar if it is on one line.
    fn scalar_location(&self, parsed: Location) -> SourceLocation {
        let location = locate(self.location, parsed);
        let span = parsed.span();
        let bytes = span.byte_offset().zip(span.byte_len());
        let bytes = bytes.and_then(|(start, length)| {
            let start = usize::try_from(start).ok()?;
            self.text.get(start..start.checked_add(usize::try_from(length).ok()?)?)
        });
        let line = bytes.map(str::trim_end).filter(|text| !text.contains('\n'));
        match (line, location.position) {
            (Some(line), Some(position)) => location.up_to_column(position.column + line.chars().count()),
            _ => location,
        }
    }
}

/// Converts a location from the YAML parser to a location in the file or variable `origin`.
fn locate(origin: &SourceLocation, location: Location) -> SourceLocation {
    match (usize::try_from(location.line()), usize::try_from(location.column())) {
        (Ok(line @ 1..), Ok(column)) => origin.at(line, column.max(1)),
        _ => origin.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::YamlValue;
    use crate::diagnostic::SourceLocation;

    fn parse(text: &str) -> Result<YamlValue, String> {
        YamlValue::parse(text, &SourceLocation::file("m.yaml")).map_err(|diagnostic| diagnostic.to_string())
    }

    #[test]
    fn keys_and_values_have_locations() {
        let node = parse("name: hello\nblocks:\n  - id: 'a'\n    title: x\n").unwrap();
        let map = node.as_mapping().unwrap();
        assert_eq!(map.get("name").unwrap().location.to_string(), "m.yaml:1:7");
        let block = &map.get("blocks").unwrap().as_list().unwrap()[0];
        let (key, title) = &block.as_mapping().unwrap().0[1];
        assert_eq!(key.location.to_string(), "m.yaml:4:5");
        assert_eq!(title.location.to_string(), "m.yaml:4:12");
    }

    #[test]
    fn byte_order_marks_and_carriage_returns_do_not_change_values_or_locations() {
        let node = parse("\u{feff}name: hello\r\nsummary: |\r\n  one\r\n  two\r\ntitle: x\r\n").unwrap();
        let fields = &node.as_mapping().unwrap().0;
        let places: Vec<_> = fields.iter().map(|(_, node)| node.location.to_string()).collect();
        assert_eq!(places, ["m.yaml:1:7", "m.yaml:3:3", "m.yaml:5:8"]);
        assert_eq!(
            node.to_json(),
            serde_json::json!({"name": "hello", "summary": "one\ntwo\n", "title": "x"})
        );
        assert_eq!(
            parse("a: 1\r\nb: 2\r\na: 3\r\n").unwrap_err(),
            "m.yaml:3:1: not valid YAML: duplicate key `a`"
        );
    }

    #[test]
    fn reads_yaml_1_2_with_anchors_and_block_scalars() {
        let node = parse("a: &x [1, 2.5, true, yes, ~]\nb: *x\nc: |\n  one\n  two\n").unwrap();
        assert_eq!(
            node.to_json(),
            serde_json::json!({"a": [1, 2.5, true, "yes", null], "b": [1, 2.5, true, "yes", null], "c": "one\ntwo\n"})
        );
    }

    #[test]
    fn rejects_unknown_tags() {
        let check = |text: &str, expected: &str, hint: &str| {
            let problem = YamlValue::parse(text, &SourceLocation::file("m")).unwrap_err();
            assert_eq!((problem.to_string().as_str(), problem.hint.as_deref()), (expected, Some(hint)));
        };
        let variable =
            "write `${{ env.NAME }}` in a value of `secrets` to insert the environment variable `NAME`";
        let literal = "remove the tag and write the value itself";
        check("a: 1\nb: !env KEY\n", "m:2:4: not valid YAML: unknown tag `!env`", variable);
        check("secrets: {A: !ENV '${KEY}'}", "m:1:14: not valid YAML: unknown tag `!ENV`", variable);
        check("a:\n  - !Ref Stack\n", "m:2:5: not valid YAML: unknown tag `!Ref`", literal);
        check("a: !env\n  b: c\n", "m:1:4: not valid YAML: unknown tag `!env`", variable);
        check("a: !include b.yaml", "m:1:4: not valid YAML: unknown tag `!include`", literal);
        let python = "m:1:4: not valid YAML: unknown tag `!!python/object/apply:os.system`";
        check("a: !!python/object/apply:os.system [ls]", python, literal);
        check("a: !!seq b", "m:1:4: not valid YAML: the value does not match its tag `!!seq`", literal);
        check("a: !str 12", "m:1:4: not valid YAML: unknown tag `!str`", literal);
        check("a: [1, !null x]", "m:1:8: not valid YAML: unknown tag `!null`", literal);
        check("a:\n- !map\n  b: c\n", "m:2:3: not valid YAML: unknown tag `!map`", literal);
        check("!env a: b", "m:1:1: not valid YAML: unknown tag `!env`", variable);
        check("# é\n\"é\": !env\n", "m:2:6: not valid YAML: unknown tag `!env`", variable);
        check("a: &x !env KEY\nb: *x\n", "m:1:7: not valid YAML: unknown tag `!env`", variable);
    }

    #[test]
    fn accepts_tags_of_the_core_schema() {
        let check = |text: &str, expected: serde_json::Value| {
            assert_eq!(parse(text).map(|node| node.to_json()), Ok(expected), "{text}");
        };
        check("!!map {a: !!str 12, b: !!int 3}", serde_json::json!({"a": "12", "b": 3}));
        check("!!seq [!!float 1.5, !!bool true, !!null ~]", serde_json::json!([1.5, true, null]));
        check("a: ! 12", serde_json::json!({"a": "12"}));
        check("a: '!env KEY'", serde_json::json!({"a": "!env KEY"}));
        check("a: b !env KEY", serde_json::json!({"a": "b !env KEY"}));
    }

    #[test]
    fn reports_the_location_of_syntax_errors() {
        let check = |text: &str, expected: &str| assert_eq!(parse(text).unwrap_err(), expected);
        check("a: [1, 2\nb: 3\n", "m.yaml:2:2: not valid YAML: illegal placement of ':' indicator");
        check("a: 1\na: 2\n", "m.yaml:2:1: not valid YAML: duplicate key `a`");
        check("a: 1\n\tb: 2\n", "m.yaml:2:1: not valid YAML: indented with a tab");
        check("a: &x [*x]\n", "m.yaml:1:8: not valid YAML: the anchor refers to itself");
        check("a: 1\n---\nb: 2\n", "m.yaml:3:1: not valid YAML: more than one document");
    }
}
