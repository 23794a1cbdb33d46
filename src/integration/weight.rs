//! How much work an integration is, estimated from what was checked out.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use ignore::DirEntry;

use super::discovery::Source;
use super::manifest::FILE_NAME;
use super::walk::walk;

/// A request with its answer takes about as long as this many bytes do.
pub(crate) const REQUEST: u64 = 256 * 1024;

/// What of a large file counts. Nobody writes more by hand, and an image may not have more.
const MOST_OF_A_FILE: u64 = 1024 * 1024;

/// What a script is made of. Packages are left out: one machine may have them installed, and another not.
const SCRIPTS: [&str; 9] = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "css"];

/// How much work each integration is, in bytes of its sources and images. It is the same wherever the same commit is
/// checked out, on every system, or else two machines would divide the work in two ways: what Git ignores does not count,
/// nor does how lines end.
#[must_use]
pub(crate) fn weights(sources: &[Source]) -> Vec<u64> {
    sources.iter().map(|source| weight(&source.folder)).collect()
}

fn weight(folder: &Path) -> u64 {
    // An integration in a folder below is one of its own.
    let is_own = |entry: &DirEntry| {
        !entry.file_type().is_some_and(|kind| kind.is_dir()) || !entry.path().join(FILE_NAME).is_file()
    };
    let entries = walk(folder, is_own).unwrap_or_default().into_iter();
    let files = entries.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    REQUEST + files.map(|entry| size(entry.path())).sum::<u64>()
}

/// What of a file counts; one that can't be read is a problem that is told elsewhere.
fn size(path: &Path) -> u64 {
    match path.extension().and_then(OsStr::to_str) {
        Some("png") => path.metadata().map_or(0, |metadata| metadata.len().min(MOST_OF_A_FILE)),
        Some(extension) if SCRIPTS.contains(&extension) => characters(path).unwrap_or(0),
        _ => 0,
    }
}

/// How many bytes a text has without carriage returns, which Git adds on Windows.
fn characters(path: &Path) -> io::Result<u64> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut count = 0;
    while count < MOST_OF_A_FILE {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            break;
        }
        count += read.iter().map(|byte| u64::from(*byte != b'\r')).sum::<u64>();
        let length = read.len();
        reader.consume(length);
    }
    Ok(count.min(MOST_OF_A_FILE))
}

#[cfg(test)]
mod tests {
    use super::weights;
    use crate::integration::discover;

    /// What all integrations weigh more than a request does (256 KiB), by the files of a repository.
    fn check(files: &[(&str, &[u8])], expected: &[u64]) {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join(".git")).unwrap();
        for (path, content) in files {
            let path = temp.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let sources = discover(&["**/gitbook-manifest.yaml".to_owned()], temp.path()).unwrap();
        let weights: Vec<_> = weights(&sources).iter().map(|weight| weight - 262_144).collect();
        assert_eq!(weights, expected, "{:?}", files.iter().map(|(path, _)| path).collect::<Vec<_>>());
    }

    #[test]
    fn sources_and_images_count() {
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
    fn what_may_differ_from_machine_to_machine_does_not_count() {
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
    fn an_integration_below_another_counts_for_itself() {
        let files = [
            ("gitbook-manifest.yaml", &b""[..]),
            ("main.ts", b"1"),
            ("b/gitbook-manifest.yaml", b""),
            ("b/main.ts", b"12"),
        ];
        // In the order of their paths: `b` comes before the manifest of the folder above it.
        check(&files, &[2, 1]);
    }
}
