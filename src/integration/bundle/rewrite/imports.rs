//! Corrects imports and exports of TypeScript types.
//!
//! A type that is imported or re-exported without the `type` keyword looks like a value. Only the file that declares the name
//! shows that the name is a type.

use oxc::ast::ast::{
    ExportSpecifier, IdentifierReference, ImportDeclaration, ImportDeclarationSpecifier, ImportOrExportKind,
    ModuleDeclaration, Program, TSType,
};
use oxc::ast_visit::Visit;

use super::{Edits, SourceFile};

/// Like esbuild, ensures that a module is evaluated even if a file re-exports only types from it. Also removes imports with an
/// empty list of names, such as `import {} from 'a'`, unless the compiler keeps unused imports.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    for declaration in program.body.iter().filter_map(|statement| statement.as_module_declaration()) {
        match declaration {
            ModuleDeclaration::ImportDeclaration(import) => {
                let is_empty = import.specifiers.as_ref().is_some_and(|specifiers| specifiers.is_empty());
                if is_empty && !file.keeps_unused_imports {
                    edits.replace(import.span, "");
                }
            }
            ModuleDeclaration::ExportFromDeclaration(export) if !export.specifiers.is_empty() => {
                let mut kinds = export.specifiers.iter().map(|specifier| specifier.export_kind);
                let is_value = export.export_kind == ImportOrExportKind::Value;
                if is_value && kinds.all(|kind| kind == ImportOrExportKind::Type) {
                    edits.insert(export.span.start, format!("import {};", file.text_at(export.source.span)));
                }
            }
            _ => {}
        }
    }
}

/// Ensures that the module in `export * from` is evaluated even if none of its names is used.
pub(super) fn add_side_effect_import_for_star_export(
    program: &Program<'_>,
    specifier: &str,
    edits: &mut Edits,
) {
    for declaration in program.body.iter().filter_map(|statement| statement.as_module_declaration()) {
        if let ModuleDeclaration::ExportAllDeclaration(export) = declaration
            && export.source.value == specifier
        {
            edits.insert(export.span.start, format!("import {specifier:?};"));
        }
    }
}

/// Inserts `type` before each of `names` in imports and exports. An import that the file uses as a value stays unchanged.
pub(super) fn insert_type_keywords(program: &Program<'_>, names: &[&str], edits: &mut Edits) {
    let declarations: Vec<_> =
        program.body.iter().filter_map(|statement| statement.as_module_declaration()).collect();
    let imports = declarations.iter().filter_map(|declaration| match declaration {
        ModuleDeclaration::ImportDeclaration(import) => Some(imported_types(import, names)),
        _ => None,
    });
    let mut values = ValueNames(Vec::new());
    values.visit_program(program);
    let imports: Vec<_> = imports.flatten().filter(|(local, _)| !values.0.contains(local)).collect();
    imports.iter().for_each(|(_, start)| edits.insert(*start, "type "));
    for declaration in &declarations {
        // Add a second import of the module. Without it, the bundler would not evaluate a module from which only types are
        // imported.
        if let ModuleDeclaration::ImportDeclaration(import) = declaration
            && !imported_types(import, names).is_empty()
        {
            edits.insert(import.span.start, format!("import {:?};", import.source.value.as_str()));
        }
    }
    for declaration in declarations {
        let (specifiers, is_type) = match declaration {
            ModuleDeclaration::ExportFromDeclaration(export)
                if export.export_kind == ImportOrExportKind::Value =>
            {
                (
                    &export.specifiers,
                    Box::new(|name: &str| names.contains(&name)) as Box<dyn Fn(&str) -> bool>,
                )
            }
            ModuleDeclaration::ExportNamedDeclaration(export)
                if export.export_kind == ImportOrExportKind::Value =>
            {
                (
                    &export.specifiers,
                    Box::new(|name: &str| imports.iter().any(|(local, _)| local == name)) as Box<_>,
                )
            }
            _ => continue,
        };
        for specifier in
            specifiers.iter().filter(|specifier| specifier.export_kind != ImportOrExportKind::Type)
        {
            if is_type(specifier.local.name().as_str()) {
                edits.insert(specifier.span.start, "type ");
            }
        }
    }
}

/// Returns the local name and the position of each specifier that imports one of `names`.
fn imported_types(import: &ImportDeclaration<'_>, names: &[&str]) -> Vec<(String, u32)> {
    let specifiers = import.specifiers.iter().flatten().filter_map(|specifier| match specifier {
        ImportDeclarationSpecifier::ImportSpecifier(specifier)
            if specifier.import_kind != ImportOrExportKind::Type
                && import.import_kind != ImportOrExportKind::Type =>
        {
            let is_type = names.contains(&specifier.imported.name().as_str());
            is_type.then(|| (specifier.local.name.to_string(), specifier.span.start))
        }
        _ => None,
    });
    specifiers.collect()
}

/// A visitor that collects the names that a file uses as values rather than types.
struct ValueNames(Vec<String>);

impl<'a> Visit<'a> for ValueNames {
    fn visit_ts_type(&mut self, _: &TSType<'a>) {}

    fn visit_export_specifier(&mut self, _: &ExportSpecifier<'a>) {}

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.0.push(name.name.to_string());
    }
}
