//! Reads an icon or preview image: a PNG, or another image of that name, within its limit.

use std::io::{BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::body::SourceChanged;
use super::files;
use super::paths::{self, Kind};
use crate::diagnostic::{Diagnostic, SourceLocation, lower_case};

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

    const fn kind(self) -> Kind {
        let what = match self {
            Self::Icon => "the icon",
            Self::Preview => "the preview image",
        };
        Kind { what, completes: false, extensions: &["png"] }
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
    /// The repository.
    #[serde(skip)]
    root: PathBuf,
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
    pub(super) fn encode(&self, to: &mut Vec<u8>) -> Result<(), SourceChanged> {
        let unreadable = |error| SourceChanged::Unreadable(self.what.clone(), error);
        let file = files::open(&self.path, |path| files::is_content(path, &self.root));
        let file = file.map_err(|error| unreadable(std::io::Error::other(error.to_string())))?;
        // One byte more tells that it has grown; however far, no more of it is read.
        let mut file = file.take(self.length as u64 + 1);
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
        if *digest.finalize() == self.digest {
            Ok(())
        } else {
            Err(SourceChanged::Changed(self.what.clone()))
        }
    }
}

/// Format and size of an image, as its header gives them.
struct Header {
    format: &'static str,
    width: usize,
    height: usize,
}

/// Returns the image that a manifest names, and its warnings.
pub(crate) fn read(
    root: &Path,
    folder: &Path,
    text: &str,
    purpose: Purpose,
    place: &SourceLocation,
) -> Result<(Image, Vec<Diagnostic>), Box<Diagnostic>> {
    let kind = purpose.kind();
    let what = kind.what;
    let failed = |message: String, hint: &str| {
        Box::new(Diagnostic::error(place.clone(), message).hint(Some(hint.to_owned())))
    };
    if Path::new(text).extension().is_none_or(|extension| extension != "png") {
        return Err(failed(
            format!("{what} `{text}` does not end in `.png`"),
            "GitBook takes PNG images only",
        ));
    }
    let path = paths::inside(root, folder, text, &kind, place)?;
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
    let bytes = files::read(&path, |path| files::is_content(path, root));
    let bytes = bytes.map_err(|error| {
        failed(format!("{what} `{text}` can't be read: {error}"), "check its permissions")
    })?;
    let header = header(&bytes).map_err(|problem| {
        failed(format!("{what} `{text}` is not a PNG image: {problem}"), "export it as PNG")
    })?;
    let warnings = header.warnings(&format!("{what} `{text}`"), purpose, place);
    let (length, digest) = (bytes.len(), Sha256::digest(&bytes).into());
    let root = root.to_owned();
    Ok((Image { what: format!("{what} `{text}`"), path, root, length, digest }, warnings))
}

impl Header {
    /// Returns the warnings for an image that GitBook may show differently.
    fn warnings(&self, what: &str, purpose: Purpose, place: &SourceLocation) -> Vec<Diagnostic> {
        let Self { format, width, height } = self;
        let warning = |message: String| Diagnostic::warning(place.clone(), message);
        // The vendor's CLI checks the name only, and its own repository has JPEG files of that name.
        let format = (*format != "PNG").then(|| {
            let hint = "export it as PNG; it is sent to GitBook as it is".to_owned();
            warning(format!("{what} is a {format} image named `.png`")).hint(hint)
        });
        let shape = (purpose == Purpose::Icon && width != height)
            .then(|| warning(format!("{what} is {width} × {height} pixels, GitBook shows it as a square")));
        format.into_iter().chain(shape).collect()
    }
}

/// Reads the header of an image. The error gives the problem.
fn header(bytes: &[u8]) -> Result<Header, String> {
    let format = match imagesize::image_type(bytes) {
        Ok(imagesize::ImageType::Jpeg) => "JPEG",
        Ok(imagesize::ImageType::Gif) => "GIF",
        Ok(imagesize::ImageType::Webp) => "WebP",
        _ => return png_header(bytes).map_err(|error| lower_case(&error.to_string())),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| format!("the {format} header is incomplete"))?;
    Ok(Header { format, width: size.width, height: size.height })
}

fn png_header(bytes: &[u8]) -> Result<Header, png::DecodingError> {
    let mut decoder = png::Decoder::new(BufReader::new(Cursor::new(bytes)));
    let header = decoder.read_header_info()?;
    Ok(Header { format: "PNG", width: header.width as usize, height: header.height as usize })
}

#[cfg(test)]
mod tests {
    use super::{Purpose, read};
    use crate::diagnostic::{Diagnostic, SourceLocation};

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![0; (width * height) as usize]).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn check(name: &str, bytes: &[u8], purpose: Purpose, expected: Result<&[&str], &str>) {
        let temp = tempfile::tempdir().unwrap();
        let root = dunce::canonicalize(temp.path()).unwrap();
        std::fs::write(root.join(name), bytes).unwrap();
        let result = read(&root, &root, name, purpose, &SourceLocation::file("m"));
        let messages = |warnings: &[Diagnostic]| warnings.iter().map(|w| w.message.clone()).collect();
        let result = result.map(|(_, warnings)| messages(&warnings)).map_err(|problem| problem.message);
        let expected = expected.map(|warnings| warnings.iter().map(|&w| w.to_owned()).collect::<Vec<_>>());
        assert_eq!(result, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_png_is_taken() {
        check("a.png", &png(2, 2), Purpose::Icon, Ok(&[]));
        check("a.png", &png(3, 2), Purpose::Preview, Ok(&[]));
        let warning = "the icon `a.png` is 3 × 2 pixels, GitBook shows it as a square";
        check("a.png", &png(3, 2), Purpose::Icon, Ok(&[warning]));
    }

    #[test]
    fn anything_else_is_refused() {
        check("a.jpg", &png(2, 2), Purpose::Icon, Err("the icon `a.jpg` does not end in `.png`"));
        let refused = |bytes: &[u8], problem: &str| {
            check(
                "a.png",
                bytes,
                Purpose::Icon,
                Err(&format!("the icon `a.png` is not a PNG image: {problem}")),
            );
        };
        refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid PNG signature");
        refused(&png(2, 2)[..20], "unexpected end of file");
        refused(b"", "unexpected end of file");
        refused(&jpeg(2, 2)[..18], "the JPEG header is incomplete");
        refused(&webp(2, 2)[..25], "the WebP header is incomplete");
        // A GIF of this length is no longer known as one.
        refused(&gif(2, 2)[..9], "invalid PNG signature");
    }

    /// The beginning of a JPEG, up to its size.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let before: [&[u8]; 2] = [b"\xff\xd8\xff\xe0\0\x06JFIF", b"\xff\xc0\0\x11\x08"];
        [before.concat(), height.to_be_bytes().to_vec(), width.to_be_bytes().to_vec()].concat()
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        [&b"GIF89a"[..], &width.to_le_bytes(), &height.to_le_bytes(), b"\x80\0\0"].concat()
    }

    /// The beginning of a WebP, up to its size, which it stores less one.
    fn webp(width: u8, height: u8) -> Vec<u8> {
        [&b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0"[..], &[width - 1, 0, 0, height - 1, 0, 0]].concat()
    }

    #[test]
    fn another_image_named_png_is_sent_with_a_warning() {
        for (image, format) in [(jpeg(2, 2), "JPEG"), (gif(2, 2), "GIF"), (webp(2, 2), "WebP")] {
            let warning = format!("the icon `a.png` is a {format} image named `.png`");
            check("a.png", &image, Purpose::Icon, Ok(&[&warning]));
            let warning = format!("the preview image `a.png` is a {format} image named `.png`");
            check("a.png", &image, Purpose::Preview, Ok(&[&warning]));
        }
        let shape = "the icon `a.png` is 3 × 2 pixels, GitBook shows it as a square";
        for (image, format) in [(jpeg(3, 2), "JPEG"), (gif(3, 2), "GIF"), (webp(3, 2), "WebP")] {
            let warning = format!("the icon `a.png` is a {format} image named `.png`");
            check("a.png", &image, Purpose::Icon, Ok(&[&warning, shape]));
        }
        check("a.jpg", &jpeg(2, 2), Purpose::Icon, Err("the icon `a.jpg` does not end in `.png`"));
    }

    #[test]
    fn the_limit_depends_on_the_purpose() {
        let mut large = png(2, 2);
        large.resize(250 * 1024, 0);
        check("a.png", &large, Purpose::Icon, Ok(&[]));
        large.push(0);
        check("a.png", &large, Purpose::Icon, Err("the icon `a.png` has 251 KiB, 250 are the most"));
        check("a.png", &large, Purpose::Preview, Ok(&[]));
    }
}
