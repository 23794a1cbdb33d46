//! Reads a manifest, applies its `envs` entry and the overrides from the environment.

use std::path::{Path, PathBuf};

use super::files;
use super::redact_manifest::masked;
use crate::diagnostic::{Diagnostic, SourceLocation, nearest};
use crate::yaml::{YamlData, YamlKey, YamlMapping, YamlValue};

/// The file name of a manifest.
pub(crate) const FILE_NAME: &str = "gitbook-manifest.yaml";

/// The entry of `envs` that applies when none is asked for, as the vendor's CLI does it.
const DEFAULT_ENV: &str = "default";

/// A manifest is a page or two; reading stops here instead of filling the memory.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A manifest field given by a variable (`GITBOOK_TITLE` gives `title`).
#[derive(Clone, Debug)]
pub(crate) struct Override {
    /// The manifest's key.
    pub key: &'static str,
    /// The variable.
    pub variable: String,
    /// How the variable's text is read.
    pub form: ValueFormat,
    /// The variable's text.
    pub value: String,
}

/// How the text of a variable becomes the value of a manifest field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueFormat {
    /// The text itself.
    Text,
    /// A list, one entry a line or comma separated.
    List,
    /// YAML or JSON.
    Structure,
}

/// A manifest as it was written, with what the environment adds.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// The file, or where the variables stand for one.
    pub(crate) place: SourceLocation,
    /// The folder that its paths are relative to.
    pub(crate) folder: PathBuf,
    /// Its fields.
    pub(crate) fields: YamlMapping,
}

impl Manifest {
    /// Reads the file at `path` (shown as `shown`), or starts with nothing where the variables are the manifest.
    pub(crate) fn load(
        path: Option<(&Path, &Path)>,
        folder: &Path,
        root: &Path,
    ) -> Result<Self, Box<Diagnostic>> {
        let Some((path, shown)) = path else {
            let place = SourceLocation::variable("GITBOOK_NAME");
            return Ok(Self { place, folder: folder.to_owned(), fields: YamlMapping::default() });
        };
        let place = SourceLocation::file(shown);
        let text = with_line_feeds(&read(path, root, &place)?);
        let shown = masked(&text).map_or_else(|| place.clone(), |text| place.with_text(&text));
        let node = YamlValue::parse(&text, &shown)?;
        match node.value {
            YamlData::YamlMapping(fields) => Ok(Self { place, folder: folder.to_owned(), fields }),
            YamlData::Null => {
                let hint = "it must have `name`, `title`, `organization`, `script` and `scopes`".to_owned();
                Err(Box::new(Diagnostic::error(place, "the manifest is empty").hint(hint)))
            }
            _ => Err(Box::new(Diagnostic::error(
                node.place.clone(),
                format!("the manifest is {}, it must be a mapping", node.kind()),
            ))),
        }
    }

    /// Lets the keys of an `envs` entry replace the manifest's own, whole.
    pub(crate) fn apply_env(&mut self, env: Option<&str>) -> Result<(), Box<Diagnostic>> {
        let Some(envs) = self.fields.remove("envs") else {
            return match env {
                Some(env) => Err(self.no_such_env(env, &[])),
                None => Ok(()),
            };
        };
        // A wrong type is reported with the other problems of the schema.
        let Some(entries) = envs.as_map() else {
            let key = YamlKey { name: "envs".to_owned(), place: envs.place.clone() };
            self.fields.set(key, envs);
            return Ok(());
        };
        let entry = match (entries.get(env.unwrap_or(DEFAULT_ENV)), env) {
            (Some(entry), _) => entry,
            (None, None) => return Ok(()),
            (None, Some(env)) => {
                let known: Vec<_> = entries.0.iter().map(|(key, _)| key.name.as_str()).collect();
                return Err(self.no_such_env(env, &known));
            }
        };
        let Some(entry) = entry.as_map() else {
            let message = format!("an entry of `envs` is {}, it must be a mapping", entry.kind());
            return Err(Box::new(Diagnostic::error(entry.place.clone(), message)));
        };
        for (key, node) in entry.0.clone() {
            self.fields.set(key, node);
        }
        // An entry of `envs` has no `envs` of its own.
        self.fields.remove("envs");
        Ok(())
    }

    /// Lets the variables replace the manifest's fields.
    pub(crate) fn apply_overrides(&mut self, overrides: &[Override]) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        for field in overrides {
            let place = SourceLocation::variable(&field.variable);
            match field.node(&place) {
                Ok(node) => self.fields.set(YamlKey { name: field.key.to_owned(), place }, node),
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn no_such_env(&self, env: &str, known: &[&str]) -> Box<Diagnostic> {
        let hint = match (nearest(env, known.iter().copied()), known) {
            (Some(name), _) => format!("did you mean `{name}`?"),
            (None, []) => "the manifest has no `envs`".to_owned(),
            (None, known) => format!("it has: {}", known.join(", ")),
        };
        let message = format!("`envs` has no entry `{env}`");
        Box::new(Diagnostic::error(self.place.clone(), message).hint(hint))
    }
}

impl Override {
    fn node(&self, place: &SourceLocation) -> Result<YamlValue, Box<Diagnostic>> {
        match self.form {
            ValueFormat::Text => Ok(YamlValue::text(self.value.clone(), place)),
            ValueFormat::List => {
                let items = list(&self.value).map(|item| YamlValue::text(item, place)).collect();
                Ok(YamlValue { value: YamlData::List(items), place: place.clone() })
            }
            // Of secrets, nothing is shown.
            ValueFormat::Structure if self.key == "secrets" => {
                YamlValue::parse(&with_line_feeds(&self.value), place)
            }
            ValueFormat::Structure => {
                let text = with_line_feeds(&self.value);
                YamlValue::parse(&text, &place.with_text(&text))
            }
        }
    }
}

/// The entries of a list in a variable: one a line or comma separated, empty ones left out. A comma within the braces
/// or brackets of a glob separates nothing.
pub(crate) fn list(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let separates = move |character| {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '\n' => depth = 0,
            _ => {}
        }
        character == '\n' || character == ',' && depth == 0
    };
    text.split(separates).map(str::trim).filter(|entry| !entry.is_empty())
}

/// The text with a line feed for each carriage return that stands alone. To YAML that ends a line, too, and to nothing else
/// here: places would be those of other lines.
fn with_line_feeds(text: &str) -> String {
    let mut characters = text.chars().peekable();
    let mut feeds = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let is_alone = character == '\r' && characters.peek() != Some(&'\n');
        feeds.push(if is_alone { '\n' } else { character });
    }
    feeds
}

fn read(path: &Path, root: &Path, place: &SourceLocation) -> Result<String, Box<Diagnostic>> {
    let failed = |what: String| Box::new(Diagnostic::error(place.clone(), what));
    let metadata =
        std::fs::metadata(path).map_err(|error| failed(format!("the manifest can't be read: {error}")))?;
    if !metadata.is_file() {
        return Err(failed("the manifest is not a file".to_owned()));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(failed(format!("the manifest has {} bytes, 1 MiB is the most", metadata.len())));
    }
    let text = files::read_text(path, |path| files::is_content(path, root));
    text.map_err(|error| failed(format!("the manifest can't be read: {error}")))
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
    fn lines_are_those_that_yaml_counts() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("m");
        std::fs::write(&path, "name: a\rsecrets:\r  A: hush\r\ntitle: b\r").unwrap();
        let manifest = Manifest::load(Some((&path, "m".as_ref())), temp.path(), &root(temp.path())).unwrap();
        let title = &manifest.fields.get("title").unwrap().place;
        assert_eq!(title.to_string(), "m:4:8");
        assert_eq!(title.excerpt().unwrap().text, "title: b");
        let secret = title.at(3, 6).excerpt().unwrap().text;
        assert_eq!(secret.replace(crate::diagnostic::REDACTED_CHAR, "#"), "  A: ####");
    }

    fn manifest(text: &str) -> Manifest {
        let place = SourceLocation::file("m");
        let fields = YamlValue::parse(text, &place).unwrap().as_map().unwrap().clone();
        Manifest { place, folder: "/".into(), fields }
    }

    fn check_env(text: &str, env: Option<&str>, expected: Result<&str, &str>) {
        let mut manifest = manifest(text);
        let result =
            manifest.apply_env(env).map_err(|d| format!("{d} ({})", d.hint.clone().unwrap_or_default()));
        let title = manifest.fields.text("title").unwrap_or_default();
        assert_eq!(result.as_ref().map(|()| title).map_err(String::as_str), expected);
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
    fn a_manifest_is_a_mapping() {
        check_load("name: a\ntitle: b\n", Ok("name title"));
        check_load("{}", Ok(""));
        check_load("", Err("m: the manifest is empty"));
        check_load("# name: a\n", Err("m: the manifest is empty"));
        check_load("- name", Err("m:1:1: the manifest is a list, it must be a mapping"));
        check_load("name", Err("m:1:1: the manifest is text, it must be a mapping"));
    }

    #[test]
    fn a_manifest_is_a_page_or_two() {
        let of_size = |size: usize| format!("name: a\n{}", "#".repeat(size - 8));
        check_load(&of_size(1024 * 1024), Ok("name"));
        let expected = "m: the manifest has 1048577 bytes, 1 MiB is the most";
        check_load(&of_size(1024 * 1024 + 1), Err(expected));
        let folder = tempfile::tempdir().unwrap();
        let problem =
            Manifest::load(Some((folder.path(), Path::new("m"))), folder.path(), &root(folder.path()))
                .unwrap_err();
        assert_eq!(problem.to_string(), "m: the manifest is not a file");
    }

    #[test]
    fn of_secrets_nothing_is_shown() {
        let check = |key, expected: Option<&str>| {
            let given = Override {
                key,
                variable: "V".into(),
                form: ValueFormat::Structure,
                value: "{A: hush".into(),
            };
            let problems = manifest("title: a").apply_overrides(&[given]).unwrap_err();
            let shown = problems[0].location.as_ref().unwrap().excerpt().map(|excerpt| excerpt.text);
            assert_eq!(shown.as_deref(), expected, "{key}");
        };
        check("blocks", Some("{A: hush"));
        check("secrets", None);
    }

    #[test]
    fn an_env_replaces_keys_whole() {
        let text = "title: a\nsecrets: {x: y}\nenvs: {prod: {title: b, secrets: {}}, default: {title: c}}";
        check_env(text, Some("prod"), Ok("b"));
        check_env(text, None, Ok("c"));
        check_env("title: a", None, Ok("a"));
        let mut applied = manifest(text);
        applied.apply_env(Some("prod")).unwrap();
        assert_eq!(applied.fields.get("secrets").unwrap().to_json(), serde_json::json!({}));
        assert!(applied.fields.get("envs").is_none());
    }

    #[test]
    fn a_comma_in_a_glob_separates_nothing() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(super::list(text).collect::<Vec<_>>(), expected);
        check("a, b\n c,,\n", &["a", "b", "c"]);
        check("x/{a,b}/y,z[,]", &["x/{a,b}/y", "z[,]"]);
        check("{a\nb,c", &["{a", "b", "c"]);
    }

    #[test]
    fn an_env_that_is_not_there_is_an_error() {
        let text = "title: a\nenvs: {production: {}}";
        check_env(
            text,
            Some("productoin"),
            Err("m: `envs` has no entry `productoin` (did you mean `production`?)"),
        );
        check_env(text, Some("x"), Err("m: `envs` has no entry `x` (it has: production)"));
        check_env("title: a", Some("x"), Err("m: `envs` has no entry `x` (the manifest has no `envs`)"));
    }

    #[test]
    fn overrides_are_read_by_their_form() {
        let of = |key, form, value: &str| Override {
            key,
            variable: "V".to_owned(),
            form,
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
