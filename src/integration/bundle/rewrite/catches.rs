//! Moves a `var` out of a `catch` that binds the same name.
//!
//! The variable belongs to the function, but the assigned value belongs to the binding of the `catch`. oxc confuses the two
//! in nested clauses.

use oxc::ast::ast::{
    ArrowFunctionExpression, CatchClause, ForStatementInit, ForStatementLeft, Function, Program, Statement,
    StaticBlock, VariableDeclaration,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;
use oxc::span::{GetSpan as _, Span};

use super::{Edits, SourceFile};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    file.source.contains("catch") && file.source.contains("var ")
}

/// Declares the variable at the end of the function, and replaces the declaration by an assignment.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    CatchVariables { file, edits, function_ends: vec![program.span.end], catch_names: Vec::new() }
        .visit_program(program);
}

struct CatchVariables<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
    /// The end positions of the enclosing functions.
    function_ends: Vec<u32>,
    /// The names bound by the enclosing `catch` clauses of the function.
    catch_names: Vec<String>,
}

impl CatchVariables<'_> {
    fn in_function(&mut self, end: u32, visit: impl FnOnce(&mut Self)) {
        let bound = std::mem::take(&mut self.catch_names);
        self.function_ends.push(end);
        visit(self);
        self.function_ends.pop();
        self.catch_names = bound;
    }

    /// Declares the names at the end of the function if a `catch` binds one of them.
    fn hoist(&mut self, declaration: &VariableDeclaration<'_>) -> bool {
        let declared = declaration.declarations.iter().flat_map(|one| one.id.get_binding_identifiers());
        let names: Vec<_> = declared.map(|name| name.name.as_str()).collect();
        if !declaration.kind.is_var()
            || !names.iter().any(|name| self.catch_names.iter().any(|bound| bound == name))
        {
            return false;
        }
        let before_brace = u32::from(self.function_ends.len() > 1);
        let end = self.function_ends.last().copied().unwrap_or_default() - before_brace;
        self.edits.insert(end, format!("\n;var {};", names.join(", ")));
        true
    }

    /// Replaces a declaration by assignments, followed by `end`.
    fn assign(&mut self, declaration: &VariableDeclaration<'_>, end: &str) {
        if !self.hoist(declaration) {
            return;
        }
        let text = |span: Span| self.file.text(span);
        let assignments = declaration.declarations.iter().filter_map(|one| {
            let value = one.init.as_ref()?;
            let assignment = format!("{} = {}", text(one.id.span()), text(value.span()));
            Some(if one.id.is_binding_identifier() { assignment } else { format!("({assignment})") })
        });
        let assignments = assignments.collect::<Vec<_>>().join(", ");
        self.edits.replace(declaration.span, format!("{assignments}{end}"));
    }

    /// Reduces the declaration in a loop head to its pattern, as in `for (x in y)`.
    fn loop_head(&mut self, declaration: &VariableDeclaration<'_>) {
        if let [one] = declaration.declarations.as_slice()
            && one.init.is_none()
            && self.hoist(declaration)
        {
            self.edits.replace(declaration.span, self.file.text(one.id.span()));
        }
    }
}

impl<'a> Visit<'a> for CatchVariables<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.in_function(function.span.end, |found| walk::walk_function(found, function, flags));
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        self.in_function(arrow.span.end, |found| walk::walk_arrow_function_expression(found, arrow));
    }

    fn visit_static_block(&mut self, block: &StaticBlock<'a>) {
        self.in_function(block.span.end, |found| walk::walk_static_block(found, block));
    }

    fn visit_catch_clause(&mut self, clause: &CatchClause<'a>) {
        let name = clause.param.as_ref().and_then(|parameter| parameter.pattern.get_identifier_name());
        let bound = self.catch_names.len();
        self.catch_names.extend(name.map(|name| name.to_string()));
        walk::walk_catch_clause(self, clause);
        self.catch_names.truncate(bound);
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        match statement {
            Statement::VariableDeclaration(declaration) => self.assign(declaration, ";"),
            Statement::ForStatement(statement) => {
                if let Some(ForStatementInit::VariableDeclaration(declaration)) = &statement.init {
                    self.assign(declaration, "");
                }
            }
            Statement::ForInStatement(statement) => {
                if let ForStatementLeft::VariableDeclaration(declaration) = &statement.left {
                    self.loop_head(declaration);
                }
            }
            _ => {}
        }
        walk::walk_statement(self, statement);
    }
}
