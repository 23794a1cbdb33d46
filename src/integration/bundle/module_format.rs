//! Detects the format of a module: ES module, CommonJS or plain script.

use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::ast::ast::{ModuleDeclaration, Program};
use oxc::parser::Parser;
use oxc::span::SourceType;

use super::sources::source_path;
use crate::integration::files;

/// Returns true if a module has no `import` or `export` statements, and neither its extension nor its `package.json` makes
/// Node treat the module as an ES module.
pub(super) fn has_no_esm_markers(source: &str, module: &str, root: &Path) -> bool {
    let path = source_path(module);
    let source_type = SourceType::from_path(&path).unwrap_or_default().with_module(true);
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, source_type).parse();
    !parsed.panicked && !is_esm(&parsed.program) && !is_esm_for_node(&path, root)
}

/// Returns true if Node treats a file as an ES module because of its extension or the nearest `package.json`. Ignores a
/// `package.json` outside the repository at `root`, unless it belongs to a package.
fn is_esm_for_node(path: &Path, root: &Path) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("mjs" | "mts") => true,
        Some("cjs" | "cts") => false,
        _ => {
            let mut packages = path.ancestors().skip(1).map(|folder| folder.join("package.json"));
            let read = |file: PathBuf| {
                files::read_text(&file, |path| files::is_repository_or_package_file(path, root)).ok()
            };
            let text = packages.find_map(read).unwrap_or_default();
            let package = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
            package["type"] == "module"
        }
    }
}

/// Returns true if a file has `import` or `export` statements. Ignores TypeScript's `export =` and `export as namespace`.
pub(super) fn is_esm(program: &Program<'_>) -> bool {
    program.body.iter().any(|statement| {
        statement.as_module_declaration().is_some_and(|declaration| {
            !matches!(
                declaration,
                ModuleDeclaration::TSExportAssignment(_) | ModuleDeclaration::TSNamespaceExportDeclaration(_)
            )
        })
    })
}
