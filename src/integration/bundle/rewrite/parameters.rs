//! Renames variables that the default of a parameter reads before their declaration.
//!
//! If the enclosing function declares such a variable later, oxc resolves the name to a variable of an outer scope, even of
//! another module.

use std::collections::HashMap;

use oxc::ast::ast::{
    ArrowFunctionExpression, BindingIdentifier, BindingProperty, FormalParameters, Function,
    IdentifierReference, Program,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ReferenceId, ScopeFlags, ScopeId, Scoping, SemanticBuilder, SymbolFlags, SymbolId};
use oxc::span::Span;

use super::{Edits, SourceFile, names};

/// A part of the new names that makes them unique across modules.
const LATE_MARKER: &str = "$late$";

/// Gives the first such variable a unique name.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    let mut found = ParameterReads::default();
    found.visit_program(program);
    found.references.retain(|one| !one.name.contains(LATE_MARKER));
    if found.references.is_empty() || !LastDeclarations::in_program(program).has_later(&found.references) {
        return;
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    // The semantic analysis has now stored scopes and references in the nodes.
    let mut found = ParameterReads::default();
    found.visit_program(program);
    let mut late =
        found.references.iter().filter_map(|one| Some((one.span, one.later_variable(&scoping, file)?)));
    let Some((_, symbol)) = late.next() else { return };
    let spans = found.references.iter().filter(|one| one.later_variable(&scoping, file) == Some(symbol));
    let spans: Vec<_> = spans.map(|one| one.span).collect();
    let new_name = file.unused_name(&format!("{}{LATE_MARKER}", scoping.symbol_name(symbol)));
    DeclarationRenamer { symbol, new_name: &new_name, edits }.visit_program(program);
    names::replace(program, edits, &|reference| {
        let id = reference.reference_id.get()?;
        let is_own = scoping.get_reference(id).symbol_id() == Some(symbol) || spans.contains(&reference.span);
        is_own.then(|| new_name.clone())
    });
}

/// A name that the default or the pattern of a parameter reads.
struct ParameterRead<'a> {
    name: &'a str,
    span: Span,
    id: Option<ReferenceId>,
    /// The scope of the parameter's function.
    scope: Option<ScopeId>,
}

impl ParameterRead<'_> {
    /// Returns the variable that it reads if the declaration follows later in a function.
    fn later_variable(&self, scoping: &Scoping, file: &SourceFile<'_>) -> Option<SymbolId> {
        let resolved = scoping.get_reference(self.id?).symbol_id()?;
        let scope = self.scope?;
        let mut around = scoping.scope_ancestors(scope).skip(1);
        around.find(|scope| *scope == scoping.symbol_scope_id(resolved))?;
        let symbol = scoping.scope_ancestors(scope).skip(1).find_map(|scope| {
            let symbol = scoping.get_binding(scope, self.name.into())?;
            scoping.symbol_flags(symbol).can_be_referenced_by_value().then_some(symbol)
        })?;
        let flags = scoping.scope_flags(scoping.symbol_scope_id(symbol));
        // Names of an ES module are already unique, and names of a namespace or an enum are properties.
        let is_fixed = (flags.is_top() && file.is_esm)
            || flags.is_ts_module_block()
            || scoping.symbol_flags(symbol).intersects(SymbolFlags::EnumMember | SymbolFlags::Import);
        // A function in a block of sloppy code can be two variables.
        let may_be_two = !file.is_esm && scoping.symbol_flags(symbol).is_function();
        let is_declared_later = scoping.symbol_span(symbol).start > self.span.start;
        (is_declared_later && !is_fixed && !may_be_two && !self.name.contains(LATE_MARKER)).then_some(symbol)
    }
}

/// Collects the names that parameters read.
#[derive(Default)]
struct ParameterReads<'a> {
    /// The scopes of the functions with enclosing parameters.
    scopes: Vec<Option<ScopeId>>,
    references: Vec<ParameterRead<'a>>,
}

impl<'a> ParameterReads<'a> {
    fn visit_parameters_of(&mut self, scope: Option<ScopeId>, parameters: &FormalParameters<'a>) {
        self.scopes.push(scope);
        walk::walk_formal_parameters(self, parameters);
        self.scopes.pop();
    }
}

impl<'a> Visit<'a> for ParameterReads<'a> {
    fn visit_function(&mut self, function: &Function<'a>, _: ScopeFlags) {
        self.visit_parameters_of(function.scope_id.get(), &function.params);
        function.body.iter().for_each(|body| self.visit_function_body(body));
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.visit_parameters_of(function.scope_id.get(), &function.params);
        self.visit_arrow_function_body(&function.body);
    }

    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        if let Some(scope) = self.scopes.last() {
            self.references.push(ParameterRead {
                name: reference.name.as_str(),
                span: reference.span,
                id: reference.reference_id.get(),
                scope: *scope,
            });
        }
    }
}

/// The last position at which each name is declared.
#[derive(Default)]
struct LastDeclarations<'a>(HashMap<&'a str, u32>);

impl<'a> LastDeclarations<'a> {
    fn in_program(program: &Program<'a>) -> Self {
        let mut declared = Self::default();
        declared.visit_program(program);
        declared
    }

    fn has_later(&self, references: &[ParameterRead<'_>]) -> bool {
        references.iter().any(|one| self.0.get(one.name).is_some_and(|at| *at > one.span.start))
    }
}

impl<'a> Visit<'a> for LastDeclarations<'a> {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.0.insert(name.name.as_str(), name.span.start);
    }
}

/// Renames the declarations of a variable.
struct DeclarationRenamer<'d> {
    symbol: SymbolId,
    new_name: &'d str,
    edits: &'d mut Edits,
}

impl<'a> Visit<'a> for DeclarationRenamer<'_> {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        if name.symbol_id.get() == Some(self.symbol) {
            self.edits.replace(name.span, self.new_name);
        }
    }

    fn visit_binding_property(&mut self, property: &BindingProperty<'a>) {
        if property.shorthand
            && let Some(name) = property.value.get_binding_identifiers().first()
            && name.symbol_id.get() == Some(self.symbol)
        {
            self.edits.insert(name.span.start, format!("{}: ", name.name));
        }
        walk::walk_binding_property(self, property);
    }
}
