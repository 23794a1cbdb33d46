//! Reads a manifest and applies its `envs` entry and the overrides from variables.

use std::path::{Path, PathBuf};

use super::files::{self, FileError};
use super::redact_manifest::redact_manifest;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::yaml::{YamlData, YamlDocument, YamlKey, YamlMapping, YamlValue};

/// The file name of a manifest.
pub(crate) const FILE_NAME: &str = "gitbook-manifest.yaml";

/// The `envs` entry to apply by default, as in GitBook's CLI.
const DEFAULT_ENV: &str = "default";

/// The maximum size of a manifest in bytes.
const MAX_FILE_SIZE: u64 = 1024 * 1024;

/// A manifest field set by a variable (`GITBOOK_TITLE` sets `title`).
#[derive(Clone, Debug)]
pub(crate) struct Override {
    /// The name of the manifest field.
    pub key: &'static str,
    /// The name of the variable.
    pub variable: String,
    /// The format of `value`.
    pub format: ValueFormat,
    /// The value of the variable.
    pub value: String,
}

/// The format of a variable that sets a manifest field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueFormat {
    /// Plain text.
    Text,
    /// A list, separated by commas or line breaks.
    List,
    /// YAML or JSON.
    Structure,
}

/// The fields of a manifest, before or after an `envs` entry and overrides are applied.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// The manifest file, or the variable that replaces it.
    pub(crate) location: SourceLocation,
    /// The folder that paths in the manifest are relative to.
    pub(crate) folder: PathBuf,
    /// The requested `envs` entry that was applied.
    pub(crate) env: Option<String>,
    pub(crate) fields: YamlMapping,
}

impl Manifest {
    /// Reads a manifest. `path` contains the path of the file, and the path to show in messages. Without `path`, returns an empty
    /// manifest, because variables set all fields.
    pub(crate) fn load(
        path: Option<(&Path, &Path)>,
        folder: &Path,
        root: &Path,
    ) -> Result<Self, Box<Diagnostic>> {
        let Some((path, display_path)) = path else {
            let location = SourceLocation::variable("GITBOOK_NAME");
            return Ok(Self {
                location,
                folder: folder.to_owned(),
                env: None,
                fields: YamlMapping::default(),
            });
        };
        let location = SourceLocation::file(display_path);
        let text = normalize_line_ends(&read_manifest_file(path, root, &location)?);
        let document = YamlDocument::parse(&text);
        let redacted = redact_manifest(&text, &document);
        let node = document
            .into_value(&redacted.map_or_else(|| location.clone(), |text| location.with_text(&text)))?;
        match node.value {
            YamlData::Mapping(fields) => Ok(Self { location, folder: folder.to_owned(), env: None, fields }),
            YamlData::Null => {
                let hint = "add `name`, `title`, `organization`, `script` and `scopes`".to_owned();
                Err(Box::new(Diagnostic::error(location, "the manifest is empty").with_hint(hint)))
            }
            _ => {
                let message = format!("the manifest is {}; it must be a mapping", node.kind());
                let hint = "begin the manifest with fields such as `name: hello`".to_owned();
                Err(Box::new(Diagnostic::error(node.location.clone(), message).with_hint(hint)))
            }
        }
    }

    /// Returns the names of the entries in `envs`, before one of them is applied.
    pub(crate) fn env_names(&self) -> Vec<String> {
        let entries = self.fields.get("envs").and_then(YamlValue::as_mapping);
        entries.into_iter().flat_map(|entries| &entries.0).map(|(key, _)| key.name.clone()).collect()
    }

    /// Sets the fields that the first requested `envs` entry contains, or those of `default` if no entry is requested. Replaces the
    /// whole value of each field: lists and mappings are not merged. A manifest without a requested entry stays unchanged.
    pub(crate) fn apply_env(&mut self, requested: &[String]) -> Result<(), Box<Diagnostic>> {
        let Some(envs) = self.fields.remove("envs") else { return Ok(()) };
        // Keep a value of the wrong type, so that the schema check reports it.
        let Some(entries) = envs.as_mapping() else {
            let key = YamlKey { name: "envs".to_owned(), location: envs.location.clone() };
            self.fields.set(key, envs);
            return Ok(());
        };
        self.env = requested.iter().find(|name| entries.get(name).is_some()).cloned();
        let name = self.env.as_deref().or(requested.is_empty().then_some(DEFAULT_ENV));
        let Some((name, entry)) = name.and_then(|name| Some((name, entries.get(name)?))) else {
            return Ok(());
        };
        let Some(entry) = entry.as_mapping() else {
            let message = format!("`envs.{name}` is {}; it must be a mapping", entry.kind());
            let hint = "write the fields of the entry indented below its name".to_owned();
            return Err(Box::new(Diagnostic::error(entry.location.clone(), message).with_hint(hint)));
        };
        for (key, node) in entry.0.clone() {
            self.fields.set(key, node);
        }
        // An `envs` entry must not set `envs`.
        self.fields.remove("envs");
        Ok(())
    }

    /// Sets the fields that the overrides contain.
    pub(crate) fn apply_overrides(&mut self, overrides: &[Override]) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        for field in overrides {
            let location = SourceLocation::variable(&field.variable);
            match field.parse(&location) {
                Ok(node) => self.fields.set(YamlKey { name: field.key.to_owned(), location }, node),
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl Override {
    fn parse(&self, location: &SourceLocation) -> Result<YamlValue, Box<Diagnostic>> {
        match self.format {
            ValueFormat::Text => Ok(YamlValue::from_text(self.value.clone(), location)),
            ValueFormat::List => {
                let items =
                    split_list(&self.value).map(|item| YamlValue::from_text(item, location)).collect();
                Ok(YamlValue { value: YamlData::List(items), location: location.clone() })
            }
            // No text is attached to the location, because an excerpt could contain a secret.
            ValueFormat::Structure if self.key == "secrets" => {
                YamlValue::parse(&normalize_line_ends(&self.value), location)
            }
            ValueFormat::Structure => {
                let text = normalize_line_ends(&self.value);
                YamlValue::parse(&text, &location.with_text(&text))
            }
        }
    }
}

/// Splits the list in a variable at line breaks and commas. Commas inside the braces or brackets of a glob do not split the list.
/// Skips empty entries.
pub(crate) fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let is_separator = move |character| {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '\n' => depth = 0,
            _ => {}
        }
        character == '\n' || character == ',' && depth == 0
    };
    text.split(is_separator).map(str::trim).filter(|entry| !entry.is_empty())
}

/// Removes a byte order mark. Replaces each lone carriage return with a line feed, because YAML accepts both as line ends, but
/// excerpts count only line feeds.
fn normalize_line_ends(text: &str) -> String {
    let mut characters = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut normalized = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let is_alone = character == '\r' && characters.peek() != Some(&'\n');
        normalized.push(if is_alone { '\n' } else { character });
    }
    normalized
}

fn read_manifest_file(
    path: &Path,
    root: &Path,
    location: &SourceLocation,
) -> Result<String, Box<Diagnostic>> {
    let failed = |message: String, hint: &str| {
        Box::new(Diagnostic::error(location.clone(), message).with_hint(hint.to_owned()))
    };
    let unreadable = |error: FileError| {
        failed(
            format!("could not read the manifest: {error}"),
            "use a UTF-8 text file inside the repository that the user of this process may read",
        )
    };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.into()))?;
    if !metadata.is_file() {
        return Err(failed(
            "the manifest is not a regular file".to_owned(),
            "replace it with a regular file",
        ));
    }
    if metadata.len() > MAX_FILE_SIZE {
        let message = format!("the manifest is {} bytes; the limit is 1 MiB", metadata.len());
        return Err(failed(message, "move large content to files that the manifest names"));
    }
    files::read_text(path, |path| files::is_repository_file(path, root)).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FILE_NAME, Manifest, Override, ValueFormat};
    use crate::diagnostic::SourceLocation;
    use crate::yaml::YamlValue;

    fn root(folder: &Path) -> std::path::PathBuf {
        dunce::canonicalize(folder).unwrap()
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("m");
        std::fs::write(&path, "name: a\rsecrets:\r  A: hush\r\ntitle: b\r").unwrap();
        let manifest = Manifest::load(Some((&path, "m".as_ref())), temp.path(), &root(temp.path())).unwrap();
        let title = &manifest.fields.get("title").unwrap().location;
        assert_eq!(title.to_string(), "m:4:8");
        assert_eq!(title.excerpt().unwrap().text, "title: b");
        let secret = title.at(3, 6).excerpt().unwrap().text;
        assert_eq!(secret.replace(crate::diagnostic::REDACTED_CHAR, "#"), "  A: ####");
    }

    fn manifest(text: &str) -> Manifest {
        let location = SourceLocation::file("m");
        let fields = YamlValue::parse(text, &location).unwrap().as_mapping().unwrap().clone();
        Manifest { location, folder: "/".into(), env: None, fields }
    }

    fn check_env(text: &str, requested: &[&str], expected: (&str, Option<&str>)) {
        let mut manifest = manifest(text);
        let requested: Vec<_> = requested.iter().map(|&name| name.to_owned()).collect();
        manifest.apply_env(&requested).unwrap();
        let title = manifest.fields.text("title").unwrap_or_default();
        assert_eq!((title, manifest.env.as_deref()), expected);
    }

    fn check_load(text: &str, expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, text).unwrap();
        let loaded = Manifest::load(Some((&path, Path::new("m"))), folder.path(), &root(folder.path()));
        let keys = |manifest: &Manifest| {
            manifest.fields.0.iter().map(|(key, _)| key.name.clone()).collect::<Vec<_>>().join(" ")
        };
        let found = loaded.as_ref().map(keys).map_err(ToString::to_string);
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_manifest_must_be_a_mapping() {
        check_load("name: a\ntitle: b\n", Ok("name title"));
        check_load("{}", Ok(""));
        check_load("", Err("m: the manifest is empty"));
        check_load("# name: a\n", Err("m: the manifest is empty"));
        check_load("- name", Err("m:1:1: the manifest is a list; it must be a mapping"));
        check_load("name", Err("m:1:1: the manifest is text; it must be a mapping"));
    }

    #[test]
    fn a_manifest_is_limited_to_1_mib() {
        let of_size = |size: usize| format!("name: a\n{}", "#".repeat(size - 8));
        check_load(&of_size(1024 * 1024), Ok("name"));
        let expected = "m: the manifest is 1048577 bytes; the limit is 1 MiB";
        check_load(&of_size(1024 * 1024 + 1), Err(expected));
        let folder = tempfile::tempdir().unwrap();
        let problem =
            Manifest::load(Some((folder.path(), Path::new("m"))), folder.path(), &root(folder.path()))
                .unwrap_err();
        assert_eq!(problem.to_string(), "m: the manifest is not a regular file");
    }

    #[test]
    fn secrets_in_variables_have_no_excerpt() {
        let check = |key, expected: Option<&str>| {
            let field = Override {
                key,
                variable: "V".into(),
                format: ValueFormat::Structure,
                value: "{A: hush".into(),
            };
            let problems = manifest("title: a").apply_overrides(&[field]).unwrap_err();
            let shown = problems[0].location.as_ref().unwrap().excerpt().map(|excerpt| excerpt.text);
            assert_eq!(shown.as_deref(), expected, "{key}");
        };
        check("blocks", Some("{A: hush"));
        check("secrets", None);
    }

    #[test]
    fn an_envs_entry_replaces_whole_fields() {
        let text = "title: a\nsecrets: {x: y}\nenvs: {prod: {title: b, secrets: {}}, default: {title: c}}";
        check_env(text, &["prod"], ("b", Some("prod")));
        check_env(text, &[], ("c", None));
        check_env("title: a", &[], ("a", None));
        let mut applied = manifest(text);
        applied.apply_env(&["prod".to_owned()]).unwrap();
        assert_eq!(applied.fields.get("secrets").unwrap().to_json(), serde_json::json!({}));
        assert!(applied.fields.get("envs").is_none());
    }

    #[test]
    fn the_first_requested_envs_entry_applies() {
        let text = "title: a\nenvs: {prod: {title: b}, live: {title: c}, default: {title: d}}";
        check_env(text, &["live", "prod"], ("c", Some("live")));
        check_env(text, &["none", "prod"], ("b", Some("prod")));
        check_env(text, &["none"], ("a", None));
        check_env("title: a", &["prod"], ("a", None));
    }

    #[test]
    fn a_list_is_not_split_at_commas_inside_globs() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(super::split_list(text).collect::<Vec<_>>(), expected);
        check("a, b\n c,,\n", &["a", "b", "c"]);
        check("x/{a,b}/y,z[,]", &["x/{a,b}/y", "z[,]"]);
        check("{a\nb,c", &["{a", "b", "c"]);
    }

    #[test]
    fn overrides_are_parsed_by_format() {
        let of = |key, format, value: &str| Override {
            key,
            variable: "V".to_owned(),
            format,
            value: value.to_owned(),
        };
        let mut manifest = manifest("title: a\nscopes: [x]");
        manifest
            .apply_overrides(&[
                of("title", ValueFormat::Text, "12"),
                of("scopes", ValueFormat::List, "a, b\nc,\n"),
                of("blocks", ValueFormat::Structure, "[{\"id\": \"x\"}]"),
            ])
            .unwrap();
        let json: Vec<_> =
            ["title", "scopes", "blocks"].map(|key| manifest.fields.get(key).unwrap().to_json()).into();
        assert_eq!(serde_json::json!(json), serde_json::json!(["12", ["a", "b", "c"], [{"id": "x"}]]));
        let problems = manifest.apply_overrides(&[of("blocks", ValueFormat::Structure, "[")]).unwrap_err();
        assert!(problems[0].to_string().starts_with("V:1:"), "{}", problems[0]);
    }
}
