//! Rejects a use of a `let`, `const` or class that a different `case` of the `switch` declares.
//!
//! At run time, the use throws an error if the `case` with the declaration was skipped. The minifier removes this error: it
//! inlines a constant value, or removes the declaration together with an unreachable `case`.

use oxc::ast::ast::{
    BindingIdentifier, Expression, IdentifierReference, Program, Statement, SwitchCase, SwitchStatement,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{Scoping, SemanticBuilder, SymbolId};

use super::{Edits, SourceFile};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    file.source.contains("switch")
}

pub(super) fn rewrite(program: &Program<'_>, _: &SourceFile<'_>, edits: &mut Edits) {
    let mut detector = LexicalNameDetector(false);
    detector.visit_program(program);
    if detector.0 {
        let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
        SwitchChecker { scoping: &scoping, edits }.visit_program(program);
    }
}

/// Returns the block-scoped names that a statement declares.
fn lexical_names<'b, 'a>(statement: &'b Statement<'a>) -> Vec<&'b BindingIdentifier<'a>> {
    match statement {
        Statement::VariableDeclaration(declaration) if declaration.kind.is_lexical() => declaration
            .declarations
            .iter()
            .flat_map(|declarator| declarator.id.get_binding_identifiers())
            .collect(),
        Statement::ClassDeclaration(class) => class.id.iter().collect(),
        _ => Vec::new(),
    }
}

/// A visitor that detects a `case` that declares a block-scoped name.
struct LexicalNameDetector(bool);

impl<'a> Visit<'a> for LexicalNameDetector {
    fn visit_switch_case(&mut self, case: &SwitchCase<'a>) {
        self.0 |= case.consequent.iter().any(|statement| !lexical_names(statement).is_empty());
        walk::walk_switch_case(self, case);
    }
}

struct SwitchChecker<'r> {
    scoping: &'r Scoping,
    edits: &'r mut Edits,
}

impl<'a> Visit<'a> for SwitchChecker<'_> {
    fn visit_switch_statement(&mut self, statement: &SwitchStatement<'a>) {
        for (index, case) in statement.cases.iter().enumerate() {
            let names = case.consequent.iter().flat_map(lexical_names);
            let symbols = names.filter_map(|name| name.symbol_id.get());
            let is_constant = is_constant(&statement.discriminant);
            let symbols: Vec<_> =
                symbols.filter(|symbol| is_constant || !self.scoping.symbol_is_mutated(*symbol)).collect();
            if symbols.is_empty() {
                continue;
            }
            let mut checker =
                OtherCaseChecker { scoping: self.scoping, symbols: &symbols, edits: &mut *self.edits };
            for (_, other_case) in statement.cases.iter().enumerate().filter(|(other, _)| *other != index) {
                checker.visit_switch_case(other_case);
            }
        }
        walk::walk_switch_statement(self, statement);
    }
}

/// Returns true if the minifier can evaluate the expression of a `switch`, and thus select the `case` that runs.
fn is_constant(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::UnaryExpression(unary) => is_constant(&unary.argument),
        Expression::BinaryExpression(binary) => is_constant(&binary.left) && is_constant(&binary.right),
        Expression::TemplateLiteral(template) => template.expressions.is_empty(),
        other => other.is_literal(),
    }
}

/// A visitor that rejects all uses of `symbols` in a `case` that does not declare them.
struct OtherCaseChecker<'r> {
    scoping: &'r Scoping,
    symbols: &'r [SymbolId],
    edits: &'r mut Edits,
}

impl<'a> Visit<'a> for OtherCaseChecker<'_> {
    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        let symbol = name.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        if symbol.is_some_and(|symbol| self.symbols.contains(&symbol)) {
            let message = format!(
                "`{}` is used here but declared in another `case` of this `switch`, which is not supported",
                name.name
            );
            self.edits.reject(name.span, message, "move the declaration before the `switch`");
        }
    }
}
