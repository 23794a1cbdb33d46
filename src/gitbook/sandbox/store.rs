//! What was published to the sandbox, one folder an integration.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use url::Url;

use crate::schema;

const RECORD: &str = "integration.json";
const ICON: &str = "icon.png";

/// What the names of folders start with that are not complete yet; an integration's name can't.
const STAGED: char = '~';

/// A folder of published integrations.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        // A folder that is there may be mounted for reading only.
        fs::remove_dir(tempdir(folder)?)?;
        Ok(Self { folder: dunce::canonicalize(folder)? })
    }

    /// Keeps an integration whole or not at all, and answers as the API does.
    pub(super) fn publish(&mut self, name: &str, body: &Value, images: &[Image]) -> io::Result<Value> {
        let version = self.read(name)?.and_then(|known| known["version"].as_u64()).unwrap_or(0) + 1;
        let record = self.record(name, version, body, images);
        let staging = tempdir(&self.folder)?;
        fs::write(staging.join(RECORD), format!("{record:#}\n"))?;
        fs::write(staging.join("script.js"), body["script"].as_str().unwrap_or_default())?;
        for image in images {
            fs::write(staging.join(&image.file), &image.bytes)?;
        }
        self.delete(name)?;
        fs::rename(staging, self.folder.join(name))?;
        Ok(record)
    }

    pub(super) fn read(&self, name: &str) -> io::Result<Option<Value>> {
        match fs::read(self.folder.join(name).join(RECORD)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it was there.
    pub(super) fn delete(&mut self, name: &str) -> io::Result<bool> {
        if self.read(name)?.is_none() {
            return Ok(false);
        }
        fs::remove_dir_all(self.folder.join(name))?;
        Ok(true)
    }

    /// All integrations of an organization, by name.
    pub(super) fn of_organization(&self, organization: &str) -> io::Result<Vec<Value>> {
        let all = self.all()?;
        Ok(all.into_iter().filter(|integration| integration["owner"]["id"] == organization).collect())
    }

    /// The organizations that own anything.
    pub(super) fn organizations(&self) -> io::Result<BTreeSet<String>> {
        let all = self.all()?;
        Ok(all
            .iter()
            .filter_map(|integration| integration["owner"]["id"].as_str().map(str::to_owned))
            .collect())
    }

    fn all(&self) -> io::Result<Vec<Value>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            names.extend(entry?.file_name().into_string());
        }
        names.retain(|name| !name.starts_with(STAGED));
        names.sort();
        names.iter().filter_map(|name| self.read(name).transpose()).collect()
    }

    /// What is to be known of an integration. Images and the script are files beside it, secrets are names only, and
    /// fields that the API does not know are ignored.
    fn record(&self, name: &str, version: u64, body: &Value, images: &[Image]) -> Value {
        let mut record = Map::new();
        let organization = body["organization"].as_str().unwrap_or_default();
        record.insert("object".to_owned(), json!("integration"));
        record.insert("name".to_owned(), json!(name));
        record.insert("version".to_owned(), json!(version));
        record.insert(
            "owner".to_owned(),
            json!({"object": "organization", "id": organization, "title": organization}),
        );
        let (icons, previews): (Vec<_>, Vec<_>) = images.iter().partition(|image| image.file == ICON);
        let folder = Url::from_directory_path(self.folder.join(name)).ok();
        let url = |image: &Image| folder.as_ref()?.join(&image.file).ok().map(String::from);
        let shown = folder.as_ref().map(Url::as_str);
        record.insert("urls".to_owned(), json!({"app": shown, "publicEndpoint": shown}));
        if let Some(icon) = icons.first() {
            record["urls"]["icon"] = json!(url(icon));
        }
        let elsewhere = ["script", "icon", "previewImages", "secrets", "organization"];
        let known = |key: &str| schema::BODY.fields().any(|field| field == key) && !elsewhere.contains(&key);
        let fields = body.as_object().into_iter().flatten().filter(|(key, _)| known(key));
        record.extend(fields.map(|(key, value)| (key.clone(), value.clone())));
        record.entry("visibility").or_insert(json!("private"));
        record.entry("target").or_insert(json!("all"));
        if !previews.is_empty() {
            record.insert("previewImages".to_owned(), previews.into_iter().map(url).collect());
        }
        if let Some(secrets) = body["secrets"].as_object() {
            record.insert("secrets".to_owned(), secrets.keys().map(String::as_str).collect());
        }
        record.into()
    }
}

/// A new empty folder that no integration's name can be.
fn tempdir(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join(format!("{STAGED}{}", uuid::Uuid::new_v4()));
    fs::create_dir(&path)?;
    Ok(path)
}

/// An image and the file that keeps it.
#[derive(Debug)]
pub(super) struct Image {
    file: String,
    bytes: Vec<u8>,
}

/// The images of a publish request, or which of them is none.
pub(super) fn images(body: &Value) -> Result<Vec<Image>, String> {
    let image = |field: &str, file: String, text: &Value| {
        let bytes = text.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
        bytes.map(|bytes| Image { file, bytes }).ok_or_else(|| format!("\"{field}\" is not base64"))
    };
    let icon = body.get("icon").map(|icon| image("icon", ICON.to_owned(), icon));
    let previews = body["previewImages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let previews = previews.iter().enumerate().map(|(index, text)| {
        image(&format!("previewImages[{index}]"), format!("preview-{}.png", index + 1), text)
    });
    icon.into_iter().chain(previews).collect()
}
