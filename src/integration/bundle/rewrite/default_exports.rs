//! Keeps the exports of a CommonJS module separate from the properties of its `default` export.
//!
//! If `a` is the `default` export of a module that also exports `name`, rolldown reads `a.name` from the module instead of
//! from `a`.

use oxc::ast::ast::{AssignmentExpression, Program, SimpleAssignmentTarget};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SemanticBuilder};
use oxc::span::{GetSpan as _, Span};

use super::{Edits, SourceFile};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    let has = |word: &str| file.source.contains(word);
    !file.is_esm && has("__esModule") && has("default") && has("exports")
}

/// Replaces `exports` with another variable in assignments such as `exports.name = value`, so that rolldown does not detect these
/// exports. Leaves assignments to `exports.default` and `exports.__esModule` unchanged.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    let Some(first) = program.body.first() else { return };
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let mut assignments = ExportsAssignments { scoping: &scoping, spans: Vec::new() };
    assignments.visit_program(program);
    if !assignments.spans.is_empty() {
        let exports = file.unused_name("exports");
        edits.insert(first.span().start, format!("var {exports} = exports; "));
        assignments.spans.iter().for_each(|span| edits.replace(*span, exports.clone()));
    }
}

/// A visitor that collects the spans of `exports` in assignments such as `exports.name = value`.
struct ExportsAssignments<'s> {
    scoping: &'s Scoping,
    spans: Vec<Span>,
}

impl<'a> Visit<'a> for ExportsAssignments<'_> {
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
