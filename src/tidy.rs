//! Holds what no compiler holds: who may use whom, who may touch the outside, and how long a file may be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms in the order of the house, and whom each may use: rooms above it only. `lib`, its second
/// half `stage`, and `main` may use all.
///
/// `config`, `integration`, `gitbook` and `forge` know others' plain data only: overrides, marks, places, the schema, and
/// which forge it is.
const ROOMS: [(&str, &[&str]); 19] = [
    ("environment", &[]),
    ("cancel", &[]),
    ("diagnostic", &[]),
    ("node", &["diagnostic"]),
    ("schema", &["diagnostic", "node"]),
    ("foreign", &[]),
    ("links", &[]),
    ("marker", &[]),
    ("preview", &["schema", "marker"]),
    ("http", &["cancel"]),
    ("ci", &["environment", "preview", "http"]),
    ("integration", &["environment", "diagnostic", "node", "schema", "links", "preview"]),
    ("config", &["environment", "diagnostic", "integration", "preview", "http"]),
    ("forge", &["cancel", "ci", "preview", "http"]),
    ("gitbook", &["cancel", "diagnostic", "node", "schema", "http"]),
    ("plan", &["ci", "config", "preview"]),
    ("deploy", &["cancel", "diagnostic", "foreign", "preview", "integration", "forge", "gitbook", "plan"]),
    ("error", &["cancel", "diagnostic", "ci", "gitbook", "plan", "deploy"]),
    (
        "report",
        &[
            "environment",
            "diagnostic",
            "foreign",
            "links",
            "marker",
            "ci",
            "config",
            "plan",
            "deploy",
            "error",
        ],
    ),
];

/// What stands before code that is in no program: tests, and what fuzzing and tests share.
const NOT_BUILT_IN: [&str; 2] = ["#[cfg(test)]", "#[cfg(any(test, fuzzing))]"];

/// What only some may name in code that is not a test: the word, and the paths that may.
const RESERVED: [(&str, &[&str]); 15] = [
    ("std::env", &["main.rs"]),
    ("println!", &[]),
    ("eprintln!", &[]),
    ("print!", &[]),
    ("eprint!", &[]),
    ("dbg!", &[]),
    ("stdout()", &["main.rs"]),
    ("stderr()", &["main.rs"]),
    ("process::exit", &["cancel.rs"]),
    ("thread_local!", &[]),
    ("rolldown", &["integration/bundle.rs", "integration/bundle/"]),
    ("oxc::", &["integration/bundle/"]),
    ("rayon", &["integration/workshop/"]),
    ("reqwest", &["http.rs", "http/", "gitbook.rs", "gitbook/", "forge/"]),
    ("axum", &["gitbook/sandbox.rs", "gitbook/sandbox/"]),
];

/// What pure code does not name.
const IMPURE: [&str; 11] = [
    "async ",
    ".await",
    "tokio",
    "tracing",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "Path",
];

const LONGEST_FILE: usize = 400;

/// A source file below `src` or `tests`.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// Its path below `src`, with slashes.
    fn path(&self) -> String {
        self.path.to_string_lossy().replace('\\', "/")
    }

    /// The part of the house that it is in.
    fn room(&self) -> String {
        self.path().split('/').next().unwrap().trim_end_matches(".rs").to_owned()
    }

    fn is_below(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.path() == *path || path.ends_with('/') && self.path().starts_with(path))
    }
}

/// All Rust files below a folder of the repository.
fn files(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let walk =
        ignore::WalkBuilder::new(&root).filter_entry(|entry| entry.file_name() != "node_modules").build();
    let paths = walk.map(|entry| entry.unwrap().into_path());
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources
        .map(|path| Source {
            text: std::fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(&root).unwrap().to_owned(),
        })
        .collect()
}

/// What is built into the program: no tests, no comments.
fn production() -> Vec<Source> {
    let mut sources = files("src");
    let tests: Vec<String> = sources.iter().flat_map(test_modules).collect();
    sources.retain(|source| {
        let path = source.path();
        let module = path.trim_end_matches(".rs");
        !tests.iter().any(|test| module == test || module.starts_with(&format!("{test}/")))
    });
    for source in &mut sources {
        source.text = without_tests(&source.text);
    }
    assert!(sources.len() > 30 && !tests.is_empty(), "{} files, tests {tests:?}", sources.len());
    sources
}

/// The paths of the modules that a file declares for tests, without `.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let path = source.path();
    let folder = match path.trim_end_matches(".rs") {
        "lib" | "main" => String::new(),
        module => format!("{module}/"),
    };
    let lines: Vec<_> = source.text.lines().collect();
    let declared =
        lines.windows(2).filter(|pair| NOT_BUILT_IN.contains(&pair[0].trim())).filter_map(|pair| {
            let (_, name) = pair[1].strip_suffix(';')?.rsplit_once("mod ")?;
            Some(format!("{folder}{name}"))
        });
    declared.collect()
}

/// A text without its comments and without what is not built in.
fn without_tests(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if !NOT_BUILT_IN.contains(&line.trim()) {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &&str| {
            line.strip_prefix(indent) == Some("}")
                || line.ends_with(';') && !line.starts_with(&format!("{indent} "))
        };
        lines.by_ref().find(ends);
    }
    kept.join("\n")
}

/// The rooms that a text names behind `crate::`.
fn used(text: &str) -> BTreeSet<&str> {
    let name = |rest: &'_ str| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    text.split("crate::").skip(1).map(|rest| &rest[..name(rest)]).collect()
}

#[test]
fn rooms_use_the_rooms_above_them_that_they_may() {
    let is_root = |room: &str| matches!(room, "lib" | "main" | "stage");
    for source in production().iter().filter(|source| !is_root(&source.room())) {
        let (path, room) = (source.path(), source.room());
        let position = ROOMS.iter().position(|(name, _)| *name == room);
        let position = position.unwrap_or_else(|| panic!("`{path}`: add the room `{room}` to the table"));
        for used in used(&source.text) {
            assert!(used == room || ROOMS[position].1.contains(&used), "`{path}` must not use `{used}`");
        }
    }
}

#[test]
fn the_table_of_rooms_is_in_order_and_says_nothing_too_much() {
    let sources = production();
    for (index, (room, may_use)) in ROOMS.iter().enumerate() {
        let texts: Vec<_> = sources.iter().filter(|source| source.room() == *room).collect();
        assert!(!texts.is_empty(), "there is no room `{room}`");
        for other in *may_use {
            assert!(ROOMS[..index].iter().any(|(name, _)| name == other), "`{other}` is not above `{room}`");
            let does = texts.iter().any(|source| used(&source.text).contains(other));
            assert!(does, "`{room}` does not use `{other}`: take it out of the table");
        }
    }
}

#[test]
fn some_words_are_for_some_files_only() {
    for source in production() {
        for (word, paths) in RESERVED {
            let may = source.is_below(paths);
            assert!(may || !source.text.contains(word), "`{}` must not name `{word}`", source.path());
        }
    }
}

#[test]
fn there_is_no_global_state() {
    for source in production() {
        let state = ["static ", "static mut ", "pub static ", "pub(crate) static ", "pub(super) static "];
        // An allocator is one by its nature.
        let mut lines = source.text.lines().filter(|line| !line.contains(": mimalloc::MiMalloc = "));
        let found = lines.find(|line| state.iter().any(|word| line.trim_start().starts_with(word)));
        assert_eq!(found, None, "`{}`", source.path());
    }
}

#[test]
fn decisions_and_names_are_pure() {
    for source in production().iter().filter(|source| matches!(&*source.room(), "plan" | "preview")) {
        for word in IMPURE {
            assert!(!source.text.contains(word), "`{}` must not name `{word}`", source.path());
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for source in ["src", "tests", "fuzz"].into_iter().flat_map(files) {
        let path = source.path();
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST_FILE, "`{path}` has {lines} lines, {LONGEST_FILE} are the most");
        assert!(source.text.starts_with("//! "), "`{path}` does not say what it is for");
        let name = source.path.file_stem().unwrap().to_str().unwrap();
        assert!(!["mod", "utils", "helpers", "common", "types"].contains(&name), "`{path}` has no good name");
    }
}

/// cargo looks for newer versions of what a lock file does not have, and rolldown's do not fit together.
#[test]
fn fuzzing_builds_the_same_dependencies() {
    let packages = |path: &str| {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let mut lines = text.lines();
        let mut packages = BTreeSet::new();
        while let Some(name) = lines.by_ref().find_map(|line| line.strip_prefix("name = ")) {
            packages.insert(format!("{name} {}", lines.next().unwrap_or_default()));
        }
        packages
    };
    let (ours, fuzzing) = (packages("Cargo.lock"), packages("fuzz/Cargo.lock"));
    assert!(fuzzing.iter().any(|package| package.starts_with("\"rolldown\" ")), "{fuzzing:?}");
    let own = ["arbitrary", "gitbook-deploy-fuzz", "jobserver", "libfuzzer-sys"];
    let others: Vec<_> =
        fuzzing.difference(&ours).filter(|name| !own.iter().any(|own| name.contains(own))).collect();
    let what_to_do = "copy Cargo.lock to fuzz/ and run `cargo metadata --manifest-path fuzz/Cargo.toml`";
    assert!(others.is_empty(), "{others:?}: {what_to_do}");
}

#[test]
fn tests_and_comments_are_left_out() {
    let text = "\
use a;
// println!
#[cfg(test)]
mod payloads;
mod b;
impl C {
    #[cfg(test)]
    fn d() {
        e();
    }

    fn f() {}
}

#[cfg(test)]
impl G {
    fn h() {}
}
fn i() {}
#[cfg(any(test, fuzzing))]
pub mod j;
#[cfg(test)]
mod tests {
    use crate::x;
}
";
    assert_eq!(without_tests(text), "use a;\nmod b;\nimpl C {\n\n    fn f() {}\n}\n\nfn i() {}");
    let source = Source { path: "k.rs".into(), text: text.to_owned() };
    assert_eq!(test_modules(&source), ["k/payloads", "k/j"]);
    assert_eq!(used("use crate::a::B;\nfn c(d: &crate::e::F) {}"), BTreeSet::from(["a", "e"]));
}
