//! The body of a publish request. It is put together when it is sent: hundreds of integrations that wait for that hold
//! neither their images nor, beyond a measure, their scripts in memory.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::images::Image;
use super::packaging_context::CachedScript;
use super::secrets::Secrets;
use crate::preview;

/// The manifest's fields as the request has them.
pub(super) type Fields = serde_json::Map<String, serde_json::Value>;

/// What else belongs into a body, and where it waits until that is sent.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) icon: Option<Image>,
    pub(super) previews: Vec<Image>,
    pub(super) secrets: Option<Secrets>,
    /// The secrets, sealed.
    pub(super) keyed_hash: Option<String>,
    pub(super) script: CachedScript,
}

/// Something that was checked can't be sent any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceChanged {
    /// Somebody has written to it.
    #[error("{0} has changed since it was checked")]
    Changed(String),
    /// It is gone, or hidden.
    #[error("{0} can't be read any more: {1}")]
    Unreadable(String, std::io::Error),
}

impl Content {
    /// The request's JSON, for which the images are read once more.
    pub(super) fn body(&self, fields: &Fields) -> Result<Vec<u8>, SourceChanged> {
        let secrets = self.secrets.as_ref().map(|secrets| {
            let exposed = secrets.values.iter().map(|(key, value)| (key.as_str(), value.expose_secret()));
            exposed.collect::<BTreeMap<_, _>>()
        });
        let script = self.script.text()?;
        let images: usize = self.icon.iter().chain(&self.previews).map(Image::encoded_len).sum();
        // A script grows by what must be escaped in it.
        let mut body = Vec::with_capacity(script.len() * 9 / 8 + images + 16 * 1024);
        write(&Text { fields, secrets, script: &script }, &mut body);
        // The images go before its closing brace, as they are: in base64 nothing needs to be escaped.
        body.pop();
        if let Some(icon) = &self.icon {
            body.extend_from_slice(b",\"icon\":");
            quoted(icon, &mut body)?;
        }
        body.extend_from_slice(b",\"previewImages\":[");
        for (index, preview) in self.previews.iter().enumerate() {
            body.extend_from_slice(if index == 0 { b"" } else { b"," });
            quoted(preview, &mut body)?;
        }
        body.extend_from_slice(b"]}");
        Ok(body)
    }

    /// SHA-256 of a name and a body with sealed secrets and, for its images, their digests. The order of the manifest's fields
    /// changes nothing in GitBook; that of what is in them may.
    pub(super) fn content_hash(&self, name: &str, fields: &Fields) -> Result<String, SourceChanged> {
        let mut hash = Sha256::new().chain_update(name).chain_update([0]);
        let Self { icon, previews, keyed_hash, .. } = self;
        let fields: BTreeMap<_, _> = fields.iter().collect();
        let text = Text { fields: &fields, secrets: keyed_hash.as_deref(), script: &self.script.text()? };
        write(&HashInput { text, icon: icon.as_ref(), preview_images: previews }, &mut hash);
        Ok(preview::hex(&hash.finalize()))
    }
}

/// A body without its images.
#[derive(Serialize)]
struct Text<'a, Fields, Secrets> {
    #[serde(flatten)]
    fields: &'a Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Secrets>,
    script: &'a str,
}

/// A body with the digests of its images.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HashInput<'a> {
    #[serde(flatten)]
    text: Text<'a, BTreeMap<&'a String, &'a serde_json::Value>, &'a str>,
    icon: Option<&'a Image>,
    preview_images: &'a [Image],
}

fn write(body: &impl Serialize, to: &mut impl std::io::Write) {
    // Text keys and finite numbers always serialize, and memory always takes them.
    drop(serde_json::to_writer(to, body));
}

fn quoted(image: &Image, body: &mut Vec<u8>) -> Result<(), SourceChanged> {
    body.push(b'"');
    image.encode(body)?;
    body.push(b'"');
    Ok(())
}
