//! Converts sloppy-mode code to strict-mode code, because the bundler parses every file in strict mode.

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

use super::{Edits, SourceFile, references};

/// Names that are reserved in strict mode or in modules, but allowed in sloppy mode.
const RESERVED_NAMES: [&str; 10] = [
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

/// Converts sloppy-mode code to equivalent strict-mode code. Returns `None` if `source` is neither a valid script nor a valid ES
/// module.
pub(in crate::integration::bundle) fn to_strict(source: &str) -> Option<String> {
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let mut parses = [SourceType::script(), SourceType::mjs()]
        .map(|source_type| Parser::new(&allocator, source, source_type).with_options(options).parse());
    let parsed = parses.iter_mut().find(|parsed| !parsed.panicked && parsed.diagnostics.is_empty())?;
    let file = SourceFile { source, is_typescript: false, is_esm: false, ..SourceFile::default() };
    let mut edits = Edits::default();
    SloppyCodeRewriter {
        file: &file,
        edits: &mut edits,
        reserved_names: HashSet::new(),
        functions: Vec::new(),
    }
    .rewrite(&parsed.program);
    Some(edits.apply(source))
}

/// A visitor that rewrites code that is valid only in sloppy mode.
struct SloppyCodeRewriter<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
    /// The reserved names that the file declares.
    reserved_names: HashSet<String>,
    /// The program and the enclosing functions, the innermost last.
    functions: Vec<FunctionScope>,
}

/// A function or the whole program.
struct FunctionScope {
    /// The names of functions that are declared directly in the body, outside blocks.
    names: HashSet<String>,
    /// The end of the body. In a function, this is the position before the closing brace.
    end: u32,
}

impl SloppyCodeRewriter<'_> {
    fn rewrite(mut self, program: &Program<'_>) {
        self.visit_program(program);
        let new_name = |name: &str| self.reserved_names.contains(name).then(|| self.file.unused_name(name));
        references::replace_references(program, self.edits, &|reference| new_name(reference.name.as_str()));
    }

    /// Puts braces around an `if` branch that consists only of a function declaration.
    fn wrap_function_in_block(&mut self, branch: &Statement<'_>) {
        if let Statement::FunctionDeclaration(function) = branch {
            self.edits.insert(function.span.start, "{");
            self.edits.insert(function.span.end, "}");
        }
    }

    /// Enters the scope of a function with the body `statements`, calls `visit`, and leaves the scope.
    fn visit_in_scope(&mut self, statements: &[Statement<'_>], end: u32, visit: impl FnOnce(&mut Self)) {
        let names = statements.iter().filter_map(|statement| match statement {
            Statement::FunctionDeclaration(function) => Some(function.id.as_ref()?.name.to_string()),
            _ => None,
        });
        self.functions.push(FunctionScope { names: names.collect(), end });
        visit(self);
        self.functions.pop();
    }

    /// Removes the `var` keyword from a declaration that redeclares a function, so that only the assignments remain.
    /// Declares the other variables of the declaration at the end of the function.
    fn remove_redeclaring_var(&mut self, declaration: &VariableDeclaration<'_>, is_loop_head: bool) {
        let Some(function) = self.functions.last().filter(|_| declaration.kind.is_var()) else { return };
        let names =
            declaration.declarations.iter().flat_map(|declarator| declarator.id.get_binding_identifiers());
        let (redeclared, others): (Vec<_>, Vec<_>) =
            names.map(|name| name.name.as_str()).partition(|name| function.names.contains(*name));
        let Some(first) = declaration.declarations.first().filter(|_| !redeclared.is_empty()) else { return };
        self.edits.replace(Span::new(declaration.span.start, first.span.start), "");
        if !is_loop_head {
            for pattern in
                declaration.declarations.iter().filter(|declarator| declarator.id.is_destructuring_pattern())
            {
                // Without `void 0,`, the parenthesis would continue a previous statement that does not end with a semicolon.
                let start = if pattern.span == first.span { "void 0,(" } else { "(" };
                self.edits.insert(pattern.span.start, start);
                self.edits.insert(pattern.span.end, ")");
            }
        }
        if !others.is_empty() {
            self.edits.insert(function.end, format!("\nvar {};", others.join(", ")));
        }
    }

    /// Removes each function declaration in `statements` that a later declaration with the same name replaces.
    fn remove_replaced_functions(&mut self, statements: &[Statement<'_>]) {
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

impl<'a> Visit<'a> for SloppyCodeRewriter<'_> {
    fn visit_program(&mut self, program: &Program<'a>) {
        self.remove_replaced_functions(&program.body);
        self.visit_in_scope(&program.body, program.span.end, |visitor| walk::walk_program(visitor, program));
    }

    fn visit_function_body(&mut self, body: &FunctionBody<'a>) {
        self.visit_in_scope(&body.statements, body.span.end - 1, |visitor| {
            walk::walk_function_body(visitor, body);
        });
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        if let Statement::VariableDeclaration(declaration) = statement {
            self.remove_redeclaring_var(declaration, false);
        }
        walk::walk_statement(self, statement);
    }

    fn visit_block_statement(&mut self, block: &BlockStatement<'a>) {
        self.remove_replaced_functions(&block.body);
        walk::walk_block_statement(self, block);
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        if RESERVED_NAMES.contains(&name.name.as_str()) {
            self.reserved_names.insert(name.name.to_string());
            self.edits.replace(name.span, self.file.unused_name(name.name.as_str()));
        }
    }

    fn visit_binding_property(&mut self, property: &BindingProperty<'a>) {
        if property.shorthand
            && let Some(name) = property.value.get_binding_identifiers().first()
            && RESERVED_NAMES.contains(&name.name.as_str())
        {
            self.edits.insert(name.span.start, format!("{}: ", name.name));
        }
        walk::walk_binding_property(self, property);
    }

    fn visit_if_statement(&mut self, statement: &IfStatement<'a>) {
        self.wrap_function_in_block(&statement.consequent);
        statement.alternate.iter().for_each(|branch| self.wrap_function_in_block(branch));
        walk::walk_if_statement(self, statement);
    }

    fn visit_labeled_statement(&mut self, statement: &LabeledStatement<'a>) {
        // Remove the label of a function, which strict mode does not allow. No statement can jump to this label.
        if let Statement::FunctionDeclaration(function) = &statement.body {
            self.edits.replace(Span::new(statement.span.start, function.span.start), "");
        }
        walk::walk_labeled_statement(self, statement);
    }

    fn visit_for_statement_init(&mut self, init: &ForStatementInit<'a>) {
        if let ForStatementInit::VariableDeclaration(declaration) = init {
            self.remove_redeclaring_var(declaration, false);
        }
        walk::walk_for_statement_init(self, init);
    }

    fn visit_for_statement_left(&mut self, left: &ForStatementLeft<'a>) {
        if let ForStatementLeft::VariableDeclaration(declaration) = left {
            self.remove_redeclaring_var(declaration, true);
        }
        walk::walk_for_statement_left(self, left);
    }

    fn visit_for_in_statement(&mut self, statement: &ForInStatement<'a>) {
        if let ForStatementLeft::VariableDeclaration(declaration) = &statement.left
            && let [declarator] = declaration.declarations.as_slice()
            && let Some(value) = &declarator.init
        {
            self.edits.insert(statement.span.start, format!("{};", self.file.text_at(declaration.span)));
            self.edits.replace(Span::new(declarator.id.span().end, value.span().end), "");
        }
        walk::walk_for_in_statement(self, statement);
    }

    fn visit_numeric_literal(&mut self, number: &NumericLiteral<'a>) {
        let raw = self.file.text_at(number.span);
        let digits = raw.as_bytes();
        if digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit) {
            self.edits.replace(number.span, number.value.to_string());
        }
    }

    fn visit_string_literal(&mut self, string: &StringLiteral<'a>) {
        let raw = self.file.text_at(string.span);
        let has_octal = raw.as_bytes().windows(2).any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit());
        if has_octal && let Ok(text) = serde_json::to_string(string.value.as_str()) {
            self.edits.replace(string.span, text);
        }
    }
}
