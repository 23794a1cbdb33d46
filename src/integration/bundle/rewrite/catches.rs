//! Moves the declaration of a `var` out of a `catch` clause that binds the same name.
//!
//! In a `catch (e)` clause, `var e = 1` declares the variable `e` in the function, but assigns 1 to the `e` of the clause. In
//! nested clauses, oxc confuses the two.

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

/// Declares the variable at the end of the function, and replaces the original declaration with an assignment.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    CatchVariableHoister { file, edits, function_ends: vec![program.span.end], catch_names: Vec::new() }
        .visit_program(program);
}

struct CatchVariableHoister<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
    /// The end positions of the enclosing functions.
    function_ends: Vec<u32>,
    /// The names bound by the enclosing `catch` clauses of the current function.
    catch_names: Vec<String>,
}

impl CatchVariableHoister<'_> {
    fn visit_in_function(&mut self, end: u32, visit: impl FnOnce(&mut Self)) {
        let outer_catch_names = std::mem::take(&mut self.catch_names);
        self.function_ends.push(end);
        visit(self);
        self.function_ends.pop();
        self.catch_names = outer_catch_names;
    }

    /// If a `catch` clause binds one of the names in `declaration`, declares all of its variables at the end of the function and
    /// returns true.
    fn hoist_variables(&mut self, declaration: &VariableDeclaration<'_>) -> bool {
        let declared =
            declaration.declarations.iter().flat_map(|declarator| declarator.id.get_binding_identifiers());
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

    /// If the variables of a declaration must be hoisted, hoists them and replaces the declaration with its assignments and the
    /// text `end`.
    fn replace_with_assignments(&mut self, declaration: &VariableDeclaration<'_>, end: &str) {
        if !self.hoist_variables(declaration) {
            return;
        }
        let text = |span: Span| self.file.text_at(span);
        let assignments = declaration.declarations.iter().filter_map(|declarator| {
            let value = declarator.init.as_ref()?;
            let assignment = format!("{} = {}", text(declarator.id.span()), text(value.span()));
            Some(if declarator.id.is_binding_identifier() { assignment } else { format!("({assignment})") })
        });
        let assignments = assignments.collect::<Vec<_>>().join(", ");
        self.edits.replace(declaration.span, format!("{assignments}{end}"));
    }

    /// If the variable of a declaration in a loop head must be hoisted, hoists it and changes `for (var x in y)` to
    /// `for (x in y)`.
    fn replace_with_pattern(&mut self, declaration: &VariableDeclaration<'_>) {
        if let [declarator] = declaration.declarations.as_slice()
            && declarator.init.is_none()
            && self.hoist_variables(declaration)
        {
            self.edits.replace(declaration.span, self.file.text_at(declarator.id.span()));
        }
    }
}

impl<'a> Visit<'a> for CatchVariableHoister<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.visit_in_function(function.span.end, |visitor| walk::walk_function(visitor, function, flags));
    }

    fn visit_arrow_function_expression(&mut self, arrow: &ArrowFunctionExpression<'a>) {
        self.visit_in_function(arrow.span.end, |visitor| {
            walk::walk_arrow_function_expression(visitor, arrow);
        });
    }

    fn visit_static_block(&mut self, block: &StaticBlock<'a>) {
        self.visit_in_function(block.span.end, |visitor| walk::walk_static_block(visitor, block));
    }

    fn visit_catch_clause(&mut self, clause: &CatchClause<'a>) {
        let name = clause.param.as_ref().and_then(|parameter| parameter.pattern.get_identifier_name());
        let outer_count = self.catch_names.len();
        self.catch_names.extend(name.map(|name| name.to_string()));
        walk::walk_catch_clause(self, clause);
        self.catch_names.truncate(outer_count);
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        match statement {
            Statement::VariableDeclaration(declaration) => self.replace_with_assignments(declaration, ";"),
            Statement::ForStatement(statement) => {
                if let Some(ForStatementInit::VariableDeclaration(declaration)) = &statement.init {
                    self.replace_with_assignments(declaration, "");
                }
            }
            Statement::ForInStatement(statement) => {
                if let ForStatementLeft::VariableDeclaration(declaration) = &statement.left {
                    self.replace_with_pattern(declaration);
                }
            }
            _ => {}
        }
        walk::walk_statement(self, statement);
    }
}
