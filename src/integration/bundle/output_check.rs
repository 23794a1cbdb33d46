//! Checks a finished script for syntax that the Workers runtime does not support.

use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::ast::ast::{AccessorProperty, Decorator, ImportDeclaration, ImportExpression, VariableDeclaration};
use oxc::ast_visit::{Visit, walk};
use oxc::diagnostics::{OxcDiagnostic, Severity};
use oxc::parser::{ParseOptions, Parser};
use oxc::semantic::SemanticBuilder;
use oxc::span::{SourceType, Span};
use rolldown_common::OutputChunk;

use crate::diagnostic::normalize_message;

/// A syntax error, or syntax that the Workers runtime does not support.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidSyntax {
    /// The byte offset in the script.
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Checks the syntax of an ES module, and returns the spans of its license comments.
///
/// # Errors
/// Returns the first syntax error. If there is none, returns the first use of syntax that the Workers runtime does not support.
pub(super) fn check_and_find_licenses(script: &str) -> Result<Vec<Span>, InvalidSyntax> {
    check_source(script, SourceType::mjs())
}

fn check_source(script: &str, source_type: SourceType) -> Result<Vec<Span>, InvalidSyntax> {
    let allocator = Allocator::default();
    // The runtime rejects a script with an invalid regular expression.
    let options = ParseOptions { parse_regular_expression: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, script, source_type).with_options(options).parse();
    fail_on_error(parsed.diagnostics)?;
    let semantic = SemanticBuilder::new().with_check_syntax_error(true).build(&parsed.program);
    fail_on_error(semantic.diagnostics)?;
    let mut unsupported = UnsupportedSyntaxFinder(None);
    unsupported.visit_program(&parsed.program);
    if let Some((span, syntax)) = unsupported.0 {
        let message = format!("{syntax} are not supported by the Workers runtime");
        return Err(InvalidSyntax { offset: span.start as usize, message });
    }
    let comments = parsed.program.comments.iter();
    Ok(comments.filter(|comment| comment.is_legal()).map(|comment| comment.span).collect())
}

/// Checks the syntax of a built script, which may be an ES module or a classic script.
///
/// # Errors
/// If the script is neither a valid ES module nor a valid classic script, returns the error from checking it as an ES module.
pub(super) fn check_built_syntax(script: &str) -> Result<(), InvalidSyntax> {
    let as_module = check_and_find_licenses(script);
    as_module.or_else(|invalid| check_source(script, SourceType::script()).map_err(|_| invalid)).map(drop)
}

fn fail_on_error(diagnostics: impl IntoIterator<Item = OxcDiagnostic>) -> Result<(), InvalidSyntax> {
    let error = diagnostics.into_iter().find(|diagnostic| diagnostic.severity == Severity::Error);
    error.map_or(Ok(()), |error| {
        let offset = error.labels.first().map_or(0, |label| label.offset() as usize);
        Err(InvalidSyntax { offset, message: normalize_message(&error.message) })
    })
}

/// A visitor that finds syntax that the parser accepts, but the Workers runtime does not support.
struct UnsupportedSyntaxFinder(Option<(Span, &'static str)>);

impl UnsupportedSyntaxFinder {
    fn report(&mut self, span: Span, syntax: &'static str) {
        self.0.get_or_insert((span, syntax));
    }
}

impl<'a> Visit<'a> for UnsupportedSyntaxFinder {
    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        self.report(decorator.span, "decorators");
    }

    fn visit_accessor_property(&mut self, property: &AccessorProperty<'a>) {
        self.report(property.span, "`accessor` properties");
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        if import.phase.is_some() {
            self.report(import.span, "`import defer` and `import source`");
        }
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        if import.phase.is_some() {
            self.report(import.span, "`import defer` and `import source`");
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_variable_declaration(&mut self, declaration: &VariableDeclaration<'a>) {
        if declaration.kind.is_using() || declaration.kind.is_await() {
            self.report(declaration.span, "`using` declarations");
        }
        walk::walk_variable_declaration(self, declaration);
    }
}

/// Looks up a byte offset of a chunk in the chunk's source map, and returns the source file, line and column. Line and column
/// count from 0.
pub(super) fn source_position(
    chunk: &OutputChunk,
    script: &Path,
    offset: usize,
) -> Option<(PathBuf, usize, usize)> {
    let map = chunk.map.as_ref()?;
    let code_before = chunk.code.get(..offset)?;
    let line = u32::try_from(code_before.matches('\n').count()).ok()?;
    let column = u32::try_from(code_before.rsplit('\n').next()?.encode_utf16().count()).ok()?;
    let token = map.lookup_source_view_token_approx(&map.generate_lookup_table(), line, column)?;
    // Paths in the source map are relative to the bundler's output folder.
    let folder = script.parent()?.join("dist");
    Some((folder.join(token.get_source()?), token.get_src_line() as usize, token.get_src_col() as usize))
}

#[cfg(test)]
mod tests {
    use super::{check_and_find_licenses, check_built_syntax};

    #[track_caller]
    fn check_invalid(script: &str, offset: usize, message: &str) {
        let invalid = check_and_find_licenses(script).unwrap_err();
        assert!(invalid.offset == offset && invalid.message.contains(message), "{script}: {invalid:?}");
    }

    #[test]
    fn accepts_supported_syntax() {
        for script in [
            "import a from 'node:path'; export default { async fetch() { return new Response(await a) } };",
            "class A { static #a = 1; static { A.#a ||= 2 } get #b() { return #a in this } } export { A };",
            "export default [/(?<y>\\d)/dv, 1_000n, a?.b ?? c, await d];",
            "export default import('node:path', { with: {} });",
        ] {
            assert_eq!(check_and_find_licenses(script), Ok(Vec::new()), "{script}");
        }
    }

    #[test]
    fn checks_a_built_classic_script_like_a_module() {
        assert_eq!(check_built_syntax("let k; delete k; with (a) {}"), Ok(()));
        for script in ["let k; delete k; /(/", "let k; delete k; @a class B {}", "let k; delete k; let k;"] {
            assert!(check_built_syntax(script).is_err(), "{script}");
        }
    }

    #[test]
    fn rejects_unsupported_syntax() {
        check_invalid("@a class B {}", 0, "decorators");
        check_invalid("class B { accessor c = 1 }", 10, "`accessor`");
        check_invalid("using a = b;", 0, "`using`");
        check_invalid("import defer * as a from 'b';", 0, "`import defer`");
        check_invalid("var e=class{static-1=3}", 18, "expected `;`");
        check_invalid("let k; delete k;", 14, "delete");
        check_invalid("export default /(/;", 16, "regular expression");
        check_invalid("return 1", 0, "return");
    }
}
