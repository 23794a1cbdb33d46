//! Estimates the work for each integration from the size of its files.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use ignore::DirEntry;

use super::discovery::IntegrationSource;
use super::manifest::FILE_NAME;
use super::walk::walk;

/// The weight of one publish request in bytes. Sending a request takes about as long as packaging 256 KiB of files.
pub(crate) const REQUEST_WEIGHT: u64 = 256 * 1024;

/// The maximum weight of one file in bytes. Handwritten files are smaller, and 1 MiB is also the limit for images.
const MAX_FILE_WEIGHT: u64 = 1024 * 1024;

/// The extensions of source files. Files of installed packages are not counted, because they may differ between machines.
const SOURCE_EXTENSIONS: [&str; 9] = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "css"];

/// Returns the weight of each integration: [`REQUEST_WEIGHT`], and the size of its sources and images in bytes. For a given
/// commit, the weights must be the same on every machine, so that all machines divide the work in the same way. Therefore, the
/// weights do not depend on ignored files and line endings.
#[must_use]
pub(crate) fn integration_weights(sources: &[IntegrationSource]) -> Vec<u64> {
    sources.iter().map(|source| integration_weight(&source.folder)).collect()
}

fn integration_weight(folder: &Path) -> u64 {
    // A folder with its own manifest belongs to another integration.
    let belongs_to_integration = |entry: &DirEntry| {
        !entry.file_type().is_some_and(|kind| kind.is_dir()) || !entry.path().join(FILE_NAME).is_file()
    };
    let entries = walk(folder, belongs_to_integration).unwrap_or_default().into_iter();
    let files = entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    REQUEST_WEIGHT + files.map(|entry| file_weight(entry.path())).sum::<u64>()
}

/// Returns the weight of a file. The weight of an unreadable file is 0; packaging reports the problem later.
fn file_weight(path: &Path) -> u64 {
    match path.extension().and_then(OsStr::to_str) {
        Some("png") => path.metadata().map_or(0, |metadata| metadata.len().min(MAX_FILE_WEIGHT)),
        Some(extension) if SOURCE_EXTENSIONS.contains(&extension) => {
            bytes_without_carriage_returns(path).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Returns the size of a text file. Does not count carriage returns, because Git adds them on Windows.
fn bytes_without_carriage_returns(path: &Path) -> io::Result<u64> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut count = 0;
    while count < MAX_FILE_WEIGHT {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            break;
        }
        count += read.iter().map(|byte| u64::from(*byte != b'\r')).sum::<u64>();
        let length = read.len();
        reader.consume(length);
    }
    Ok(count.min(MAX_FILE_WEIGHT))
}

#[cfg(test)]
mod tests {
    use super::integration_weights;
    use crate::integration::discover;

    /// Checks the weights of all integrations in a repository with these files, less the weight of a request (256 KiB).
    fn check(files: &[(&str, &[u8])], expected: &[u64]) {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join(".git")).unwrap();
        for (path, content) in files {
            let path = temp.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let sources = discover(&["**/gitbook-manifest.yaml".to_owned()], temp.path()).unwrap();
        let weights: Vec<_> = integration_weights(&sources).iter().map(|weight| weight - 262_144).collect();
        assert_eq!(weights, expected, "{:?}", files.iter().map(|(path, _)| path).collect::<Vec<_>>());
    }

    #[test]
    fn weights_include_sources_and_images() {
        let manifest = ("a/gitbook-manifest.yaml", &b"name: a"[..]);
        check(&[manifest], &[0]);
        check(&[manifest, ("a/src/main.ts", b"12345"), ("a/icon.png", b"123"), ("a/x.css", b"1")], &[9]);
        check(
            &[manifest, ("a/README.md", b"12345"), ("a/package-lock.json", b"{}"), ("main.ts", b"1")],
            &[0],
        );
        let large = vec![b'x'; 3 * 1024 * 1024];
        check(&[manifest, ("a/main.js", &large), ("a/icon.png", &large)], &[2 * 1024 * 1024]);
    }

    #[test]
    fn weights_exclude_files_that_differ_between_machines() {
        let manifest = ("a/gitbook-manifest.yaml", &b""[..]);
        check(&[manifest, ("a/node_modules/x/main.js", b"12345"), ("node_modules/x.js", b"1")], &[0]);
        let built = [manifest, (".gitignore", b"dist\n"), ("a/dist/main.js", b"12345")];
        check(&built, &[0]);
        check(&[manifest, ("a/main.ts", b"1\r\n2\r\n")], &[4]);
        check(&[manifest, ("a/main.ts", b"1\n2\n")], &[4]);
        let long = |ending: &str| format!("1{ending}").repeat(1024 * 1024).into_bytes();
        check(&[manifest, ("a/main.ts", &long("\r\n"))], &[1024 * 1024]);
        check(&[manifest, ("a/main.ts", &long("\n"))], &[1024 * 1024]);
    }

    #[test]
    fn nested_integrations_have_separate_weights() {
        let files = [
            ("gitbook-manifest.yaml", &b""[..]),
            ("main.ts", b"1"),
            ("b/gitbook-manifest.yaml", b""),
            ("b/main.ts", b"12"),
        ];
        // Weights are in the order of the manifests' paths: `b/…` comes before `gitbook-manifest.yaml`.
        check(&files, &[2, 1]);
    }
}
