//! Corrections that a run of the bundler shows to be needed, and another run makes.

use std::collections::BTreeSet;
use std::path::Path;

use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use super::sources::file_of;
use crate::integration::files;

/// Facts about a script's files that no file shows by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Corrections {
    /// Modules without imports or exports that are imported as CommonJS.
    pub(super) commonjs: BTreeSet<String>,
    /// Modules without imports or exports, and the names that are imported from them all the same: their value is `undefined`.
    pub(super) undefined: BTreeSet<(String, String)>,
    /// Modules and the names that they import or export again and that do not exist: types, in TypeScript.
    pub(super) types: BTreeSet<(String, String)>,
    /// Modules and the specifiers of CommonJS modules all of whose names they export, which the bundler evaluates only if one is
    /// used.
    pub(super) evaluated: BTreeSet<(String, String)>,
    /// Modules that are valid as sloppy code only.
    pub(super) sloppy: BTreeSet<String>,
    /// True if every import of a CommonJS module stays in its place, with the interpretation of `default` that belongs to the
    /// importer.
    pub(super) keeps_order: bool,
    /// True if the place of a fault in the script is looked for.
    pub(super) has_source_map: bool,
}

impl Corrections {
    /// Adds those of another run. Returns whether any is new.
    pub(super) fn add(&mut self, needed: Self) -> bool {
        let before = self.clone();
        self.commonjs.extend(needed.commonjs);
        self.undefined.extend(needed.undefined);
        self.types.extend(needed.types);
        self.evaluated.extend(needed.evaluated);
        self.sloppy.extend(needed.sloppy);
        self.keeps_order |= needed.keeps_order;
        *self != before
    }

    /// Returns the corrections that the bundler's problems call for. Reads only files of the repository at `root` and of packages.
    pub(super) fn needed(problems: &[BuildDiagnostic], root: &Path) -> Self {
        let mut needed = Self::default();
        for problem in problems {
            let Some(module) = problem.id() else { continue };
            match problem.kind() {
                EventKind::MissingExportError => needed.missing(problem, module, root),
                EventKind::ParseError if is_javascript(&module) => {
                    needed.sloppy.insert(module);
                }
                _ => {}
            }
        }
        needed
    }

    fn missing(&mut self, problem: &BuildDiagnostic, importer: String, root: &Path) {
        let message = problem.to_message_with(&DiagnosticOptions::default());
        let Some(name) = message.split('"').nth(1) else { return };
        let exporter = problem.exporter().unwrap_or_default();
        let text = files::read_text(&file_of(&exporter), |path| files::is_module(path, root));
        if text.is_ok_and(|text| super::rewrite::is_script(&text, &exporter, root)) {
            match name {
                "default" => self.commonjs.insert(exporter),
                name => self.undefined.insert((exporter, name.to_owned())),
            };
        } else if is_typescript(&importer) {
            self.types.insert((importer, name.to_owned()));
        }
    }
}

fn extension(module: &str) -> String {
    file_of(module).extension().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_javascript(module: &str) -> bool {
    matches!(extension(module).as_str(), "js" | "mjs" | "cjs" | "")
}

fn is_typescript(module: &str) -> bool {
    matches!(extension(module).as_str(), "ts" | "tsx" | "mts" | "cts")
}
