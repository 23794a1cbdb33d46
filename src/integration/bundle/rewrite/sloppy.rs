//! Converts sloppy code to strict code, because the bundler treats every file as strict.

use std::collections::HashSet;

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    BindingIdentifier, BindingProperty, BlockStatement, ForInStatement, ForStatementInit, ForStatementLeft,
    FunctionBody, IfStatement, LabeledStatement, NumericLiteral, Program, Statement, StringLiteral,
    VariableDeclaration,
};
use oxc::ast_visit::{Visit, walk};
use oxc::parser::{ParseOptions, Parser};
use oxc::span::{GetSpan as _, SourceType, Span};

use super::{Edits, SourceFile, names};

/// Reserved names of strict code and modules.
const RESERVED: [&str; 10] = [
    "await",
    "implements",
    "interface",
    "let",
    "package",
    "private",
    "protected",
    "public",
    "static",
    "yield",
];

/// Returns equivalent strict code; `None` if the source is not valid sloppy code.
pub(in crate::integration::bundle) fn to_strict(source: &str) -> Option<String> {
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let mut parses = [SourceType::script(), SourceType::mjs()]
        .map(|source_type| Parser::new(&allocator, source, source_type).with_options(options).parse());
    let parsed = parses.iter_mut().find(|parsed| !parsed.panicked && parsed.diagnostics.is_empty())?;
    let file = SourceFile { source, is_typescript: false, is_esm: false, ..SourceFile::default() };
    let mut edits = Edits::default();
    SloppyCode { file: &file, edits: &mut edits, reserved: HashSet::new(), functions: Vec::new() }
        .rewrite(&parsed.program);
    Some(edits.apply(source))
}

/// Rewrites the sloppy code of a file.
struct SloppyCode<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
    reserved: HashSet<String>,
    /// The enclosing functions, the innermost last.
    functions: Vec<FunctionScope>,
}

/// A function, or the program.
struct FunctionScope {
    /// The names of the functions among its statements.
    names: HashSet<String>,
    /// The end of its statements.
    end: u32,
}

impl SloppyCode<'_> {
    fn rewrite(mut self, program: &Program<'_>) {
        self.visit_program(program);
        let name = |name: &str| self.reserved.contains(name).then(|| self.file.unused_name(name));
        names::replace(program, self.edits, &|reference| name(reference.name.as_str()));
    }

    /// Puts a function that is the whole branch of an `if` into a block.
    fn wrap_branch(&mut self, branch: &Statement<'_>) {
        if let Statement::FunctionDeclaration(function) = branch {
            self.edits.insert(function.span.start, "{");
            self.edits.insert(function.span.end, "}");
        }
    }

    /// Visits the statements of a function.
    fn visit_statements_of(&mut self, statements: &[Statement<'_>], end: u32, visit: impl FnOnce(&mut Self)) {
        let names = statements.iter().filter_map(|statement| match statement {
            Statement::FunctionDeclaration(function) => Some(function.id.as_ref()?.name.to_string()),
            _ => None,
        });
        self.functions.push(FunctionScope { names: names.collect(), end });
        visit(self);
        self.functions.pop();
    }

    /// Reduces a `var` with the name of a function to its assignments.
    fn reduce_to_assignments(&mut self, declaration: &VariableDeclaration<'_>, is_loop_head: bool) {
        let Some(function) = self.functions.last().filter(|_| declaration.kind.is_var()) else { return };
        let names = declaration.declarations.iter().flat_map(|one| one.id.get_binding_identifiers());
        let (own, others): (Vec<_>, Vec<_>) =
            names.map(|name| name.name.as_str()).partition(|name| function.names.contains(*name));
        let Some(first) = declaration.declarations.first().filter(|_| !own.is_empty()) else { return };
        self.edits.replace(Span::new(declaration.span.start, first.span.start), "");
        if !is_loop_head {
            for pattern in declaration.declarations.iter().filter(|one| one.id.is_destructuring_pattern()) {
                // The previous statement can lack a semicolon.
                let start = if pattern.span == first.span { "void 0,(" } else { "(" };
                self.edits.insert(pattern.span.start, start);
                self.edits.insert(pattern.span.end, ")");
            }
        }
        if !others.is_empty() {
            self.edits.insert(function.end, format!("\nvar {};", others.join(", ")));
        }
    }

    /// Removes all functions of the same name in a block except the last.
    fn remove_duplicates(&mut self, statements: &[Statement<'_>]) {
        let functions = statements.iter().filter_map(|statement| match statement {
            Statement::FunctionDeclaration(function) => {
                Some((function.id.as_ref()?.name.as_str(), function.span))
            }
            _ => None,
        });
        let functions: Vec<_> = functions.collect();
        for (index, (name, span)) in functions.iter().enumerate() {
            if functions[index + 1..].iter().any(|(later, _)| later == name) {
                self.edits.replace(*span, "");
            }
        }
    }
}

impl<'a> Visit<'a> for SloppyCode<'_> {
    fn visit_program(&mut self, program: &Program<'a>) {
        self.remove_duplicates(&program.body);
        self.visit_statements_of(&program.body, program.span.end, |found| walk::walk_program(found, program));
    }

    fn visit_function_body(&mut self, body: &FunctionBody<'a>) {
        self.visit_statements_of(&body.statements, body.span.end - 1, |found| {
            walk::walk_function_body(found, body);
        });
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        if let Statement::VariableDeclaration(declaration) = statement {
            self.reduce_to_assignments(declaration, false);
        }
        walk::walk_statement(self, statement);
    }

    fn visit_block_statement(&mut self, block: &BlockStatement<'a>) {
        self.remove_duplicates(&block.body);
        walk::walk_block_statement(self, block);
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        if RESERVED.contains(&name.name.as_str()) {
            self.reserved.insert(name.name.to_string());
            self.edits.replace(name.span, self.file.unused_name(name.name.as_str()));
        }
    }

    fn visit_binding_property(&mut self, property: &BindingProperty<'a>) {
        if property.shorthand
            && let Some(name) = property.value.get_binding_identifiers().first()
            && RESERVED.contains(&name.name.as_str())
        {
            self.edits.insert(name.span.start, format!("{}: ", name.name));
        }
        walk::walk_binding_property(self, property);
    }

    fn visit_if_statement(&mut self, statement: &IfStatement<'a>) {
        self.wrap_branch(&statement.consequent);
        statement.alternate.iter().for_each(|branch| self.wrap_branch(branch));
        walk::walk_if_statement(self, statement);
    }

    fn visit_labeled_statement(&mut self, statement: &LabeledStatement<'a>) {
        // No statement can jump to the label of a function.
        if let Statement::FunctionDeclaration(function) = &statement.body {
            self.edits.replace(Span::new(statement.span.start, function.span.start), "");
        }
        walk::walk_labeled_statement(self, statement);
    }

    fn visit_for_statement_init(&mut self, init: &ForStatementInit<'a>) {
        if let ForStatementInit::VariableDeclaration(declaration) = init {
            self.reduce_to_assignments(declaration, false);
        }
        walk::walk_for_statement_init(self, init);
    }

    fn visit_for_statement_left(&mut self, left: &ForStatementLeft<'a>) {
        if let ForStatementLeft::VariableDeclaration(declaration) = left {
            self.reduce_to_assignments(declaration, true);
        }
        walk::walk_for_statement_left(self, left);
    }

    fn visit_for_in_statement(&mut self, statement: &ForInStatement<'a>) {
        if let ForStatementLeft::VariableDeclaration(declaration) = &statement.left
            && let [one] = declaration.declarations.as_slice()
            && let Some(value) = &one.init
        {
            self.edits.insert(statement.span.start, format!("{};", self.file.text(declaration.span)));
            self.edits.replace(Span::new(one.id.span().end, value.span().end), "");
        }
        walk::walk_for_in_statement(self, statement);
    }

    fn visit_numeric_literal(&mut self, number: &NumericLiteral<'a>) {
        let raw = self.file.text(number.span);
        let digits = raw.as_bytes();
        if digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit) {
            self.edits.replace(number.span, number.value.to_string());
        }
    }

    fn visit_string_literal(&mut self, string: &StringLiteral<'a>) {
        let raw = self.file.text(string.span);
        let has_octal = raw.as_bytes().windows(2).any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit());
        if has_octal && let Ok(text) = serde_json::to_string(string.value.as_str()) {
            self.edits.replace(string.span, text);
        }
    }
}
