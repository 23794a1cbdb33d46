//! Parameters whose default reads a variable that the function around them declares further down.
//!
//! oxc takes the variable of that name in a scope further out instead, even one of another module.

use std::collections::HashMap;

use oxc::ast::ast::{
    ArrowFunctionExpression, BindingIdentifier, BindingProperty, FormalParameters, Function,
    IdentifierReference, Program,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ReferenceId, ScopeFlags, ScopeId, Scoping, SemanticBuilder, SymbolFlags, SymbolId};
use oxc::span::Span;

use super::{Edits, File, names};

/// A part of the names that are given here, which no other module has.
const LATE: &str = "$late$";

/// Gives the first such variable a name that nothing else has.
pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    let mut found = Found::default();
    found.visit_program(program);
    let is_late = |one: &Reference| {
        !one.name.contains(LATE) && found.declared.get(&one.name).is_some_and(|at| *at > one.span.start)
    };
    if !found.references.iter().any(is_late) {
        return;
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    // The nodes know their scopes and references only now.
    let mut found = Found::default();
    found.visit_program(program);
    let mut late = found.references.iter().filter_map(|one| Some((one.span, one.late(&scoping, file)?)));
    let Some((_, symbol)) = late.next() else { return };
    let spans = found.references.iter().filter(|one| one.late(&scoping, file) == Some(symbol));
    let spans: Vec<_> = spans.map(|one| one.span).collect();
    let fresh = file.fresh(&format!("{}{LATE}", scoping.symbol_name(symbol)));
    Declarations { symbol, fresh: &fresh, edits }.visit_program(program);
    names::replace(program, edits, &|reference| {
        let id = reference.reference_id.get()?;
        let is_own = scoping.get_reference(id).symbol_id() == Some(symbol) || spans.contains(&reference.span);
        is_own.then(|| fresh.clone())
    });
}

/// A name that a parameter's default or pattern reads.
struct Reference {
    name: String,
    span: Span,
    id: Option<ReferenceId>,
    /// The scope of the parameter's function.
    scope: Option<ScopeId>,
}

impl Reference {
    /// Returns the variable that it reads, if that is declared further down in a function.
    fn late(&self, scoping: &Scoping, file: &File<'_>) -> Option<SymbolId> {
        let taken = scoping.get_reference(self.id?).symbol_id()?;
        let scope = self.scope?;
        let mut around = scoping.scope_ancestors(scope).skip(1);
        around.find(|scope| *scope == scoping.symbol_scope_id(taken))?;
        let symbol = scoping.scope_ancestors(scope).skip(1).find_map(|scope| {
            let symbol = scoping.get_binding(scope, self.name.as_str().into())?;
            scoping.symbol_flags(symbol).can_be_referenced_by_value().then_some(symbol)
        })?;
        let flags = scoping.scope_flags(scoping.symbol_scope_id(symbol));
        // The names of an ES module are its own, and those of a namespace or an enum are properties.
        let is_fixed = (flags.is_top() && file.is_esm)
            || flags.is_ts_module_block()
            || scoping.symbol_flags(symbol).intersects(SymbolFlags::EnumMember | SymbolFlags::Import);
        // A function in a block of sloppy code is two variables.
        let may_be_two = !file.is_esm && scoping.symbol_flags(symbol).is_function();
        let is_further_down = scoping.symbol_span(symbol).start > self.span.start;
        (is_further_down && !is_fixed && !may_be_two && !self.name.contains(LATE)).then_some(symbol)
    }
}

#[derive(Default)]
struct Found {
    /// The scopes of the functions whose parameters are around the node.
    scopes: Vec<Option<ScopeId>>,
    references: Vec<Reference>,
    /// The last position at which each name is declared.
    declared: HashMap<String, u32>,
}

impl Found {
    fn parameters(&mut self, scope: Option<ScopeId>, parameters: &FormalParameters<'_>) {
        self.scopes.push(scope);
        walk::walk_formal_parameters(self, parameters);
        self.scopes.pop();
    }
}

impl<'a> Visit<'a> for Found {
    fn visit_function(&mut self, function: &Function<'a>, _: ScopeFlags) {
        function.id.iter().for_each(|name| self.visit_binding_identifier(name));
        self.parameters(function.scope_id.get(), &function.params);
        function.body.iter().for_each(|body| self.visit_function_body(body));
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.parameters(function.scope_id.get(), &function.params);
        self.visit_arrow_function_body(&function.body);
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.declared.insert(name.name.to_string(), name.span.start);
    }

    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        if let Some(scope) = self.scopes.last() {
            self.references.push(Reference {
                name: reference.name.to_string(),
                span: reference.span,
                id: reference.reference_id.get(),
                scope: *scope,
            });
        }
    }
}

/// Writes another name where a variable is declared.
struct Declarations<'d> {
    symbol: SymbolId,
    fresh: &'d str,
    edits: &'d mut Edits,
}

impl<'a> Visit<'a> for Declarations<'_> {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        if name.symbol_id.get() == Some(self.symbol) {
            self.edits.replace(name.span, self.fresh);
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
