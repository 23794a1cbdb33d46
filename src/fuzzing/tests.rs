//! Runs the fuzz targets on their corpora.

use std::panic::{RefUnwindSafe, catch_unwind};
use std::path::Path;

/// Runs a target on each file of its corpus.
fn run_on_corpus(name: &str, target: impl Fn(&[u8]) + RefUnwindSafe) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        assert!(
            catch_unwind(|| target(&bytes)).is_ok(),
            "{} violates an invariant; see above",
            path.display()
        );
    }
}

#[test]
fn manifest_corpus_violates_no_invariant() {
    run_on_corpus("manifest", super::manifest);
}

#[test]
fn event_corpus_violates_no_invariant() {
    run_on_corpus("event", super::event);
}

#[test]
fn marker_corpus_violates_no_invariant() {
    run_on_corpus("marker", super::marker);
}

#[test]
fn image_corpus_violates_no_invariant() {
    run_on_corpus("image", super::image);
}

#[test]
fn configuration_corpus_violates_no_invariant() {
    run_on_corpus("configuration", super::configuration);
}
