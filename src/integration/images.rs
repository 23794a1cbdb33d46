//! Reads icons and preview images and checks their size and format.

use std::io::{BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::file_kind::FileKind;
use super::files;
use super::paths;
use super::source_changed::SourceChanged;
use crate::diagnostic::{Diagnostic, SourceLocation, normalize_message};

/// The number of bytes to encode at once. A multiple of three avoids padding, and 48 KiB fit into the processor's cache.
const CHUNK_BYTES: usize = 48 * 1024;

/// The use of an image, which determines its maximum size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImagePurpose {
    /// The integration's icon.
    Icon,
    /// A preview image.
    Preview,
}

impl ImagePurpose {
    /// Returns the maximum size in bytes. The limits are those of GitBook's CLI.
    const fn max_bytes(self) -> u64 {
        match self {
            Self::Icon => 250 * 1024,
            Self::Preview => 1024 * 1024,
        }
    }

    const fn kind(self) -> FileKind {
        let label = match self {
            Self::Icon => "the icon",
            Self::Preview => "the preview image",
        };
        FileKind { label, completes_path: false, extensions: &["png"] }
    }
}

/// A checked image. Building the request reads the file again. Serialization writes only the digest.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct ManifestImage {
    #[serde(skip)]
    label: String,
    #[serde(skip)]
    path: PathBuf,
    /// The repository root.
    #[serde(skip)]
    root: PathBuf,
    #[serde(skip)]
    length: usize,
    digest: [u8; 32],
}

impl ManifestImage {
    /// Returns the length of the image in base64.
    pub(super) fn encoded_len(&self) -> usize {
        self.length.div_ceil(3) * 4
    }

    /// Appends the image in base64. Returns an error if the file has changed since it was checked.
    pub(super) fn encode(&self, output: &mut Vec<u8>) -> Result<(), SourceChanged> {
        let unreadable = |error| SourceChanged::Unreadable(self.label.clone(), error);
        let file = files::open(&self.path, |path| files::is_repository_file(path, &self.root));
        let file = file.map_err(|error| unreadable(std::io::Error::other(error.to_string())))?;
        // Reading one extra byte detects a file that has grown, without reading all of it.
        let mut file = file.take(self.length as u64 + 1);
        let mut digest = Sha256::new();
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        // Only the last chunk may be shorter, so padding occurs only at the end.
        while file.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk).map_err(unreadable)? > 0 {
            digest.update(&chunk);
            let start = output.len();
            output.resize(start + chunk.len().div_ceil(3) * 4, 0);
            // Encoding cannot fail: the slice has exactly the required length.
            drop(BASE64_STANDARD.encode_slice(&chunk, &mut output[start..]));
            chunk.clear();
        }
        if *digest.finalize() == self.digest {
            Ok(())
        } else {
            Err(SourceChanged::Changed(self.label.clone()))
        }
    }
}

/// The format and dimensions in the header of an image.
struct ImageHeader {
    format: &'static str,
    width: usize,
    height: usize,
}

/// Reads and checks an image. Returns the image and its warnings.
pub(crate) fn read(
    root: &Path,
    folder: &Path,
    text: &str,
    purpose: ImagePurpose,
    location: &SourceLocation,
) -> Result<(ManifestImage, Vec<Diagnostic>), Box<Diagnostic>> {
    let kind = purpose.kind();
    let label = kind.label;
    let failed = |message: String, hint: &str| {
        Box::new(Diagnostic::error(location.clone(), message).with_hint(Some(hint.to_owned())))
    };
    if Path::new(text).extension().is_none_or(|extension| extension != "png") {
        return Err(failed(
            format!("{label} `{text}` does not end in `.png`"),
            "convert the image to PNG; GitBook accepts no other format",
        ));
    }
    let path = paths::resolve(root, folder, text, &kind, location)?;
    let unreadable = |error| {
        failed(format!("could not read {label} `{text}`: {error}"), "check the permissions of the file")
    };
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > purpose.max_bytes() {
        let (size, limit) = (size.div_ceil(1024), purpose.max_bytes() / 1024);
        let message = format!("{label} `{text}` is {size} KiB; the limit is {limit} KiB");
        return Err(failed(
            message,
            "reduce its dimensions, or compress it with a tool such as oxipng or pngquant",
        ));
    }
    let bytes = files::read(&path, |path| files::is_repository_file(path, root));
    let bytes = bytes.map_err(|error| {
        failed(format!("could not read {label} `{text}`: {error}"), "check the permissions of the file")
    })?;
    let header = read_header(&bytes).map_err(|problem| {
        failed(format!("{label} `{text}` is not a PNG image: {problem}"), "export the image as PNG")
    })?;
    let warnings = header.warnings(&format!("{label} `{text}`"), purpose, location);
    let (length, digest) = (bytes.len(), Sha256::digest(&bytes).into());
    let root = root.to_owned();
    Ok((ManifestImage { label: format!("{label} `{text}`"), path, root, length, digest }, warnings))
}

impl ImageHeader {
    /// Returns warnings for an image with an unexpected format or shape.
    fn warnings(&self, label: &str, purpose: ImagePurpose, location: &SourceLocation) -> Vec<Diagnostic> {
        let Self { format, width, height } = self;
        let warning = |message: String| Diagnostic::warning(location.clone(), message);
        // Only a warning: GitBook's CLI accepts such images, and GitBook's own repository has JPEG files named `.png`.
        let format = (*format != "PNG").then(|| {
            let hint = "export the image as PNG; it is sent to GitBook unchanged".to_owned();
            warning(format!("{label} is a {format} image named `.png`")).with_hint(hint)
        });
        let shape = (purpose == ImagePurpose::Icon && width != height).then(|| {
            warning(format!("{label} is {width} × {height} pixels; GitBook displays icons as squares"))
        });
        format.into_iter().chain(shape).collect()
    }
}

/// Reads the header of an image. On error, returns a description of the problem.
fn read_header(bytes: &[u8]) -> Result<ImageHeader, String> {
    let format = match imagesize::image_type(bytes) {
        Ok(imagesize::ImageType::Jpeg) => "JPEG",
        Ok(imagesize::ImageType::Gif) => "GIF",
        Ok(imagesize::ImageType::Webp) => "WebP",
        _ => return read_png_header(bytes).map_err(|error| normalize_message(&error.to_string())),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| format!("the {format} header is incomplete"))?;
    Ok(ImageHeader { format, width: size.width, height: size.height })
}

fn read_png_header(bytes: &[u8]) -> Result<ImageHeader, png::DecodingError> {
    let mut decoder = png::Decoder::new(BufReader::new(Cursor::new(bytes)));
    let header = decoder.read_header_info()?;
    Ok(ImageHeader { format: "PNG", width: header.width as usize, height: header.height as usize })
}

#[cfg(test)]
mod tests {
    use super::{ImagePurpose, read};
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

    fn check(name: &str, bytes: &[u8], purpose: ImagePurpose, expected: Result<&[&str], &str>) {
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
    fn a_png_is_accepted() {
        check("a.png", &png(2, 2), ImagePurpose::Icon, Ok(&[]));
        check("a.png", &png(3, 2), ImagePurpose::Preview, Ok(&[]));
        let warning = "the icon `a.png` is 3 × 2 pixels; GitBook displays icons as squares";
        check("a.png", &png(3, 2), ImagePurpose::Icon, Ok(&[warning]));
    }

    #[test]
    fn files_that_are_not_images_are_rejected() {
        check("a.jpg", &png(2, 2), ImagePurpose::Icon, Err("the icon `a.jpg` does not end in `.png`"));
        let check_rejected = |bytes: &[u8], problem: &str| {
            check(
                "a.png",
                bytes,
                ImagePurpose::Icon,
                Err(&format!("the icon `a.png` is not a PNG image: {problem}")),
            );
        };
        check_rejected(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid PNG signature");
        check_rejected(&png(2, 2)[..20], "unexpected end of file");
        check_rejected(b"", "unexpected end of file");
        check_rejected(&jpeg(2, 2)[..18], "the JPEG header is incomplete");
        check_rejected(&webp(2, 2)[..25], "the WebP header is incomplete");
        // The first nine bytes of a GIF do not identify the format.
        check_rejected(&gif(2, 2)[..9], "invalid PNG signature");
    }

    /// Returns the beginning of a JPEG, up to its dimensions.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let before: [&[u8]; 2] = [b"\xff\xd8\xff\xe0\0\x06JFIF", b"\xff\xc0\0\x11\x08"];
        [before.concat(), height.to_be_bytes().to_vec(), width.to_be_bytes().to_vec()].concat()
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        [&b"GIF89a"[..], &width.to_le_bytes(), &height.to_le_bytes(), b"\x80\0\0"].concat()
    }

    /// Returns the beginning of a WebP, up to its dimensions. WebP stores each dimension minus one.
    fn webp(width: u8, height: u8) -> Vec<u8> {
        [&b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0"[..], &[width - 1, 0, 0, height - 1, 0, 0]].concat()
    }

    #[test]
    fn other_image_formats_named_png_get_a_warning() {
        for (image, format) in [(jpeg(2, 2), "JPEG"), (gif(2, 2), "GIF"), (webp(2, 2), "WebP")] {
            let warning = format!("the icon `a.png` is a {format} image named `.png`");
            check("a.png", &image, ImagePurpose::Icon, Ok(&[&warning]));
            let warning = format!("the preview image `a.png` is a {format} image named `.png`");
            check("a.png", &image, ImagePurpose::Preview, Ok(&[&warning]));
        }
        let shape = "the icon `a.png` is 3 × 2 pixels; GitBook displays icons as squares";
        for (image, format) in [(jpeg(3, 2), "JPEG"), (gif(3, 2), "GIF"), (webp(3, 2), "WebP")] {
            let warning = format!("the icon `a.png` is a {format} image named `.png`");
            check("a.png", &image, ImagePurpose::Icon, Ok(&[&warning, shape]));
        }
        check("a.jpg", &jpeg(2, 2), ImagePurpose::Icon, Err("the icon `a.jpg` does not end in `.png`"));
    }

    #[test]
    fn an_icon_has_a_lower_size_limit_than_a_preview_image() {
        let mut large = png(2, 2);
        large.resize(250 * 1024, 0);
        check("a.png", &large, ImagePurpose::Icon, Ok(&[]));
        large.push(0);
        check("a.png", &large, ImagePurpose::Icon, Err("the icon `a.png` is 251 KiB; the limit is 250 KiB"));
        check("a.png", &large, ImagePurpose::Preview, Ok(&[]));
    }
}
