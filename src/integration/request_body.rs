//! Builds the body of a publish request just before it is sent, so that a waiting integration keeps no images in memory.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::images::ManifestImage;
use super::packaging_context::CachedScript;
use super::secrets::ManifestSecrets;
use super::source_changed::SourceChanged;
use crate::preview;

/// The manifest's fields in the format of the request.
pub(super) type BodyFields = serde_json::Map<String, serde_json::Value>;

/// The images, secrets and script of a request body.
#[derive(Debug)]
pub(super) struct BodyContent {
    pub(super) icon: Option<ManifestImage>,
    pub(super) previews: Vec<ManifestImage>,
    pub(super) secrets: Option<ManifestSecrets>,
    /// The HMAC of the secrets. It replaces the secrets in the content hash.
    pub(super) keyed_hash: Option<String>,
    pub(super) script: CachedScript,
}

impl BodyContent {
    /// Returns the request body as JSON. Reads the image files again.
    pub(super) fn body(&self, fields: &BodyFields) -> Result<Vec<u8>, SourceChanged> {
        let secrets = self.secrets.as_ref().map(|secrets| {
            let exposed = secrets.values.iter().map(|(key, value)| (key.as_str(), value.expose_secret()));
            exposed.collect::<BTreeMap<_, _>>()
        });
        let script = self.script.text()?;
        let image_bytes: usize = self.icon.iter().chain(&self.previews).map(ManifestImage::encoded_len).sum();
        // JSON escaping makes a script longer, usually by less than an eighth.
        let mut body = Vec::with_capacity(script.len() * 9 / 8 + image_bytes + 16 * 1024);
        write_json(&BodyWithoutImages { fields, secrets, script: &script }, &mut body);
        // Remove the closing brace, so that the images can be appended. Base64 needs no escaping.
        body.pop();
        if let Some(icon) = &self.icon {
            body.extend_from_slice(b",\"icon\":");
            push_quoted(icon, &mut body)?;
        }
        body.extend_from_slice(b",\"previewImages\":[");
        for (index, preview) in self.previews.iter().enumerate() {
            body.extend_from_slice(if index == 0 { b"" } else { b"," });
            push_quoted(preview, &mut body)?;
        }
        body.extend_from_slice(b"]}");
        Ok(body)
    }

    /// Returns the SHA-256 of a name and a body. In the hashed body, the HMAC replaces the secrets, and digests replace the
    /// images. The order of the top-level fields has no effect on the hash, because GitBook ignores this order.
    pub(super) fn content_hash(&self, name: &str, fields: &BodyFields) -> Result<String, SourceChanged> {
        let mut hash = Sha256::new().chain_update(name).chain_update([0]);
        let Self { icon, previews, keyed_hash, .. } = self;
        let fields: BTreeMap<_, _> = fields.iter().collect();
        let script = &self.script.text()?;
        let without_images = BodyWithoutImages { fields: &fields, secrets: keyed_hash.as_deref(), script };
        write_json(&HashInput { without_images, icon: icon.as_ref(), preview_images: previews }, &mut hash);
        Ok(preview::hex(&hash.finalize()))
    }
}

/// A request body without its images.
#[derive(Serialize)]
struct BodyWithoutImages<'a, F, S> {
    #[serde(flatten)]
    fields: &'a F,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<S>,
    script: &'a str,
}

/// A request body with digests in place of its images.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HashInput<'a> {
    #[serde(flatten)]
    without_images: BodyWithoutImages<'a, BTreeMap<&'a String, &'a serde_json::Value>, &'a str>,
    icon: Option<&'a ManifestImage>,
    preview_images: &'a [ManifestImage],
}

fn write_json(body: &impl Serialize, output: &mut impl std::io::Write) {
    // Serialization cannot fail: all keys are strings, all numbers are finite, and the writers are in memory.
    drop(serde_json::to_writer(output, body));
}

fn push_quoted(image: &ManifestImage, body: &mut Vec<u8>) -> Result<(), SourceChanged> {
    body.push(b'"');
    image.encode(body)?;
    body.push(b'"');
    Ok(())
}
