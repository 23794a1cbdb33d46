//! Adds the namespace prefix to uses of names that a TypeScript namespace exports.
//!
//! A namespace can consist of several `namespace` blocks. Each block can use the exports of the other blocks without a prefix,
//! but oxc does not add the prefix that JavaScript needs. For an exported variable, oxc also creates a local copy of the
//! namespace's property, and their values can then differ.

use std::collections::{HashMap, HashSet};

use oxc::ast::ast::{
    BindingIdentifier, BindingPattern, Declaration, IdentifierReference, ModuleDeclaration, Program,
    Statement, TSEnumDeclaration, TSNamespaceDeclaration, TSNamespaceDeclarationBody,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ScopeId, Scoping, SemanticBuilder};
use oxc::span::Span;

use super::{Edits, SourceFile, references};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    file.is_typescript && (file.source.contains("namespace") || file.source.contains("module "))
}

/// Replaces `name` with `Namespace.name` wherever oxc would leave out the prefix.
pub(super) fn rewrite(program: &Program<'_>, _: &SourceFile<'_>, edits: &mut Edits) {
    let mut exports = NamespaceExports::default();
    exports.visit_program(program);
    if exports.by_path.is_empty() {
        return;
    }
    // If several blocks of a namespace declare the same enum, oxc compiles each declaration to a separate enum.
    for (path, block, span) in &exports.enums {
        if exports.enums.iter().any(|(other_path, other_block, _)| other_path == path && other_block < block)
        {
            let name = path.join(".");
            let message = format!("the enum `{name}` is declared in several `namespace` blocks");
            edits.reject(*span, message, "declare the enum in one `namespace` block");
        }
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let uses = ExportUseFinder::new(&exports, &scoping).find(program);
    references::replace_references(program, edits, &|reference| uses.get(&reference.span).cloned());
}

/// The path of a namespace: the names of its enclosing namespaces, the outermost first, and then its own name.
type NamespacePath = Vec<String>;

/// A visitor that collects the values that namespaces export. All blocks of a namespace share one entry.
#[derive(Default)]
struct NamespaceExports {
    by_path: HashMap<NamespacePath, HashSet<String>>,
    /// For each enum in a namespace: its path, the number of the block that contains it, and the span of its name.
    enums: Vec<(NamespacePath, usize, Span)>,
    path: NamespacePath,
    /// The number of `namespace` blocks that have been visited.
    block_count: usize,
}

impl<'a> Visit<'a> for NamespaceExports {
    fn visit_ts_enum_declaration(&mut self, declaration: &TSEnumDeclaration<'a>) {
        if !self.path.is_empty() {
            let path = [&self.path[..], &[declaration.id.name.to_string()]].concat();
            self.enums.push((path, self.block_count, declaration.id.span));
        }
    }

    fn visit_ts_namespace_declaration(&mut self, namespace: &TSNamespaceDeclaration<'a>) {
        self.path.push(namespace.id.name.to_string());
        self.block_count += 1;
        let names = self.by_path.entry(self.path.clone()).or_default();
        match &namespace.body {
            TSNamespaceDeclarationBody::TSModuleBlock(block) => {
                block.body.iter().for_each(|statement| names.extend(exported_names(statement)));
            }
            // `namespace A.B` exports `B` from `A`.
            TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => {
                names.insert(inner.id.name.to_string());
            }
        }
        walk::walk_ts_namespace_declaration(self, namespace);
        self.path.pop();
    }
}

/// Returns the names of the values that a statement exports.
fn exported_names(statement: &Statement<'_>) -> Vec<String> {
    let Some(ModuleDeclaration::ExportDeclaration(export)) = statement.as_module_declaration() else {
        return Vec::new();
    };
    let single_name =
        |name: Option<&BindingIdentifier<'_>>| name.map(|name| name.name.to_string()).into_iter().collect();
    match &export.declaration {
        Declaration::VariableDeclaration(variables) => {
            let names =
                variables.declarations.iter().flat_map(|declarator| declarator.id.get_binding_identifiers());
            names.map(|name| name.name.to_string()).collect()
        }
        Declaration::FunctionDeclaration(function) => single_name(function.id.as_ref()),
        Declaration::ClassDeclaration(class) => single_name(class.id.as_ref()),
        Declaration::TSEnumDeclaration(declaration) => single_name(Some(&declaration.id)),
        Declaration::TSNamespaceDeclaration(namespace) => single_name(Some(&namespace.id)),
        _ => Vec::new(),
    }
}

/// A visitor that finds each use of an exported name that oxc would leave without the namespace prefix.
struct ExportUseFinder<'r> {
    exports: &'r NamespaceExports,
    scoping: &'r Scoping,
    path: NamespacePath,
    /// The scopes of the enclosing namespaces, the innermost last.
    scopes: Vec<ScopeId>,
    /// The replacement text of each use, by span.
    replacements: HashMap<Span, String>,
}

impl<'r> ExportUseFinder<'r> {
    fn new(exports: &'r NamespaceExports, scoping: &'r Scoping) -> Self {
        Self { exports, scoping, path: Vec::new(), scopes: Vec::new(), replacements: HashMap::new() }
    }

    fn find(mut self, program: &Program<'_>) -> HashMap<Span, String> {
        self.visit_program(program);
        self.replacements
    }

    /// Returns the name of the innermost namespace that exports the referenced name. Returns `None` if a declaration in the same
    /// `namespace` block takes precedence. A variable that this block itself exports still needs the prefix, unless it is a
    /// `const`.
    fn exporting_namespace(&self, reference: &IdentifierReference<'_>) -> Option<&str> {
        let symbol = self.scoping.get_reference(reference.reference_id.get()?).symbol_id();
        let declaring_scope = symbol.map(|symbol| self.scoping.symbol_scope_id(symbol));
        let is_variable = symbol.is_some_and(|symbol| {
            let flags = self.scoping.symbol_flags(symbol);
            flags.is_variable() && !flags.is_const_variable()
        });
        for (depth, scope) in self.scopes.iter().enumerate().rev() {
            let exports = self.exports.by_path.get(&self.path[..=depth]);
            let is_exported = exports.is_some_and(|names| names.contains(reference.name.as_str()));
            let is_declared_here = declaring_scope.is_some_and(|declaring_scope| {
                self.scoping.scope_ancestors(declaring_scope).any(|ancestor| ancestor == *scope)
            });
            if is_declared_here && !(is_exported && is_variable && declaring_scope == Some(*scope)) {
                return None;
            }
            if is_exported {
                return self.path.get(depth).map(String::as_str);
            }
        }
        None
    }
}

impl<'a> Visit<'a> for ExportUseFinder<'_> {
    fn visit_ts_namespace_declaration(&mut self, namespace: &TSNamespaceDeclaration<'a>) {
        let Some(scope) = namespace.scope_id.get().filter(|_| !namespace.declare) else { return };
        self.path.push(namespace.id.name.to_string());
        self.scopes.push(scope);
        walk::walk_ts_namespace_declaration(self, namespace);
        self.scopes.pop();
        self.path.pop();
    }

    fn visit_binding_pattern(&mut self, _: &BindingPattern<'a>) {
        // Default values in patterns stay unchanged. They are evaluated before the namespace's properties are assigned, so they
        // must read the variables.
    }

    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        if let Some(namespace) = self.exporting_namespace(reference) {
            let replacement = format!("{namespace}.{}", reference.name);
            self.replacements.insert(reference.span, replacement);
        }
    }
}
