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
    found.references.retain(|one| !one.name.contains(LATE));
    if found.references.is_empty() || !Declared::in_program(program).has_later(&found.references) {
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
struct Reference<'a> {
    name: &'a str,
    span: Span,
    id: Option<ReferenceId>,
    /// The scope of the parameter's function.
    scope: Option<ScopeId>,
}

impl Reference<'_> {
    /// Returns the variable that it reads, if that is declared further down in a function.
    fn late(&self, scoping: &Scoping, file: &File<'_>) -> Option<SymbolId> {
        let taken = scoping.get_reference(self.id?).symbol_id()?;
        let scope = self.scope?;
        let mut around = scoping.scope_ancestors(scope).skip(1);
        around.find(|scope| *scope == scoping.symbol_scope_id(taken))?;
        let symbol = scoping.scope_ancestors(scope).skip(1).find_map(|scope| {
            let symbol = scoping.get_binding(scope, self.name.into())?;
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
struct Found<'a> {
    /// The scopes of the functions whose parameters are around the node.
    scopes: Vec<Option<ScopeId>>,
    references: Vec<Reference<'a>>,
}

impl<'a> Found<'a> {
    fn parameters(&mut self, scope: Option<ScopeId>, parameters: &FormalParameters<'a>) {
        self.scopes.push(scope);
        walk::walk_formal_parameters(self, parameters);
        self.scopes.pop();
    }
}

impl<'a> Visit<'a> for Found<'a> {
    fn visit_function(&mut self, function: &Function<'a>, _: ScopeFlags) {
        self.parameters(function.scope_id.get(), &function.params);
        function.body.iter().for_each(|body| self.visit_function_body(body));
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.parameters(function.scope_id.get(), &function.params);
        self.visit_arrow_function_body(&function.body);
    }

    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        if let Some(scope) = self.scopes.last() {
            self.references.push(Reference {
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
struct Declared<'a>(HashMap<&'a str, u32>);

impl<'a> Declared<'a> {
    fn in_program(program: &Program<'a>) -> Self {
        let mut declared = Self::default();
        declared.visit_program(program);
        declared
    }

    fn has_later(&self, references: &[Reference<'_>]) -> bool {
        references.iter().any(|one| self.0.get(one.name).is_some_and(|at| *at > one.span.start))
    }
}

impl<'a> Visit<'a> for Declared<'a> {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.0.insert(name.name.as_str(), name.span.start);
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
