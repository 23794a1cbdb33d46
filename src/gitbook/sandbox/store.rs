//! Stores the integrations of the sandbox, each in its own folder.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use url::Url;

use crate::schema;

const RECORD_FILE: &str = "integration.json";
const ICON_FILE: &str = "icon.png";

/// The first character in the name of an incomplete folder. The name of an integration cannot contain this character.
const INCOMPLETE_PREFIX: char = '~';

/// A folder that contains the published integrations.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        // Creates and removes a folder, to fail early if `folder` is read-only.
        fs::remove_dir(create_staging_folder(folder)?)?;
        Ok(Self { folder: dunce::canonicalize(folder)? })
    }

    /// Stores an integration, either completely or not at all, and returns its record.
    pub(super) fn publish(&mut self, name: &str, body: &Value, images: &[StoredImage]) -> io::Result<Value> {
        let version = self.read(name)?.and_then(|existing| existing["version"].as_u64()).unwrap_or(0) + 1;
        let record = self.new_record(name, version, body, images);
        let staging = create_staging_folder(&self.folder)?;
        fs::write(staging.join(RECORD_FILE), format!("{record:#}\n"))?;
        fs::write(staging.join("script.js"), body["script"].as_str().unwrap_or_default())?;
        for image in images {
            fs::write(staging.join(&image.file_name), &image.bytes)?;
        }
        self.delete(name)?;
        fs::rename(staging, self.folder.join(name))?;
        Ok(record)
    }

    pub(super) fn read(&self, name: &str) -> io::Result<Option<Value>> {
        match fs::read(self.folder.join(name).join(RECORD_FILE)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes an integration. Returns false if it did not exist.
    pub(super) fn delete(&mut self, name: &str) -> io::Result<bool> {
        if self.read(name)?.is_none() {
            return Ok(false);
        }
        fs::remove_dir_all(self.folder.join(name))?;
        Ok(true)
    }

    /// Lists the integrations of an organization, sorted by name.
    pub(super) fn list_integrations(&self, organization: &str) -> io::Result<Vec<Value>> {
        let all = self.read_all()?;
        Ok(all.into_iter().filter(|integration| integration["owner"]["id"] == organization).collect())
    }

    /// Lists the IDs of the organizations that own integrations.
    pub(super) fn organizations(&self) -> io::Result<BTreeSet<String>> {
        let all = self.read_all()?;
        Ok(all
            .iter()
            .filter_map(|integration| integration["owner"]["id"].as_str().map(str::to_owned))
            .collect())
    }

    fn read_all(&self) -> io::Result<Vec<Value>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            names.extend(entry?.file_name().into_string());
        }
        names.retain(|name| !name.starts_with(INCOMPLETE_PREFIX));
        names.sort();
        names.iter().filter_map(|name| self.read(name).transpose()).collect()
    }

    /// Creates the record of an integration from the known fields of a publish request. The record contains the names of secrets
    /// without their values. It omits the script and contains the URLs of the images, because the script and the images are
    /// separate files.
    fn new_record(&self, name: &str, version: u64, body: &Value, images: &[StoredImage]) -> Value {
        let mut record = Map::new();
        let organization = body["organization"].as_str().unwrap_or_default();
        record.insert("object".to_owned(), json!("integration"));
        record.insert("name".to_owned(), json!(name));
        record.insert("version".to_owned(), json!(version));
        record.insert(
            "owner".to_owned(),
            json!({"object": "organization", "id": organization, "title": organization}),
        );
        let (icons, previews): (Vec<_>, Vec<_>) =
            images.iter().partition(|image| image.file_name == ICON_FILE);
        let folder = Url::from_directory_path(self.folder.join(name)).ok();
        let url = |image: &StoredImage| folder.as_ref()?.join(&image.file_name).ok().map(String::from);
        let folder_url = folder.as_ref().map(Url::as_str);
        record.insert("urls".to_owned(), json!({"app": folder_url, "publicEndpoint": folder_url}));
        if let Some(icon) = icons.first() {
            record["urls"]["icon"] = json!(url(icon));
        }
        let omitted = ["script", "icon", "previewImages", "secrets", "organization"];
        let is_copied =
            |key: &str| schema::BODY.fields().any(|field| field == key) && !omitted.contains(&key);
        let fields = body.as_object().into_iter().flatten().filter(|(key, _)| is_copied(key));
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

/// Creates an empty folder for writing an integration. After all files are written, the caller renames the folder.
fn create_staging_folder(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join(format!("{INCOMPLETE_PREFIX}{}", uuid::Uuid::new_v4()));
    fs::create_dir(&path)?;
    Ok(path)
}

/// A decoded image and the name of its file.
#[derive(Debug)]
pub(super) struct StoredImage {
    file_name: String,
    bytes: Vec<u8>,
}

/// Decodes the images of a publish request.
///
/// # Errors
/// Returns a message about the first image that is not base64.
pub(super) fn decode_images(body: &Value) -> Result<Vec<StoredImage>, String> {
    let decode = |field: &str, file_name: String, text: &Value| {
        let bytes = text.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
        bytes
            .map(|bytes| StoredImage { file_name, bytes })
            .ok_or_else(|| format!("\"{field}\" is not base64"))
    };
    let icon = body.get("icon").map(|icon| decode("icon", ICON_FILE.to_owned(), icon));
    let previews = body["previewImages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let previews = previews.iter().enumerate().map(|(index, text)| {
        decode(&format!("previewImages[{index}]"), format!("preview-{}.png", index + 1), text)
    });
    icon.into_iter().chain(previews).collect()
}
