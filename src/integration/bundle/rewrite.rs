//! Rewrites source text that the bundler compiles incorrectly, and rejects text that no rule can rewrite.
//!
//! Each rule works around a bug in rolldown 1.2.5 or oxc 0.146. A rule finds a pattern in the parsed file and edits the text,
//! which is then parsed again. Files without the pattern stay unchanged.

mod blocks;
mod catches;
mod classes;
mod commonjs;
mod decorators;
mod default_exports;
mod imports;
mod jsx;
mod namespaces;
mod parameter_defaults;
mod property_keys;
mod references;
mod sloppy;
mod switches;

pub(super) use sloppy::to_strict;

use oxc::ast::ast::Program;
use oxc::span::SourceType;
use oxc::span::Span;
use rolldown_ecmascript::{EcmaAst, EcmaCompiler};

use super::corrections::Corrections;
use super::module_format::is_esm;
use super::tsconfig::{CompilerOptions, Jsx};

/// The maximum number of times that a rule edits one file. Two rules make only one change at a time: `classes` edits one class,
/// because classes can be nested, and `parameter_defaults` renames one variable.
const MAX_RULE_ROUNDS: usize = 1000;

/// A source file and the settings that a rewrite rule needs.
#[derive(Default)]
pub(super) struct SourceFile<'s> {
    source: &'s str,
    is_typescript: bool,
    /// True if the file has `import` or `export` statements.
    is_esm: bool,
    /// True if compiled classes assign their fields, as in `this.a = 1`, rather than define them.
    assigns_class_fields: bool,
    /// True if the rules, rather than oxc, compile all class fields of the file.
    rules_compile_class_fields: bool,
    /// True if the compiler keeps imports that the file does not use.
    keeps_unused_imports: bool,
    /// True if the compiled code imports the functions for JSX from a package.
    has_automatic_jsx: bool,
}

/// A file after all rules have been applied.
pub(super) struct RewrittenFile {
    pub(super) ast: EcmaAst,
    /// True if the rules compiled all class fields of the file.
    pub(super) has_compiled_fields: bool,
}

impl<'s> SourceFile<'s> {
    /// Returns the source text at a span.
    fn text_at(&self, span: Span) -> &'s str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// Returns a name that is not used in the file: `name` with a suffix.
    fn unused_name(&self, name: &str) -> String {
        let mut unused = format!("{name}$");
        while self.source.contains(&unused) {
            unused.push('$');
        }
        unused
    }
}

/// Code that neither the bundler nor the rules can compile correctly.
#[derive(Debug)]
pub(super) struct UnsupportedCode {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Edits to the text of a file, in any order, and the code that a rule rejects.
#[derive(Debug, Default)]
pub(super) struct Edits {
    edits: Vec<(Span, String)>,
    unsupported: Vec<UnsupportedCode>,
}

impl Edits {
    fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    fn insert(&mut self, at: u32, text: impl Into<String>) {
        self.replace(Span::empty(at), text);
    }

    fn reject(&mut self, span: Span, message: impl Into<String>, hint: &str) {
        self.unsupported.push(UnsupportedCode { span, message: message.into(), hint: hint.to_owned() });
    }

    /// Applies the edits to a text. If two edits overlap, applies only the edit that starts first.
    fn apply(mut self, source: &str) -> String {
        self.edits.sort_by_key(|(span, _)| (span.start, span.end));
        let mut edited = String::with_capacity(source.len() + 64);
        let mut copied_up_to = 0;
        for (span, replacement) in self.edits {
            let (start, end) = (span.start as usize, span.end as usize);
            if start >= copied_up_to {
                let count_lines = |text: &str| text.matches('\n').count();
                let removed_lines =
                    count_lines(&source[start..end]).saturating_sub(count_lines(&replacement));
                edited.push_str(&source[copied_up_to..start]);
                edited.push_str(&replacement);
                // Add the removed line breaks again, so that line numbers in messages stay correct.
                edited.extend(std::iter::repeat_n('\n', removed_lines));
                copied_up_to = end;
            }
        }
        edited + &source[copied_up_to..]
    }
}

/// A quick check that returns false if a file cannot contain a rule's pattern.
type MayApply = fn(&SourceFile<'_>) -> bool;

/// A function that finds a rule's pattern in a file and records the edits.
type RewriteRule = fn(&Program<'_>, &SourceFile<'_>, &mut Edits);

/// All rules. Each has a quick check and a maximum number of times that it is applied.
const RULES: [(MayApply, RewriteRule, usize); 12] = [
    (commonjs::may_apply, commonjs::rewrite, 1),
    (default_exports::may_apply, default_exports::rewrite, 1),
    (|_| true, parameter_defaults::rewrite, MAX_RULE_ROUNDS),
    (blocks::may_apply, blocks::rewrite, 1),
    (catches::may_apply, catches::rewrite, 1),
    (property_keys::may_apply, property_keys::rewrite, 1),
    (jsx::may_apply, jsx::rewrite, 1),
    (switches::may_apply, switches::rewrite, 1),
    (namespaces::may_apply, namespaces::rewrite, 1),
    (|file| file.is_typescript, imports::rewrite, 1),
    (decorators::may_apply, decorators::rewrite, 1),
    (classes::may_apply, classes::rewrite, MAX_RULE_ROUNDS),
];

/// Applies all rules to a parsed file.
///
/// # Errors
/// The outer error means that an edit caused a syntax error, which is a bug in a rule. The inner error means that a rule rejects
/// the file, and contains the file's text and the unsupported code.
pub(super) fn apply_rules(
    ast: EcmaAst,
    id: &str,
    settings: &CompilerOptions,
    corrections: &Corrections,
) -> anyhow::Result<Result<RewrittenFile, (String, Vec<UnsupportedCode>)>> {
    let source_type = ast.source_type;
    let assigns_class_fields = source_type.is_typescript() && !settings.defines_class_fields();
    let rules_compile_class_fields = assigns_class_fields
        && ast.source().contains("class")
        && classes::has_function_bound_keys(ast.program());
    let mut ast = apply_corrections(ast, id, corrections)?;
    for (may_apply, rule, max_rounds) in RULES {
        for _ in 0..max_rounds {
            let source = ast.source().clone();
            let file = SourceFile {
                source: &source,
                is_typescript: source_type.is_typescript(),
                is_esm: is_esm(ast.program()),
                assigns_class_fields,
                rules_compile_class_fields,
                keeps_unused_imports: settings.keeps_unused_imports(),
                has_automatic_jsx: source_type.is_jsx() && matches!(settings.jsx(), Jsx::Automatic { .. }),
            };
            if !may_apply(&file) {
                break;
            }
            let mut edits = Edits::default();
            rule(ast.program(), &file, &mut edits);
            if !edits.unsupported.is_empty() {
                return Ok(Err((source.to_string(), edits.unsupported)));
            }
            if edits.edits.is_empty() {
                break;
            }
            ast = parse(id, edits.apply(&source), source_type)?;
        }
    }
    Ok(Ok(RewrittenFile { ast, has_compiled_fields: rules_compile_class_fields }))
}

/// Applies the corrections that earlier bundler runs requested for a module.
fn apply_corrections(ast: EcmaAst, id: &str, corrections: &Corrections) -> anyhow::Result<EcmaAst> {
    let mut edits = Edits::default();
    let type_names: Vec<_> = corrections
        .type_names
        .iter()
        .filter(|(module, _)| module == id)
        .map(|(_, name)| name.as_str())
        .collect();
    if !type_names.is_empty() {
        imports::insert_type_keywords(ast.program(), &type_names, &mut edits);
    }
    if corrections.commonjs_modules.contains(id) {
        edits.insert(ast.program().span.end, commonjs::COMMONJS_MARKER);
    } else {
        let file = SourceFile { source: ast.source(), ..SourceFile::default() };
        let undefined = file.unused_name("value");
        let names = corrections.undefined_names.iter().filter(|(module, _)| module == id);
        let exports: Vec<_> =
            names.map(|(_, name)| format!("\nexport {{ {undefined} as {name:?} }};")).collect();
        if !exports.is_empty() {
            edits.insert(ast.program().span.end, format!("\nvar {undefined};{}", exports.concat()));
        }
    }
    let star_exports = corrections.star_exports.iter().filter(|(module, _)| module == id);
    for (_, specifier) in star_exports {
        imports::add_side_effect_import_for_star_export(ast.program(), specifier, &mut edits);
    }
    if edits.edits.is_empty() { Ok(ast) } else { parse(id, edits.apply(ast.source()), ast.source_type) }
}

fn parse(id: &str, source: String, source_type: SourceType) -> anyhow::Result<EcmaAst> {
    EcmaCompiler::parse(id, source, source_type).map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

#[cfg(test)]
mod tests;
