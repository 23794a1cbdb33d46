//! Renames variables that a parameter's default value uses before they are declared.
//!
//! An example is `b` in `function outer() { function inner(a = b) {} var b; }`. oxc resolves such a name to a variable of an
//! outer scope, or even of another module.

use std::collections::HashMap;

use oxc::ast::ast::{
    ArrowFunctionExpression, BindingIdentifier, BindingProperty, FormalParameters, Function,
    IdentifierReference, Program,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ReferenceId, ScopeFlags, ScopeId, Scoping, SemanticBuilder, SymbolFlags, SymbolId};
use oxc::span::Span;

use super::{Edits, SourceFile, references};

/// The suffix of renamed variables, which makes the new names unique across modules.
const RENAMED_SUFFIX: &str = "$late$";

/// Renames the first variable that a parameter uses before the variable is declared.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    let mut uses = UsesInParameters::default();
    uses.visit_program(program);
    uses.references.retain(|parameter_use| !parameter_use.name.contains(RENAMED_SUFFIX));
    if uses.references.is_empty()
        || !LastDeclarations::in_program(program).declares_any_later(&uses.references)
    {
        return;
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    // Collect the uses again: the semantic analysis has now stored scopes and references in the nodes.
    let mut uses = UsesInParameters::default();
    uses.visit_program(program);
    let mut late_variables =
        uses.references.iter().filter_map(|parameter_use| parameter_use.later_variable(&scoping, file));
    let Some(symbol) = late_variables.next() else { return };
    let spans = uses
        .references
        .iter()
        .filter(|parameter_use| parameter_use.later_variable(&scoping, file) == Some(symbol));
    let spans: Vec<_> = spans.map(|parameter_use| parameter_use.span).collect();
    let new_name = file.unused_name(&format!("{}{RENAMED_SUFFIX}", scoping.symbol_name(symbol)));
    DeclarationRenamer { symbol, new_name: &new_name, edits }.visit_program(program);
    references::replace_references(program, edits, &|reference| {
        let id = reference.reference_id.get()?;
        let is_reference =
            scoping.get_reference(id).symbol_id() == Some(symbol) || spans.contains(&reference.span);
        is_reference.then(|| new_name.clone())
    });
}

/// A use of a name in the default value or the pattern of a parameter.
struct UseInParameter<'a> {
    name: &'a str,
    span: Span,
    reference_id: Option<ReferenceId>,
    /// The scope of the parameter's function.
    scope: Option<ScopeId>,
}

impl UseInParameter<'_> {
    /// Returns the variable to which the name refers, if the variable is declared later than this use and oxc would resolve the
    /// name to a different variable.
    fn later_variable(&self, scoping: &Scoping, file: &SourceFile<'_>) -> Option<SymbolId> {
        let resolved = scoping.get_reference(self.reference_id?).symbol_id()?;
        let scope = self.scope?;
        let mut outer_scopes = scoping.scope_ancestors(scope).skip(1);
        outer_scopes.find(|scope| *scope == scoping.symbol_scope_id(resolved))?;
        let symbol = scoping.scope_ancestors(scope).skip(1).find_map(|scope| {
            let symbol = scoping.get_binding(scope, self.name.into())?;
            scoping.symbol_flags(symbol).can_be_referenced_by_value().then_some(symbol)
        })?;
        let flags = scoping.scope_flags(scoping.symbol_scope_id(symbol));
        // The bundler already makes the top-level names of ES modules unique. Members of namespaces and enums are properties, so
        // renaming them would change the program.
        let has_fixed_name = (flags.is_top() && file.is_esm)
            || flags.is_ts_module_block()
            || scoping.symbol_flags(symbol).intersects(SymbolFlags::EnumMember | SymbolFlags::Import);
        // In sloppy mode, a function in a block can be two variables: one in the block and one in the enclosing function.
        let may_be_two_variables = !file.is_esm && scoping.symbol_flags(symbol).is_function();
        let is_declared_later = scoping.symbol_span(symbol).start > self.span.start;
        (is_declared_later && !has_fixed_name && !may_be_two_variables && !self.name.contains(RENAMED_SUFFIX))
            .then_some(symbol)
    }
}

/// A visitor that collects the names that parameters use.
#[derive(Default)]
struct UsesInParameters<'a> {
    /// The scopes of the functions whose parameters are being visited, the innermost last.
    scopes: Vec<Option<ScopeId>>,
    references: Vec<UseInParameter<'a>>,
}

impl<'a> UsesInParameters<'a> {
    fn visit_parameters_of(&mut self, scope: Option<ScopeId>, parameters: &FormalParameters<'a>) {
        self.scopes.push(scope);
        walk::walk_formal_parameters(self, parameters);
        self.scopes.pop();
    }
}

impl<'a> Visit<'a> for UsesInParameters<'a> {
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
            self.references.push(UseInParameter {
                name: reference.name.as_str(),
                span: reference.span,
                reference_id: reference.reference_id.get(),
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

    fn declares_any_later(&self, references: &[UseInParameter<'_>]) -> bool {
        references.iter().any(|parameter_use| {
            self.0.get(parameter_use.name).is_some_and(|position| *position > parameter_use.span.start)
        })
    }
}

impl<'a> Visit<'a> for LastDeclarations<'a> {
    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.0.insert(name.name.as_str(), name.span.start);
    }
}

/// A visitor that renames the declarations of a variable.
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
