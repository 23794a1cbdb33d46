//! Reads an icon or preview image: a PNG within its limit.

use std::fs::File;
use std::io::{BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::body::Stale;
use super::paths;
use crate::diagnostic::{Diagnostic, Place, lower_case};

/// So many bytes of an image are encoded at once: a multiple of three that processors have at hand.
const PART: usize = 48 * 1024;

/// What an image is for, which decides how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The integration's icon.
    Icon,
    /// One of its preview images.
    Preview,
}

impl Purpose {
    /// Bytes; the limits of the vendor's CLI.
    const fn limit(self) -> u64 {
        match self {
            Self::Icon => 250 * 1024,
            Self::Preview => 1024 * 1024,
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Icon => "the icon",
            Self::Preview => "the preview image",
        }
    }
}

/// An image that was found good, and is read again when it is sent. Serialized, it is its digest.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Image {
    #[serde(skip)]
    what: String,
    #[serde(skip)]
    path: PathBuf,
    #[serde(skip)]
    length: usize,
    digest: [u8; 32],
}

impl Image {
    /// The length of its base64.
    pub(super) fn encoded_len(&self) -> usize {
        self.length.div_ceil(3) * 4
    }

    /// Appends it in base64: what was found good, and nothing else.
    pub(super) fn encode(&self, to: &mut Vec<u8>) -> Result<(), Stale> {
        let unreadable = |error| Stale::Unreadable(self.what.clone(), error);
        // One byte more tells that it has grown; however far, no more of it is read.
        let mut file = File::open(&self.path).map_err(unreadable)?.take(self.length as u64 + 1);
        let mut digest = Sha256::new();
        let mut part = Vec::with_capacity(PART);
        // Every part but the last is full, so that only the end is padded.
        while file.by_ref().take(PART as u64).read_to_end(&mut part).map_err(unreadable)? > 0 {
            digest.update(&part);
            let start = to.len();
            to.resize(start + part.len().div_ceil(3) * 4, 0);
            // There is room for exactly this.
            drop(BASE64_STANDARD.encode_slice(&part, &mut to[start..]));
            part.clear();
        }
        if *digest.finalize() == self.digest { Ok(()) } else { Err(Stale::Changed(self.what.clone())) }
    }
}

/// The image that a manifest names, and a warning where one is due.
pub(crate) fn read(
    root: &Path,
    folder: &Path,
    text: &str,
    purpose: Purpose,
    place: &Place,
) -> Result<(Image, Option<Diagnostic>), Box<Diagnostic>> {
    let what = purpose.what();
    let failed = |message: String, hint: &str| {
        Box::new(Diagnostic::error(place.clone(), message).hint(Some(hint.to_owned())))
    };
    if Path::new(text).extension().is_none_or(|extension| extension != "png") {
        return Err(failed(
            format!("{what} `{text}` does not end in `.png`"),
            "GitBook takes PNG images only",
        ));
    }
    let path = paths::inside(root, folder, text, what, place)?;
    let unreadable =
        |error| failed(format!("{what} `{text}` can't be read: {error}"), "check its permissions");
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > purpose.limit() {
        let most = purpose.limit() / 1024;
        let message = format!("{what} `{text}` has {} KiB, {most} are the most", size.div_ceil(1024));
        return Err(failed(
            message,
            "make it smaller, or compress it (with oxipng or pngquant, for example)",
        ));
    }
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    let (width, height) = dimensions(&bytes).map_err(|error| {
        failed(
            format!("{what} `{text}` is not a PNG image: {}", lower_case(&error.to_string())),
            "export it as PNG",
        )
    })?;
    let warning = (purpose == Purpose::Icon && width != height).then(|| {
        let message = format!("{what} `{text}` is {width} × {height} pixels, GitBook shows it as a square");
        Diagnostic::warning(place.clone(), message)
    });
    let (length, digest) = (bytes.len(), Sha256::digest(&bytes).into());
    Ok((Image { what: format!("{what} `{text}`"), path, length, digest }, warning))
}

/// Width and height in pixels, from the header alone.
fn dimensions(bytes: &[u8]) -> Result<(u32, u32), png::DecodingError> {
    let mut decoder = png::Decoder::new(BufReader::new(Cursor::new(bytes)));
    let header = decoder.read_header_info()?;
    Ok((header.width, header.height))
}

#[cfg(test)]
mod tests {
    use super::{Purpose, read};
    use crate::diagnostic::Place;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![0; (width * height) as usize]).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn check(name: &str, bytes: &[u8], purpose: Purpose, expected: Result<Option<&str>, &str>) {
        let temp = tempfile::tempdir().unwrap();
        let root = dunce::canonicalize(temp.path()).unwrap();
        std::fs::write(root.join(name), bytes).unwrap();
        let result = read(&root, &root, name, purpose, &Place::file("m"));
        let result = result.map(|(_, warning)| warning.map(|w| w.message)).map_err(|d| d.message);
        assert_eq!(result.as_ref().map(Option::as_deref).map_err(String::as_str), expected);
    }

    #[test]
    fn a_png_is_taken() {
        check("a.png", &png(2, 2), Purpose::Icon, Ok(None));
        check("a.png", &png(3, 2), Purpose::Preview, Ok(None));
        let warning = "the icon `a.png` is 3 × 2 pixels, GitBook shows it as a square";
        check("a.png", &png(3, 2), Purpose::Icon, Ok(Some(warning)));
    }

    #[test]
    fn anything_else_is_refused() {
        check("a.jpg", &png(2, 2), Purpose::Icon, Err("the icon `a.jpg` does not end in `.png`"));
        let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
        check(
            "a.png",
            jpeg,
            Purpose::Icon,
            Err("the icon `a.png` is not a PNG image: invalid PNG signature"),
        );
        let cut = &png(2, 2)[..20];
        check(
            "a.png",
            cut,
            Purpose::Preview,
            Err("the preview image `a.png` is not a PNG image: unexpected end of file"),
        );
    }

    #[test]
    fn the_limit_depends_on_the_purpose() {
        let mut large = png(2, 2);
        large.resize(250 * 1024, 0);
        check("a.png", &large, Purpose::Icon, Ok(None));
        large.push(0);
        check("a.png", &large, Purpose::Icon, Err("the icon `a.png` has 251 KiB, 250 are the most"));
        check("a.png", &large, Purpose::Preview, Ok(None));
    }
}
