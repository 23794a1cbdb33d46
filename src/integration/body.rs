//! The body of a publish request. It is put together when it is sent: hundreds of integrations that wait for that hold
//! neither their images nor, beyond a measure, their scripts in memory.

use std::collections::BTreeMap;

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret as _;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::images::Image;
use super::secrets::Secrets;
use super::workshop::Kept;
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
    pub(super) sealed: Option<String>,
    pub(super) script: Kept,
}

/// Something that was checked can't be sent any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stale {
    /// Somebody has written to it.
    #[error("{0} has changed since it was checked")]
    Changed(String),
    /// It is gone, or hidden.
    #[error("{0} can't be read any more: {1}")]
    Unreadable(String, std::io::Error),
}

impl Content {
    /// The request's JSON, for which the images are read once more.
    pub(super) fn body(&self, fields: &Fields) -> Result<Vec<u8>, Stale> {
        let secrets = self.secrets.as_ref().map(|secrets| {
            let exposed = secrets.values.iter().map(|(key, value)| (key.as_str(), value.expose_secret()));
            exposed.collect::<BTreeMap<_, _>>()
        });
        let icon = self.icon.as_ref().map(Encoded::of).transpose()?;
        let previews = self.previews.iter().map(Encoded::of).collect::<Result<Vec<_>, _>>()?;
        let script = self.script.text()?;
        let images: usize = icon.iter().chain(&previews).map(|image| image.0.len()).sum();
        // A script grows by what must be escaped in it, and images by a third.
        let mut body = Vec::with_capacity(script.len() * 9 / 8 + images.div_ceil(3) * 4 + 16 * 1024);
        Body { fields, icon: icon.as_ref(), preview_images: &previews, secrets, script: &script }
            .write(&mut body);
        Ok(body)
    }

    /// SHA-256 of a name and a body with sealed secrets and, for its images, their digests.
    pub(super) fn content_hash(&self, name: &str, fields: &Fields) -> Result<String, Stale> {
        let mut hash = Sha256::new().chain_update(name).chain_update([0]);
        let Self { icon, previews, sealed, .. } = self;
        let (icon, secrets, script) = (icon.as_ref(), sealed.as_deref(), &*self.script.text()?);
        Body { fields, icon, preview_images: previews, secrets, script }.write(&mut hash);
        Ok(preview::hex(&hash.finalize()))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a, Image, Secrets> {
    #[serde(flatten)]
    fields: &'a Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a Image>,
    preview_images: &'a [Image],
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Secrets>,
    script: &'a str,
}

impl<I: Serialize, S: Serialize> Body<'_, I, S> {
    fn write(&self, to: &mut impl std::io::Write) {
        // Text keys and finite numbers always serialize, and memory always takes them.
        drop(serde_json::to_writer(to, self));
    }
}

/// An image, which is written in base64 and not copied for that.
struct Encoded(Vec<u8>);

impl Encoded {
    fn of(image: &Image) -> Result<Self, Stale> {
        image.bytes().map(Self)
    }
}

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(&self.0, &BASE64_STANDARD))
    }
}
