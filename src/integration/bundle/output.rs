//! Checks a finished script as the Workers runtime would: it is an ES module in the syntax that the runtime knows.

use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::ast::ast::{AccessorProperty, Decorator, ImportDeclaration, ImportExpression, VariableDeclaration};
use oxc::ast_visit::{Visit, walk};
use oxc::diagnostics::{OxcDiagnostic, Severity};
use oxc::parser::{ParseOptions, Parser};
use oxc::semantic::SemanticBuilder;
use oxc::span::{SourceType, Span};
use rolldown_common::OutputChunk;

use crate::diagnostic::lower_case;

/// The place where the syntax of a script is not the runtime's, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    /// The byte in the script.
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Checks a script, and returns the places of its legal comments.
///
/// # Errors
/// The first fault.
pub(super) fn check(script: &str) -> Result<Vec<Span>, Invalid> {
    let allocator = Allocator::default();
    // The runtime reads regular expressions with everything else.
    let options = ParseOptions { parse_regular_expression: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, script, SourceType::mjs()).with_options(options).parse();
    first_error(parsed.diagnostics)?;
    let semantic = SemanticBuilder::new().with_check_syntax_error(true).build(&parsed.program);
    first_error(semantic.diagnostics)?;
    let mut newer = Newer(None);
    newer.visit_program(&parsed.program);
    if let Some((span, what)) = newer.0 {
        let message = format!("{what} are not supported by the Workers runtime");
        return Err(Invalid { offset: span.start as usize, message });
    }
    let comments = parsed.program.comments.iter();
    Ok(comments.filter(|comment| comment.is_legal()).map(|comment| comment.span).collect())
}

/// Checks a script that was built before: an ES module, or a script of the older kind.
///
/// # Errors
/// The first fault as a module.
pub(super) fn check_built(script: &str) -> Result<(), Invalid> {
    check(script).map(drop).or_else(|invalid| {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, script, SourceType::script()).parse();
        if parsed.panicked || !parsed.diagnostics.is_empty() { Err(invalid) } else { Ok(()) }
    })
}

fn first_error(diagnostics: impl IntoIterator<Item = OxcDiagnostic>) -> Result<(), Invalid> {
    let error = diagnostics.into_iter().find(|diagnostic| diagnostic.severity == Severity::Error);
    error.map_or(Ok(()), |error| {
        let offset = error.labels.first().map_or(0, |label| label.offset() as usize);
        Err(Invalid { offset, message: lower_case(&error.message) })
    })
}

/// Syntax that the parser knows and the runtime does not.
struct Newer(Option<(Span, &'static str)>);

impl Newer {
    fn found(&mut self, span: Span, what: &'static str) {
        self.0.get_or_insert((span, what));
    }
}

impl<'a> Visit<'a> for Newer {
    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        self.found(decorator.span, "decorators");
    }

    fn visit_accessor_property(&mut self, property: &AccessorProperty<'a>) {
        self.found(property.span, "`accessor` properties");
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        if import.phase.is_some() {
            self.found(import.span, "imports with a phase");
        }
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        if import.phase.is_some() {
            self.found(import.span, "imports with a phase");
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_variable_declaration(&mut self, declaration: &VariableDeclaration<'a>) {
        if declaration.kind.is_using() || declaration.kind.is_await() {
            self.found(declaration.span, "`using` declarations");
        }
        walk::walk_variable_declaration(self, declaration);
    }
}

/// Returns the source of a byte in a chunk that has a source map: the file, the line and the column, all counted from 0.
pub(super) fn source(chunk: &OutputChunk, script: &Path, offset: usize) -> Option<(PathBuf, usize, usize)> {
    let map = chunk.map.as_ref()?;
    let before = chunk.code.get(..offset)?;
    let line = u32::try_from(before.matches('\n').count()).ok()?;
    let column = u32::try_from(before.rsplit('\n').next()?.encode_utf16().count()).ok()?;
    let token = map.lookup_source_view_token_approx(&map.generate_lookup_table(), line, column)?;
    // Sources are relative to the folder that the bundler would write to.
    let folder = script.parent()?.join("dist");
    Some((folder.join(token.get_source()?), token.get_src_line() as usize, token.get_src_col() as usize))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[track_caller]
    fn refused(script: &str, offset: usize, message: &str) {
        let invalid = check(script).unwrap_err();
        assert!(invalid.offset == offset && invalid.message.contains(message), "{script}: {invalid:?}");
    }

    #[test]
    fn modules_of_the_runtime_pass() {
        for script in [
            "import a from 'node:path'; export default { async fetch() { return new Response(await a) } };",
            "class A { static #a = 1; static { A.#a ||= 2 } get #b() { return #a in this } } export { A };",
            "export default [/(?<y>\\d)/dv, 1_000n, a?.b ?? c, await d];",
            "export default import('node:path', { with: {} });",
        ] {
            assert_eq!(check(script), Ok(Vec::new()), "{script}");
        }
    }

    #[test]
    fn everything_else_is_an_error() {
        refused("@a class B {}", 0, "decorators");
        refused("class B { accessor c = 1 }", 10, "`accessor`");
        refused("using a = b;", 0, "`using`");
        refused("import defer * as a from 'b';", 0, "phase");
        refused("var e=class{static-1=3}", 18, "expected `;`");
        refused("let k; delete k;", 14, "delete");
        refused("export default /(/;", 16, "regular expression");
        refused("return 1", 0, "return");
    }
}
