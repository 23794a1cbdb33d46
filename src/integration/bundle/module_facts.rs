//! Defines the facts about modules that `RolldownPlugin` collects while the bundler runs.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::corrections::Corrections;
use super::sources::ReadFailure;
use crate::diagnostic::Diagnostic;

/// Facts about the modules of a script.
#[derive(Debug, Default)]
pub(super) struct ModuleFacts {
    /// Errors and warnings for the user.
    pub(super) problems: Vec<Diagnostic>,
    /// The files that could not be read, each with the reason.
    pub(super) read_failures: HashMap<PathBuf, ReadFailure>,
    /// Corrections for the next bundler run.
    pub(super) needed_corrections: Corrections,
    /// Pairs of an importing module and the specifier in its namespace import, `import()` or `require`.
    pub(super) namespace_imports: Vec<(String, String)>,
    /// Pairs of a module and the specifier in its `export * from`.
    pub(super) star_exports: Vec<(String, String)>,
    /// Modules that call `require`.
    pub(super) requiring_modules: HashSet<String>,
    pub(super) commonjs_modules: HashSet<String>,
    /// All modules except the entry module.
    pub(super) non_entry_modules: Vec<String>,
    /// Modules that are neither ES modules nor CommonJS modules.
    pub(super) plain_scripts: Vec<String>,
    /// CommonJS modules that set `__esModule`. Compilers add this property when they translate ES modules to CommonJS.
    pub(super) transpiled_commonjs: Vec<String>,
    /// Modules that Node treats as ES modules.
    pub(super) node_es_modules: HashSet<String>,
}
