//! Checks the architecture: dependencies between modules, reserved names, the length of files and the language of comments.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The modules of `src`, each with the modules that it may use. These must be above it in this table, so there are no circular
/// dependencies. `lib`, `commands` and `main` may use every module.
const MODULES: [(&str, &[&str]); 21] = [
    ("environment", &[]),
    ("repository", &[]),
    ("cancel", &[]),
    ("diagnostic", &[]),
    ("yaml", &["diagnostic"]),
    ("schema", &["diagnostic", "yaml"]),
    ("untrusted", &[]),
    ("symlinks", &[]),
    ("html_comment", &[]),
    ("redact", &[]),
    ("preview", &["repository", "schema", "html_comment"]),
    ("http", &["cancel"]),
    ("ci", &["environment", "repository", "http"]),
    ("integration", &["environment", "diagnostic", "yaml", "schema", "symlinks", "preview"]),
    ("config", &["environment", "repository", "diagnostic", "ci", "integration", "preview", "http"]),
    ("forge", &["repository", "cancel", "http"]),
    ("gitbook", &["cancel", "diagnostic", "yaml", "schema", "http"]),
    ("plan", &["repository", "ci", "config"]),
    (
        "deploy",
        &[
            "repository",
            "cancel",
            "diagnostic",
            "untrusted",
            "preview",
            "integration",
            "forge",
            "gitbook",
            "plan",
        ],
    ),
    ("error", &["cancel", "diagnostic", "ci", "gitbook", "plan", "deploy"]),
    (
        "report",
        &[
            "environment",
            "repository",
            "diagnostic",
            "untrusted",
            "symlinks",
            "html_comment",
            "redact",
            "ci",
            "config",
            "plan",
            "deploy",
            "error",
        ],
    ),
];

/// Attributes of code that only tests or fuzz targets use.
const TEST_ATTRIBUTES: [&str; 2] = ["#[cfg(test)]", "#[cfg(any(test, fuzzing))]"];

/// Reserved names, each with the files and folders below `src` that may use it.
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
    ("rayon", &["integration/packaging_context/"]),
    ("reqwest", &["http.rs", "http/", "gitbook.rs", "gitbook/", "forge/"]),
    ("axum", &["gitbook/sandbox.rs", "gitbook/sandbox/"]),
];

/// Names that the pure modules `plan` and `preview` must not use.
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

/// The maximum number of lines of a file.
const MAX_LINES: usize = 400;

/// A source file below `src` or `tests`.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// Returns the path below the searched folder, with slashes.
    pub(crate) fn path(&self) -> String {
        self.path.to_string_lossy().replace('\\', "/")
    }

    /// Returns the name of the top-level module.
    fn module(&self) -> String {
        self.path().split('/').next().unwrap().trim_end_matches(".rs").to_owned()
    }

    fn is_below(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.path() == *path || path.ends_with('/') && self.path().starts_with(path))
    }
}

/// Returns the Rust files below a folder of the repository.
pub(crate) fn files(folder: &str) -> Vec<Source> {
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

/// Returns the files of the program, without tests and comments.
pub(crate) fn production() -> Vec<Source> {
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

/// Returns the paths of the test modules that a file declares, without `.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let path = source.path();
    let folder = match path.trim_end_matches(".rs") {
        "lib" | "main" => String::new(),
        module => format!("{module}/"),
    };
    let lines: Vec<_> = source.text.lines().collect();
    let declared =
        lines.windows(2).filter(|pair| TEST_ATTRIBUTES.contains(&pair[0].trim())).filter_map(|pair| {
            let (_, name) = pair[1].strip_suffix(';')?.rsplit_once("mod ")?;
            Some(format!("{folder}{name}"))
        });
    declared.collect()
}

/// Removes comments and test code.
fn without_tests(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if !TEST_ATTRIBUTES.contains(&line.trim()) {
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

/// Returns the names of the modules that follow `crate::` in Rust source text.
fn used_modules(text: &str) -> BTreeSet<&str> {
    let name = |rest: &'_ str| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    text.split("crate::").skip(1).map(|rest| &rest[..name(rest)]).collect()
}

#[test]
fn modules_use_only_the_modules_that_the_table_allows() {
    let is_root = |module: &str| matches!(module, "lib" | "main" | "commands");
    for source in production().iter().filter(|source| !is_root(&source.module())) {
        let (path, module) = (source.path(), source.module());
        let position = MODULES.iter().position(|(name, _)| *name == module);
        let position = position.unwrap_or_else(|| panic!("`{path}`: add the module `{module}` to the table"));
        for used in used_modules(&source.text) {
            assert!(used == module || MODULES[position].1.contains(&used), "`{path}` must not use `{used}`");
        }
    }
}

#[test]
fn the_module_table_is_in_order_and_has_no_unused_entry() {
    let sources = production();
    for (index, (module, may_use)) in MODULES.iter().enumerate() {
        let texts: Vec<_> = sources.iter().filter(|source| source.module() == *module).collect();
        assert!(!texts.is_empty(), "`src` has no module `{module}`");
        for other in *may_use {
            assert!(
                MODULES[..index].iter().any(|(name, _)| name == other),
                "`{other}` is not above `{module}`"
            );
            let is_used = texts.iter().any(|source| used_modules(&source.text).contains(other));
            assert!(is_used, "`{module}` does not use `{other}`: remove it from the table");
        }
    }
}

#[test]
fn reserved_names_are_used_in_their_files_only() {
    for source in production() {
        for (word, paths) in RESERVED {
            let is_allowed = source.is_below(paths);
            assert!(is_allowed || !source.text.contains(word), "`{}` must not name `{word}`", source.path());
        }
    }
}

#[test]
fn no_source_file_has_global_state() {
    for source in production() {
        let state = ["static ", "static mut ", "pub static ", "pub(crate) static ", "pub(super) static "];
        // The global allocator is allowed, because Rust requires a static for it.
        let mut lines = source.text.lines().filter(|line| !line.contains(": mimalloc::MiMalloc = "));
        let found = lines.find(|line| state.iter().any(|word| line.trim_start().starts_with(word)));
        assert_eq!(found, None, "`{}`", source.path());
    }
}

#[test]
fn plan_and_preview_are_pure() {
    for source in production().iter().filter(|source| matches!(&*source.module(), "plan" | "preview")) {
        for word in IMPURE {
            assert!(!source.text.contains(word), "`{}` must not name `{word}`", source.path());
        }
    }
}

#[test]
fn files_are_short_and_begin_with_their_purpose() {
    for source in ["src", "tests", "fuzz"].into_iter().flat_map(files) {
        let path = source.path();
        let lines = source.text.lines().count();
        assert!(lines <= MAX_LINES, "`{path}` has {lines} lines; the limit is {MAX_LINES}");
        assert!(source.text.starts_with("//! "), "`{path}` does not begin with `//! ` and its purpose");
        let name = source.path.file_stem().unwrap().to_str().unwrap();
        assert!(
            !["mod", "utils", "helpers", "common", "types", "answer"].contains(&name),
            "`{path}` needs a specific name"
        );
    }
}

/// `fuzz/Cargo.lock` must have the versions of `Cargo.lock`. Otherwise, Cargo would use the newest versions of rolldown's crates, which are
/// incompatible with each other.
#[test]
fn fuzz_lock_file_has_the_same_versions() {
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
    let remedy = "copy Cargo.lock to fuzz/ and run `cargo metadata --manifest-path fuzz/Cargo.toml`";
    assert!(others.is_empty(), "{others:?}: {remedy}");
}

#[test]
fn removes_tests_and_comments_from_source_text() {
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
    assert_eq!(used_modules("use crate::a::B;\nfn c(d: &crate::e::F) {}"), BTreeSet::from(["a", "e"]));
}
