//! Exports of a CommonJS module beside its `default`.
//!
//! rolldown reads `a.name` of the module's exports where `a` is its `default`, if it sees that the module exports `name`.

use oxc::ast::ast::{AssignmentExpression, Program, SimpleAssignmentTarget};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SemanticBuilder};
use oxc::span::{GetSpan as _, Span};

use super::{Edits, File};

pub(super) fn concerns(file: &File<'_>) -> bool {
    let has = |word: &str| file.source.contains(word);
    !file.is_esm && has("__esModule") && has("default") && has("exports")
}

/// Gives `exports` another name where its properties are assigned, all but `default` and the mark of an ES module.
pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    let Some(first) = program.body.first() else { return };
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let mut found = Found { scoping: &scoping, spans: Vec::new() };
    found.visit_program(program);
    if !found.spans.is_empty() {
        let exports = file.fresh("exports");
        edits.insert(first.span().start, format!("var {exports} = exports; "));
        found.spans.iter().for_each(|span| edits.replace(*span, exports.clone()));
    }
}

struct Found<'s> {
    scoping: &'s Scoping,
    /// The places of `exports`.
    spans: Vec<Span>,
}

impl<'a> Visit<'a> for Found<'_> {
    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let Some(target) = assignment
            .left
            .as_simple_assignment_target()
            .and_then(SimpleAssignmentTarget::as_member_expression)
            && let Some(name) = target.static_property_name()
            && !matches!(name, "default" | "__esModule")
            && let Some(exports) = target.object().get_identifier_reference()
            && exports.name == "exports"
            && exports
                .reference_id
                .get()
                .is_some_and(|id| self.scoping.get_reference(id).symbol_id().is_none())
        {
            self.spans.push(exports.span);
        }
        walk::walk_assignment_expression(self, assignment);
    }
}
