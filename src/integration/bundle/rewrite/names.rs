//! Renames the references of a variable.

use oxc::ast::ast::{
    AssignmentTargetPropertyIdentifier, Expression, IdentifierReference, ObjectProperty, Program,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SymbolId};

use super::Edits;

/// Replaces all references of a symbol by `name`.
pub(super) fn rename(
    program: &Program<'_>,
    scoping: &Scoping,
    symbol: SymbolId,
    name: &str,
    edits: &mut Edits,
) {
    replace(program, edits, &|reference| {
        let id = reference.reference_id.get()?;
        (scoping.get_reference(id).symbol_id() == Some(symbol)).then(|| name.to_owned())
    });
}

/// Replaces each reference for which `with` returns an expression.
pub(super) fn replace(
    program: &Program<'_>,
    edits: &mut Edits,
    with: &dyn Fn(&IdentifierReference<'_>) -> Option<String>,
) {
    ReferenceRenamer { with, edits }.visit_program(program);
}

struct ReferenceRenamer<'r> {
    with: &'r dyn Fn(&IdentifierReference<'_>) -> Option<String>,
    edits: &'r mut Edits,
}

impl ReferenceRenamer<'_> {
    fn shorthand(&mut self, reference: &IdentifierReference<'_>) {
        if let Some(text) = (self.with)(reference) {
            self.edits.replace(reference.span, format!("{}: {text}", reference.name));
        }
    }
}

impl<'a> Visit<'a> for ReferenceRenamer<'_> {
    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        if let Some(text) = (self.with)(reference) {
            self.edits.replace(reference.span, text);
        }
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        match &property.value {
            Expression::Identifier(reference) if property.shorthand => self.shorthand(reference),
            _ => walk::walk_object_property(self, property),
        }
    }

    fn visit_assignment_target_property_identifier(
        &mut self,
        target: &AssignmentTargetPropertyIdentifier<'a>,
    ) {
        self.shorthand(&target.binding);
        if let Some(default) = &target.init {
            self.visit_expression(default);
        }
    }
}
