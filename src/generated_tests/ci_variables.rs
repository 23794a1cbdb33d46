//! Finds the variables that the modules of `src/ci` read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::read_file;
use crate::config::variables;

/// A CI system and the variables that the program reads there.
pub(super) struct SystemVariables {
    pub(super) name: String,
    pub(super) variables: Vec<String>,
}

/// Returns the variables that several systems share, then the systems in alphabetical order. Lists each variable only once.
pub(super) fn by_system() -> Vec<SystemVariables> {
    let table = read_file("src/ci.rs");
    let mut systems: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut shared = variable_names(&table);
    for module in modules() {
        let text = read_file(&format!("src/ci/{module}.rs"));
        let detect = format!("detect: {module}::detect");
        match system_name(&text) {
            Some(name) => {
                let row = table.lines().find(|line| line.contains(&detect)).unwrap_or_default();
                let variables = variable_names(&text).into_iter().chain(variable_names(row));
                systems.entry(name.to_owned()).or_default().extend(variables);
            }
            None => shared.extend(variable_names(&text)),
        }
    }
    let mut listed: BTreeSet<String> = variables::names().map(str::to_owned).collect();
    listed.insert("GITHUB_ACTIONS".to_owned());
    let mut all = Vec::new();
    for (name, variables) in systems {
        let variables: Vec<_> = variables.into_iter().filter(|name| listed.insert(name.clone())).collect();
        all.push(SystemVariables { name, variables });
    }
    let variables = shared.into_iter().filter(|name| listed.insert(name.clone())).collect();
    all.insert(0, SystemVariables { name: "Several systems".to_owned(), variables });
    all
}

/// Returns the modules of `src/ci`, except for tests and GitHub. The list of variables is for Docker, which the GitHub Action does
/// not use.
fn modules() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ci");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let modules = files.filter_map(|name| Some(name.to_str()?.strip_suffix(".rs")?.to_owned()));
    modules.filter(|module| module != "github" && !module.contains("test")).collect()
}

/// Returns the name of the system that a module detects.
fn system_name(text: &str) -> Option<&str> {
    let (_, rest) = without_tests(text).split_once("..Ci::")?;
    rest.split('"').nth(1)
}

/// Returns the texts in quotes that look like the names of variables.
fn variable_names(text: &str) -> BTreeSet<String> {
    let is_name = |text: &&str| {
        text.len() > 1
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    without_tests(text).split('"').filter(is_name).map(str::to_owned).collect()
}

/// Returns the part of a file before its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
}
