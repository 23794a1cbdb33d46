//! Qualifies uses of the exports of TypeScript namespaces.
//!
//! A namespace can consist of several parts. Each part can use the exports of the others without a prefix. oxc leaves such uses
//! unchanged, and it keeps exported variables as copies of the namespace's properties.

use std::collections::{HashMap, HashSet};

use oxc::ast::ast::{
    BindingIdentifier, BindingPattern, Declaration, IdentifierReference, ModuleDeclaration, Program,
    Statement, TSEnumDeclaration, TSNamespaceDeclaration, TSNamespaceDeclarationBody,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ScopeId, Scoping, SemanticBuilder};
use oxc::span::Span;

use super::{Edits, SourceFile, names};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    file.is_typescript && (file.source.contains("namespace") || file.source.contains("module "))
}

/// Writes `Namespace.name` for each use of an export that oxc would leave unqualified.
pub(super) fn rewrite(program: &Program<'_>, _: &SourceFile<'_>, edits: &mut Edits) {
    let mut exports = NamespaceExports::default();
    exports.visit_program(program);
    if exports.by_path.is_empty() {
        return;
    }
    // oxc would compile each declaration to a separate enum.
    for (path, part, span) in &exports.enums {
        if exports.enums.iter().any(|(other, of, _)| other == path && of < part) {
            let name = path.join(".");
            let message = format!("the enum `{name}` is declared in several parts of its namespace");
            edits.reject(*span, message, "declare the enum in one part of the namespace");
        }
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let uses = ExportUses::new(&exports, &scoping).find(program);
    names::replace(program, edits, &|reference| uses.get(&reference.span).cloned());
}

/// The names of the enclosing namespaces and the namespace itself, the outermost first.
type NamespacePath = Vec<String>;

/// Collects the exported values of namespaces. All parts of a namespace share one entry.
#[derive(Default)]
struct NamespaceExports {
    by_path: HashMap<NamespacePath, HashSet<String>>,
    /// The paths of enums in namespaces, each with the number of the namespace part and the span.
    enums: Vec<(NamespacePath, usize, Span)>,
    path: NamespacePath,
    /// The number of namespace parts found so far.
    parts: usize,
}

impl<'a> Visit<'a> for NamespaceExports {
    fn visit_ts_enum_declaration(&mut self, declaration: &TSEnumDeclaration<'a>) {
        if !self.path.is_empty() {
            let path = [&self.path[..], &[declaration.id.name.to_string()]].concat();
            self.enums.push((path, self.parts, declaration.id.span));
        }
    }

    fn visit_ts_namespace_declaration(&mut self, namespace: &TSNamespaceDeclaration<'a>) {
        self.path.push(namespace.id.name.to_string());
        self.parts += 1;
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

/// Returns the names of the exported values of a statement.
fn exported_names(statement: &Statement<'_>) -> Vec<String> {
    let Some(ModuleDeclaration::ExportDeclaration(export)) = statement.as_module_declaration() else {
        return Vec::new();
    };
    let one =
        |name: Option<&BindingIdentifier<'_>>| name.map(|name| name.name.to_string()).into_iter().collect();
    match &export.declaration {
        Declaration::VariableDeclaration(variables) => {
            let names = variables.declarations.iter().flat_map(|one| one.id.get_binding_identifiers());
            names.map(|name| name.name.to_string()).collect()
        }
        Declaration::FunctionDeclaration(function) => one(function.id.as_ref()),
        Declaration::ClassDeclaration(class) => one(class.id.as_ref()),
        Declaration::TSEnumDeclaration(declaration) => one(Some(&declaration.id)),
        Declaration::TSNamespaceDeclaration(namespace) => one(Some(&namespace.id)),
        _ => Vec::new(),
    }
}

/// Finds the uses of exports, by span, each with its replacement text.
struct ExportUses<'r> {
    exports: &'r NamespaceExports,
    scoping: &'r Scoping,
    path: NamespacePath,
    /// The scopes of the enclosing namespaces.
    scopes: Vec<ScopeId>,
    found: HashMap<Span, String>,
}

impl<'r> ExportUses<'r> {
    fn new(exports: &'r NamespaceExports, scoping: &'r Scoping) -> Self {
        Self { exports, scoping, path: Vec::new(), scopes: Vec::new(), found: HashMap::new() }
    }

    fn find(mut self, program: &Program<'_>) -> HashMap<Span, String> {
        self.visit_program(program);
        self.found
    }

    /// Returns the name of the innermost namespace that exports the referenced name. Returns `None` if the reference means
    /// another declaration in this part of the namespace.
    fn namespace(&self, reference: &IdentifierReference<'_>) -> Option<&str> {
        let symbol = self.scoping.get_reference(reference.reference_id.get()?).symbol_id();
        let declared = symbol.map(|symbol| self.scoping.symbol_scope_id(symbol));
        let is_variable = symbol.is_some_and(|symbol| {
            let flags = self.scoping.symbol_flags(symbol);
            flags.is_variable() && !flags.is_const_variable()
        });
        for (depth, scope) in self.scopes.iter().enumerate().rev() {
            let exports = self.exports.by_path.get(&self.path[..=depth]);
            let is_exported = exports.is_some_and(|names| names.contains(reference.name.as_str()));
            let is_here = declared.is_some_and(|declared| {
                self.scoping.scope_ancestors(declared).any(|ancestor| ancestor == *scope)
            });
            if is_here && !(is_exported && is_variable && declared == Some(*scope)) {
                return None;
            }
            if is_exported {
                return self.path.get(depth).map(String::as_str);
            }
        }
        None
    }
}

impl<'a> Visit<'a> for ExportUses<'_> {
    fn visit_ts_namespace_declaration(&mut self, namespace: &TSNamespaceDeclaration<'a>) {
        let Some(scope) = namespace.scope_id.get().filter(|_| !namespace.declare) else { return };
        self.path.push(namespace.id.name.to_string());
        self.scopes.push(scope);
        walk::walk_ts_namespace_declaration(self, namespace);
        self.scopes.pop();
        self.path.pop();
    }

    fn visit_binding_pattern(&mut self, _: &BindingPattern<'a>) {
        // A default in a pattern is evaluated before the properties are assigned.
    }

    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        if let Some(namespace) = self.namespace(reference) {
            let text = format!("{namespace}.{}", reference.name);
            self.found.insert(reference.span, text);
        }
    }
}
