//! Collects corrections for the next bundler run from the errors of the last run.

use std::collections::BTreeSet;
use std::path::Path;

use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use super::sources::source_path;
use crate::integration::files;

/// Facts about modules that are known only after other modules have been parsed. The next bundler run uses these facts to
/// compile the modules correctly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Corrections {
    /// Modules to treat as CommonJS: they have no `import` or `export` statements, but another module imports their `default`
    /// export or their namespace, or loads them with `require`.
    pub(super) commonjs_modules: BTreeSet<String>,
    /// Pairs of a module without exports and a name. Another module imports this name from the module, and gets `undefined`.
    pub(super) undefined_names: BTreeSet<(String, String)>,
    /// Pairs of a TypeScript module and the name of a type that the module imports or re-exports. Types do not exist at run time.
    pub(super) type_names: BTreeSet<(String, String)>,
    /// Pairs of a module and the specifier of a CommonJS module in its `export * from`. Without a correction, the bundler
    /// evaluates the CommonJS module only if another module uses one of its names.
    pub(super) star_exports: BTreeSet<(String, String)>,
    /// Modules that are valid JavaScript only in sloppy mode, which is JavaScript without `"use strict"`.
    pub(super) sloppy_modules: BTreeSet<String>,
    /// True to set the bundler option `strict_execution_order`, which evaluates modules in import order. It is also needed if a
    /// CommonJS module has two kinds of importers: those that Node treats as ES modules get another `default` export.
    pub(super) keeps_import_order: bool,
    /// True to generate a source map, which maps positions in the script to the source files.
    pub(super) needs_source_map: bool,
}

impl Corrections {
    /// Adds the corrections in `needed`. Returns true if at least one of them is new.
    pub(super) fn add(&mut self, needed: Self) -> bool {
        let before = self.clone();
        self.commonjs_modules.extend(needed.commonjs_modules);
        self.undefined_names.extend(needed.undefined_names);
        self.type_names.extend(needed.type_names);
        self.star_exports.extend(needed.star_exports);
        self.sloppy_modules.extend(needed.sloppy_modules);
        self.keeps_import_order |= needed.keeps_import_order;
        *self != before
    }

    /// Returns the corrections that prevent the bundler errors in `problems`. Reads only files in packages and in the repository
    /// at `root`.
    pub(super) fn from_problems(problems: &[BuildDiagnostic], root: &Path) -> Self {
        let mut needed = Self::default();
        for problem in problems {
            let Some(module) = problem.id() else { continue };
            match problem.kind() {
                EventKind::MissingExportError => needed.add_for_missing_export(problem, module, root),
                EventKind::ParseError if is_javascript(&module) => {
                    needed.sloppy_modules.insert(module);
                }
                _ => {}
            }
        }
        needed
    }

    fn add_for_missing_export(&mut self, problem: &BuildDiagnostic, importer: String, root: &Path) {
        let message = problem.to_message_with(&DiagnosticOptions::default());
        let Some(name) = message.split('"').nth(1) else { return };
        let exporter = problem.exporter().unwrap_or_default();
        let text = files::read_text(&source_path(&exporter), |path| {
            files::is_repository_or_package_file(path, root)
        });
        if text.is_ok_and(|text| super::module_format::has_no_esm_markers(&text, &exporter, root)) {
            match name {
                "default" => self.commonjs_modules.insert(exporter),
                name => self.undefined_names.insert((exporter, name.to_owned())),
            };
        } else if is_typescript(&importer) {
            self.type_names.insert((importer, name.to_owned()));
        }
    }
}

fn extension(module: &str) -> String {
    source_path(module).extension().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_javascript(module: &str) -> bool {
    matches!(extension(module).as_str(), "js" | "mjs" | "cjs" | "")
}

fn is_typescript(module: &str) -> bool {
    matches!(extension(module).as_str(), "ts" | "tsx" | "mts" | "cts")
}
