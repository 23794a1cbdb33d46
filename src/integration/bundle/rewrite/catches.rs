//! `var` of the name that a `catch` binds.
//!
//! The variable belongs to the function, but the value goes to the binding of the `catch`. oxc confuses the two where such
//! clauses are nested.

use oxc::ast::ast::{
    ArrowFunctionExpression, CatchClause, ForStatementInit, ForStatementLeft, Function, Program, Statement,
    StaticBlock, VariableDeclaration,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;
use oxc::span::{GetSpan as _, Span};

use super::{Edits, File};

pub(super) fn concerns(file: &File<'_>) -> bool {
    file.source.contains("catch") && file.source.contains("var ")
}

/// Declares the variable at the end of the function, and leaves an assignment where it was.
pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    Found { file, edits, ends: vec![program.span.end], bound: Vec::new() }.visit_program(program);
}

struct Found<'f> {
    file: &'f File<'f>,
    edits: &'f mut Edits,
    /// The ends of the functions around the node.
    ends: Vec<u32>,
    /// The names that the `catch` clauses around the node bind, up to the function.
    bound: Vec<String>,
}

impl Found<'_> {
    fn in_function(&mut self, end: u32, visit: impl FnOnce(&mut Self)) {
        let bound = std::mem::take(&mut self.bound);
        self.ends.push(end);
        visit(self);
        self.ends.pop();
        self.bound = bound;
    }

    /// Declares the names at the end of the function, if one of them is bound by a `catch`.
    fn hoist(&mut self, declaration: &VariableDeclaration<'_>) -> bool {
        let declared = declaration.declarations.iter().flat_map(|one| one.id.get_binding_identifiers());
        let names: Vec<_> = declared.map(|name| name.name.as_str()).collect();
        if !declaration.kind.is_var()
            || !names.iter().any(|name| self.bound.iter().any(|bound| bound == name))
        {
            return false;
        }
        let before_brace = u32::from(self.ends.len() > 1);
        let end = self.ends.last().copied().unwrap_or_default() - before_brace;
        self.edits.insert(end, format!("\n;var {};", names.join(", ")));
        true
    }

    /// Writes assignments in the place of a declaration, each followed by `end`.
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

    /// Leaves the pattern of a loop's head, as in `for (x in y)`.
    fn head(&mut self, declaration: &VariableDeclaration<'_>) {
        if let [one] = declaration.declarations.as_slice()
            && one.init.is_none()
            && self.hoist(declaration)
        {
            self.edits.replace(declaration.span, self.file.text(one.id.span()));
        }
    }
}

impl<'a> Visit<'a> for Found<'_> {
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
        let bound = self.bound.len();
        self.bound.extend(name.map(|name| name.to_string()));
        walk::walk_catch_clause(self, clause);
        self.bound.truncate(bound);
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
                    self.head(declaration);
                }
            }
            _ => {}
        }
        walk::walk_statement(self, statement);
    }
}
