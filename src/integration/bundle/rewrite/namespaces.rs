//! Exports of namespaces. Each part of a namespace may use those of the others by their plain names, and a variable is the
//! namespace's property only, of which oxc keeps a copy.

use std::collections::{HashMap, HashSet};

use oxc::ast::ast::{
    BindingIdentifier, BindingPattern, Declaration, IdentifierReference, ModuleDeclaration, Program,
    Statement, TSEnumDeclaration, TSNamespaceDeclaration, TSNamespaceDeclarationBody,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ScopeId, Scoping, SemanticBuilder};
use oxc::span::Span;

use super::{Edits, File, names};

pub(super) fn concerns(file: &File<'_>) -> bool {
    file.is_typescript && (file.source.contains("namespace") || file.source.contains("module "))
}

/// Writes `Namespace.name` for each use of an export that oxc would leave as it is.
pub(super) fn rewrite(program: &Program<'_>, _: &File<'_>, edits: &mut Edits) {
    let mut exports = Exports::default();
    exports.visit_program(program);
    if exports.by_path.is_empty() {
        return;
    }
    // oxc makes an enum of its own of each.
    for (path, part, span) in &exports.enums {
        if exports.enums.iter().any(|(other, of, _)| other == path && of < part) {
            let name = path.join(".");
            let message = format!("the enum `{name}` is declared in several parts of its namespace");
            edits.refuse(*span, message, "declare the enum in one part of the namespace");
        }
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let uses = Uses::new(&exports, &scoping).of(program);
    names::replace(program, edits, &|reference| uses.get(&reference.span).cloned());
}

/// The names of a namespace and of those around it, the outermost first.
type NamespacePath = Vec<String>;

/// The values that namespaces export, all parts of each together.
#[derive(Default)]
struct Exports {
    by_path: HashMap<NamespacePath, HashSet<String>>,
    /// The names of enums in namespaces, each with the namespace's part and the place.
    enums: Vec<(NamespacePath, usize, Span)>,
    path: NamespacePath,
    /// The number of parts of namespaces so far.
    parts: usize,
}

impl<'a> Visit<'a> for Exports {
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
                block.body.iter().for_each(|statement| names.extend(exported(statement)));
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
fn exported(statement: &Statement<'_>) -> Vec<String> {
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

/// Finds the uses of exports, by their spans, with the text to write for each.
struct Uses<'r> {
    exports: &'r Exports,
    scoping: &'r Scoping,
    path: NamespacePath,
    /// The scopes of the namespaces around the node.
    scopes: Vec<ScopeId>,
    found: HashMap<Span, String>,
}

impl<'r> Uses<'r> {
    fn new(exports: &'r Exports, scoping: &'r Scoping) -> Self {
        Self { exports, scoping, path: Vec::new(), scopes: Vec::new(), found: HashMap::new() }
    }

    fn of(mut self, program: &Program<'_>) -> HashMap<Span, String> {
        self.visit_program(program);
        self.found
    }

    /// Returns the name of the innermost namespace that exports a name used here, unless the use means something else that
    /// is declared in this part of it.
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

impl<'a> Visit<'a> for Uses<'_> {
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
