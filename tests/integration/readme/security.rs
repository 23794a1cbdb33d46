//! Checks that every promise in SECURITY.md names existing tests.

use std::collections::BTreeSet;
use std::path::Path;

/// Returns the names of all tests: function names in Rust and titles in JavaScript.
fn test_names() -> BTreeSet<String> {
    let root = Path::new(super::ROOT);
    let walk = ["src", "tests"].into_iter().flat_map(|folder| {
        let walk = ignore::WalkBuilder::new(root.join(folder))
            .filter_entry(|entry| entry.file_name() != "node_modules")
            .build();
        walk.map(|entry| entry.unwrap().into_path())
    });
    let mut names = BTreeSet::new();
    for path in walk.filter(|path| path.is_file()) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        for pair in lines.windows(4) {
            if pair[0].starts_with("#[") && pair[0].contains("test") {
                let function = pair[1..].iter().find_map(|line| line.split_once("fn "));
                names.extend(function.and_then(|(_, rest)| Some(rest.split_once('(')?.0.to_owned())));
            }
        }
        let titles = lines.iter().filter_map(|line| line.strip_prefix("test('")?.split_once('\''));
        names.extend(titles.map(|(title, _)| title.to_owned()));
    }
    names
}

#[test]
fn each_promise_names_existing_tests() {
    let text = std::fs::read_to_string(Path::new(super::ROOT).join("SECURITY.md")).unwrap();
    let (promises, _) = text.split_once("## Limits").unwrap();
    let tests = test_names();
    let promises: Vec<_> = promises.split("\n- **").skip(1).collect();
    assert!(promises.len() >= 10, "{promises:#?}");
    for promise in promises {
        let (_, named) = promise.split_once("Test").unwrap_or_else(|| panic!("no test: {promise}"));
        // A line break may split a name.
        let named = named.split_whitespace().collect::<Vec<_>>().join(" ");
        let named: Vec<_> = named.split('`').skip(1).step_by(2).collect();
        let known = named.iter().filter(|name| tests.contains(**name)).count();
        let commands = ["gh attestation verify"];
        let missing: Vec<_> =
            named.iter().filter(|name| !tests.contains(**name) && !commands.contains(name)).collect();
        assert!(known > 0 && missing.is_empty(), "{missing:?} in {promise}");
    }
}
