//! The fuzz target for icons and preview images: files with arbitrary bytes.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::FutureExt as _;

use super::folder::with_file;
use super::log::{FORMATS, print_to_text};
use crate::environment::Environment;
use crate::integration::{IntegrationSource, Packaged, Packaging, PackagingContext, RequestedEnvs, package};
use crate::report::Reporter;

const FILE_NAME: &str = "icon.png";

const MANIFEST: &str = "{name: a, title: ab, organization: o, script: script.js, scopes: [], icon: icon.png, previewImages: [icon.png]}";

/// The smallest sizes that exceed the limits of an icon and of a preview image.
const SIZES_OVER_LIMIT: [u64; 2] = [250 * 1024 + 1, 1024 * 1024 + 1];

/// Packages an integration with the input as its icon and preview image. Checks:
///
/// - An accepted image starts with a PNG header, or has a warning with its format. It is sent unchanged.
/// - An icon that is not square has a warning with its width and height. A preview image has no such warning.
/// - A rejected image has one error for the icon and one for the preview image.
/// - An image above the size limit has an error with the limit.
pub fn image(data: &[u8]) {
    with_file("gitbook-manifest.yaml", MANIFEST.as_bytes(), |_| ());
    with_file(FILE_NAME, data, |folder| {
        check(&package_input(folder), data, folder);
        for size in SIZES_OVER_LIMIT.map(|size| size.max(data.len() as u64)) {
            // Extends the file without writing data.
            let file = std::fs::File::options().write(true).open(folder.join(FILE_NAME));
            file.and_then(|file| file.set_len(size)).expect("the temporary file is writable");
            let problems = package_input(folder).problems;
            let too_large =
                problems.iter().filter(|problem| problem.message.contains("; the limit is ")).count();
            assert_eq!(
                too_large,
                SIZES_OVER_LIMIT.iter().filter(|over_limit| size >= **over_limit).count(),
                "{problems:?}"
            );
        }
    });
}

fn package_input(folder: &Path) -> Packaged {
    let environment = Environment::new([], folder.to_owned());
    let manifest = PathBuf::from("gitbook-manifest.yaml");
    let source = IntegrationSource {
        manifest: Some(folder.join(&manifest)),
        display_path: manifest,
        folder: folder.to_owned(),
    };
    let packaging = Packaging {
        envs: &RequestedEnvs::default(),
        overrides: &[],
        bundle: false,
        resolve_secrets: true,
        timeout: std::time::Duration::from_secs(60),
        hash_key: None,
        environment: &environment,
        workspace: None,
        packaging_context: &PackagingContext::default(),
    };
    package(&source, &packaging).now_or_never().expect("packaging does not wait")
}

/// Checks the packaged integration and its problems.
fn check(packaged: &Packaged, data: &[u8], folder: &Path) {
    let Packaged { integration, problems, .. } = packaged;
    for format in FORMATS {
        let environment = Environment::new([], folder.to_owned());
        print_to_text(format, &environment, |printer| {
            Reporter::open(&environment, printer.clone()).print_problems(problems);
        });
    }
    let Some(integration) = integration else {
        let messages: Vec<_> = problems.iter().map(|problem| &*problem.message).collect();
        for label in ["the icon", "the preview image"] {
            let is_error = |message: &&&str| message.starts_with(label) && !message.ends_with(": ");
            assert_eq!(messages.iter().filter(is_error).count(), 1, "{messages:?}");
        }
        return;
    };
    let body =
        integration.request().and_then(|request| request.body()).expect("no other process changes the file");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("a body is JSON");
    for sent in [&body["icon"], &body["previewImages"][0]] {
        let sent = BASE64_STANDARD.decode(sent.as_str().unwrap_or_default());
        assert_eq!(sent.as_deref(), Ok(data));
    }
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
    let Some(PngHeader { width, height }) = PngHeader::of(data) else {
        let is_format_warning = |message: &&String| message.ends_with(" image named `.png`");
        assert_eq!(
            messages.iter().filter(is_format_warning).count(),
            2,
            "a file that is not an image was accepted: {messages:?}"
        );
        return;
    };
    let expected =
        format!("the icon `icon.png` is {width} × {height} pixels; GitBook displays icons as squares");
    assert_eq!(messages, if width == height { vec![] } else { vec![expected] });
}

/// The width and height in a PNG header.
struct PngHeader {
    width: u32,
    height: u32,
}

impl PngHeader {
    fn of(data: &[u8]) -> Option<Self> {
        let rest = data.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
        let (width, rest) = rest.split_first_chunk()?;
        let (height, _) = rest.split_first_chunk()?;
        let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
        (width > 0 && height > 0).then_some(Self { width, height })
    }
}
