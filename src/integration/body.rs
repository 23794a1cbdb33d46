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
use super::shelf::Kept;
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

/// [`Content`], read.
pub(super) struct Read<'a> {
    icon: Option<Encoded>,
    previews: Vec<Encoded>,
    script: std::borrow::Cow<'a, str>,
    content: &'a Content,
}

impl Content {
    /// Reads what was left where it is.
    pub(super) fn read(&self) -> Result<Read<'_>, Stale> {
        Ok(Read {
            icon: self.icon.as_ref().map(Encoded::of).transpose()?,
            previews: self.previews.iter().map(Encoded::of).collect::<Result<_, _>>()?,
            script: self.script.text()?,
            content: self,
        })
    }
}

impl Read<'_> {
    /// The request's JSON.
    pub(super) fn body(&self, fields: &Fields) -> Vec<u8> {
        let secrets = self.content.secrets.as_ref().map(|secrets| {
            let exposed = secrets.values.iter().map(|(key, value)| (key.as_str(), value.expose_secret()));
            exposed.collect::<BTreeMap<_, _>>()
        });
        let images: usize = self.icon.iter().chain(&self.previews).map(|image| image.0.len()).sum();
        // A script grows by what must be escaped in it, and images by a third.
        let mut body = Vec::with_capacity(self.script.len() * 9 / 8 + images.div_ceil(3) * 4 + 16 * 1024);
        self.write(fields, secrets, &mut body);
        body
    }

    /// SHA-256 of a name and a body with sealed secrets.
    pub(super) fn content_hash(&self, name: &str, fields: &Fields) -> String {
        let mut hash = Sha256::new().chain_update(name).chain_update([0]);
        self.write(fields, self.content.sealed.as_deref(), &mut hash);
        preview::hex(&hash.finalize())
    }

    fn write(&self, fields: &Fields, secrets: Option<impl Serialize>, to: &mut impl std::io::Write) {
        let Self { icon, previews, script, .. } = self;
        let body = Body { fields, icon: icon.as_ref(), preview_images: previews, secrets, script };
        // Text keys and finite numbers always serialize, and memory always takes them.
        drop(serde_json::to_writer(to, &body));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a, S> {
    #[serde(flatten)]
    fields: &'a Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a Encoded>,
    preview_images: &'a [Encoded],
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<S>,
    script: &'a str,
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
