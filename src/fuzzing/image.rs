//! An icon or preview image, of which any byte may be wrong.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::FutureExt as _;

use super::folder::with_file;
use super::log::{FORMATS, printed};
use crate::environment::Environment;
use crate::integration::{IntegrationSource, Packaged, Packaging, PackagingContext, package};
use crate::report::Reporter;

const NAME: &str = "icon.png";

const MANIFEST: &str = "{name: a, title: ab, organization: o, script: script.js, scopes: [], icon: icon.png, previewImages: [icon.png]}";

/// More than an icon may have, and more than a preview image may.
const TOO_LARGE: [u64; 2] = [250 * 1024 + 1, 1024 * 1024 + 1];

/// Takes any bytes for an icon and a preview image.
///
/// - An image that is accepted begins as a PNG, or has a warning with its format, and arrives byte by byte.
/// - An icon that is not square is a warning that tells width and height as the header has them, and no preview image is.
/// - What is refused says so for each of the two, in lines that act on nothing.
/// - What is larger than it may be is refused for that, whatever it is.
pub fn image(data: &[u8]) {
    with_file("gitbook-manifest.yaml", MANIFEST.as_bytes(), |_| ());
    with_file(NAME, data, |folder| {
        hold(&packaged(folder), data, folder);
        for size in TOO_LARGE.map(|size| size.max(data.len() as u64)) {
            // The rest is a hole, which takes no time to write; and none to read, since it is not.
            let file = std::fs::File::options().write(true).open(folder.join(NAME));
            file.and_then(|file| file.set_len(size)).expect("a file can be made longer");
            let problems = packaged(folder).problems;
            let too_large =
                problems.iter().filter(|problem| problem.message.contains(" are the most")).count();
            assert_eq!(too_large, TOO_LARGE.iter().filter(|least| size >= **least).count(), "{problems:?}");
        }
    });
}

fn packaged(folder: &Path) -> Packaged {
    let environment = Environment::new([], folder.to_owned());
    let manifest = PathBuf::from("gitbook-manifest.yaml");
    let source = IntegrationSource {
        manifest: Some(folder.join(&manifest)),
        display_path: manifest,
        folder: folder.to_owned(),
    };
    let packaging = Packaging {
        env: None,
        overrides: &[],
        bundle: false,
        resolve_secrets: true,
        timeout: std::time::Duration::from_secs(60),
        hash_key: None,
        environment: &environment,
        workspace: None,
        packaging_context: &PackagingContext::default(),
    };
    package(&source, &packaging).now_or_never().expect("nothing is waited for")
}

/// Holds what came of the bytes.
fn hold(packaged: &Packaged, data: &[u8], folder: &Path) {
    let Packaged { integration, problems, .. } = packaged;
    for format in FORMATS {
        let environment = Environment::new([], folder.to_owned());
        printed(format, &environment, |printer| {
            Reporter::open(&environment, printer.clone()).print_problems(problems);
        });
    }
    let Some(integration) = integration else {
        let messages: Vec<_> = problems.iter().map(|problem| &*problem.message).collect();
        for what in ["the icon", "the preview image"] {
            let is_told = |message: &&&str| message.starts_with(what) && !message.ends_with(": ");
            assert_eq!(messages.iter().filter(is_told).count(), 1, "{messages:?}");
        }
        return;
    };
    let body = integration.request().and_then(|request| request.body()).expect("nobody else writes");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("a body is JSON");
    for sent in [&body["icon"], &body["previewImages"][0]] {
        let sent = BASE64_STANDARD.decode(sent.as_str().unwrap_or_default());
        assert_eq!(sent.as_deref(), Ok(data));
    }
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
    let Some(Header { width, height }) = Header::of(data) else {
        let is_known = |message: &&String| message.ends_with(" image named `.png`");
        assert_eq!(messages.iter().filter(is_known).count(), 2, "no image was taken: {messages:?}");
        return;
    };
    let expected = format!("the icon `icon.png` is {width} × {height} pixels, GitBook shows it as a square");
    assert_eq!(messages, if width == height { vec![] } else { vec![expected] });
}

/// Width and height, where the format has them.
struct Header {
    width: u32,
    height: u32,
}

impl Header {
    fn of(data: &[u8]) -> Option<Self> {
        let rest = data.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
        let (width, rest) = rest.split_first_chunk()?;
        let (height, _) = rest.split_first_chunk()?;
        let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
        (width > 0 && height > 0).then_some(Self { width, height })
    }
}
