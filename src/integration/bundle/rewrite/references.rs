//! Replaces references to variables.

use oxc::ast::ast::{
    AssignmentTargetPropertyIdentifier, Expression, IdentifierReference, ObjectProperty, Program,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SymbolId};

use super::Edits;

/// Replaces all references to a symbol with `name`.
pub(super) fn rename_references(
    program: &Program<'_>,
    scoping: &Scoping,
    symbol: SymbolId,
    name: &str,
    edits: &mut Edits,
) {
    replace_references(program, edits, &|reference| {
        let id = reference.reference_id.get()?;
        (scoping.get_reference(id).symbol_id() == Some(symbol)).then(|| name.to_owned())
    });
}

/// Replaces each reference for which `replacement` returns an expression.
pub(super) fn replace_references(
    program: &Program<'_>,
    edits: &mut Edits,
    replacement: &dyn Fn(&IdentifierReference<'_>) -> Option<String>,
) {
    ReferenceReplacer { replacement, edits }.visit_program(program);
}

struct ReferenceReplacer<'r> {
    replacement: &'r dyn Fn(&IdentifierReference<'_>) -> Option<String>,
    edits: &'r mut Edits,
}

impl ReferenceReplacer<'_> {
    fn replace_shorthand(&mut self, reference: &IdentifierReference<'_>) {
        if let Some(text) = (self.replacement)(reference) {
            self.edits.replace(reference.span, format!("{}: {text}", reference.name));
        }
    }
}

impl<'a> Visit<'a> for ReferenceReplacer<'_> {
    fn visit_identifier_reference(&mut self, reference: &IdentifierReference<'a>) {
        if let Some(text) = (self.replacement)(reference) {
            self.edits.replace(reference.span, text);
        }
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        match &property.value {
            Expression::Identifier(reference) if property.shorthand => self.replace_shorthand(reference),
            _ => walk::walk_object_property(self, property),
        }
    }

    fn visit_assignment_target_property_identifier(
        &mut self,
        target: &AssignmentTargetPropertyIdentifier<'a>,
    ) {
        self.replace_shorthand(&target.binding);
        if let Some(default) = &target.init {
            self.visit_expression(default);
        }
    }
}
