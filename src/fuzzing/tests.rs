//! Reads again what fuzzing found.

use std::panic::{RefUnwindSafe, catch_unwind};
use std::path::Path;

/// Gives every file of a corpus to its target.
fn replay(name: &str, target: impl Fn(&[u8]) + RefUnwindSafe) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        assert!(catch_unwind(|| target(&bytes)).is_ok(), "{} says why, above", path.display());
    }
}

#[test]
fn manifests_are_read_again() {
    replay("manifest", super::manifest);
}

#[test]
fn events_are_read_again() {
    replay("event", super::event);
}

#[test]
fn marks_are_read_again() {
    replay("mark", super::mark);
}

#[test]
fn images_are_read_again() {
    replay("image", super::image);
}

#[test]
fn configurations_are_read_again() {
    replay("configuration", super::configuration);
}
