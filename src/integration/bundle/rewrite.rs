//! Rewrites source text that the bundler compiles incorrectly, and rejects text that it cannot rewrite.
//!
//! Each rule handles one bug of rolldown 1.2.5 or oxc 0.146. It finds a pattern in the parsed file and edits the text,
//! which is then parsed again. Files without the pattern stay unchanged.

mod blocks;
mod catches;
mod classes;
mod commonjs;
mod decorators;
mod defaults;
mod imports;
mod jsx;
mod keys;
mod names;
mod namespaces;
mod parameters;
mod sloppy;
mod switches;

pub(super) use sloppy::to_strict;

use std::path::{Path, PathBuf};

use oxc::allocator::Allocator;
use oxc::ast::ast::{ModuleDeclaration, Program};
use oxc::parser::Parser;
use oxc::span::SourceType;
use oxc::span::Span;
use rolldown_ecmascript::{EcmaAst, EcmaCompiler};

use super::corrections::Corrections;
use super::sources::file_of;
use super::tsconfig::{CompilerOptions, Jsx};
use crate::integration::files;

/// The maximum number of times that a rule edits one file. Classes are edited one at a time because they can be nested.
const MAX_ROUNDS: usize = 1000;

/// The input of a rewrite rule.
#[derive(Default)]
pub(super) struct SourceFile<'s> {
    /// The parsed text.
    source: &'s str,
    /// True for TypeScript syntax.
    is_typescript: bool,
    /// True if the file has `import`, `export` or other syntax of an ES module.
    is_esm: bool,
    /// True if class fields are assigned rather than defined.
    assigns_fields: bool,
    /// True if the rules compile all class fields of the file instead of oxc.
    compiles_classes: bool,
    /// True if unused imports stay.
    keeps_imports: bool,
    /// True if JSX is compiled to calls of functions of a package.
    has_automatic_jsx: bool,
}

/// A file after all rules.
pub(super) struct RewrittenFile {
    pub(super) ast: EcmaAst,
    /// True if the rules compiled all class fields of the file.
    pub(super) has_compiled_fields: bool,
}

impl<'s> SourceFile<'s> {
    /// Returns the text of a node.
    fn text(&self, span: Span) -> &'s str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// Returns `name` with a suffix that makes it unique in the file.
    fn unused_name(&self, name: &str) -> String {
        let mut unused = format!("{name}$");
        while self.source.contains(&unused) {
            unused.push('$');
        }
        unused
    }
}

/// A pattern that cannot be compiled correctly.
#[derive(Debug)]
pub(super) struct UnsupportedPattern {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Changes to a text, in any order.
#[derive(Debug, Default)]
pub(super) struct Edits {
    edits: Vec<(Span, String)>,
    unsupported: Vec<UnsupportedPattern>,
}

impl Edits {
    fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    fn insert(&mut self, at: u32, text: impl Into<String>) {
        self.replace(Span::empty(at), text);
    }

    fn reject(&mut self, span: Span, message: impl Into<String>, hint: &str) {
        self.unsupported.push(UnsupportedPattern { span, message: message.into(), hint: hint.to_owned() });
    }

    /// Applies the changes. The first of two overlapping changes wins.
    fn apply(mut self, source: &str) -> String {
        self.edits.sort_by_key(|(span, _)| (span.start, span.end));
        let mut text = String::with_capacity(source.len() + 64);
        let mut end = 0;
        for (span, replacement) in self.edits {
            let (start, until) = (span.start as usize, span.end as usize);
            if start >= end {
                let lines = |text: &str| text.matches('\n').count();
                let lost = lines(&source[start..until]).saturating_sub(lines(&replacement));
                text.push_str(&source[end..start]);
                text.push_str(&replacement);
                // Keeps the line numbers of messages correct.
                text.extend(std::iter::repeat_n('\n', lost));
                end = until;
            }
        }
        text + &source[end..]
    }
}

/// Returns false if a quick search proves that a file lacks the pattern of a rule.
type MayApply = fn(&SourceFile<'_>) -> bool;

/// Finds the pattern of a rule in a file and edits it.
type RewriteRule = fn(&Program<'_>, &SourceFile<'_>, &mut Edits);

/// All rules, each with the maximum number of times to apply it.
const RULES: [(MayApply, RewriteRule, usize); 12] = [
    (commonjs::may_apply, commonjs::rewrite, 1),
    (defaults::may_apply, defaults::rewrite, 1),
    (|_| true, parameters::rewrite, MAX_ROUNDS),
    (blocks::may_apply, blocks::rewrite, 1),
    (catches::may_apply, catches::rewrite, 1),
    (keys::may_apply, keys::rewrite, 1),
    (jsx::may_apply, jsx::rewrite, 1),
    (switches::may_apply, switches::rewrite, 1),
    (namespaces::may_apply, namespaces::rewrite, 1),
    (|file| file.is_typescript, imports::keep_evaluation, 1),
    (decorators::may_apply, decorators::rewrite, 1),
    (classes::may_apply, classes::rewrite, MAX_ROUNDS),
];

/// Applies all rules to a parsed file.
///
/// # Errors
/// The outer error is an edited text with a syntax error: a bug of a rule. The inner error is the text with its unsupported
/// patterns.
pub(super) fn rewrite(
    ast: EcmaAst,
    id: &str,
    settings: &CompilerOptions,
    corrections: &Corrections,
) -> anyhow::Result<Result<RewrittenFile, (String, Vec<UnsupportedPattern>)>> {
    let source_type = ast.source_type;
    let assigns_fields = source_type.is_typescript() && !settings.defines_class_fields();
    let compiles_classes =
        assigns_fields && ast.source().contains("class") && classes::has_bound_keys(ast.program());
    let mut ast = apply_corrections(ast, id, corrections)?;
    for (may_apply, rule, rounds) in RULES {
        for _ in 0..rounds {
            let source = ast.source().clone();
            let file = SourceFile {
                source: &source,
                is_typescript: source_type.is_typescript(),
                is_esm: is_esm(ast.program()),
                assigns_fields,
                compiles_classes,
                keeps_imports: settings.keeps_unused_imports(),
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
    Ok(Ok(RewrittenFile { ast, has_compiled_fields: compiles_classes }))
}

/// Applies the corrections of an earlier run.
fn apply_corrections(ast: EcmaAst, id: &str, corrections: &Corrections) -> anyhow::Result<EcmaAst> {
    let mut edits = Edits::default();
    let types: Vec<_> = corrections
        .type_names
        .iter()
        .filter(|(module, _)| module == id)
        .map(|(_, name)| name.as_str())
        .collect();
    if !types.is_empty() {
        imports::mark_types(ast.program(), &types, &mut edits);
    }
    if corrections.commonjs.contains(id) {
        edits.insert(ast.program().span.end, commonjs::COMMONJS_MARKER);
    } else {
        let file = SourceFile { source: ast.source(), ..SourceFile::default() };
        let value = file.unused_name("value");
        let names = corrections.undefined_names.iter().filter(|(module, _)| module == id);
        let exports: Vec<_> = names.map(|(_, name)| format!("\nexport {{ {value} as {name:?} }};")).collect();
        if !exports.is_empty() {
            edits.insert(ast.program().span.end, format!("\nvar {value};{}", exports.concat()));
        }
    }
    let evaluated = corrections.star_exports.iter().filter(|(module, _)| module == id);
    for (_, specifier) in evaluated {
        imports::keep_star_evaluation(ast.program(), specifier, &mut edits);
    }
    if edits.edits.is_empty() { Ok(ast) } else { parse(id, edits.apply(ast.source()), ast.source_type) }
}

fn parse(id: &str, source: String, source_type: SourceType) -> anyhow::Result<EcmaAst> {
    EcmaCompiler::parse(id, source, source_type).map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

/// Returns true for a file without imports and exports, unless Node treats it as an ES module because of its name.
pub(super) fn is_plain_script(source: &str, module: &str, root: &Path) -> bool {
    let path = file_of(module);
    let source_type = SourceType::from_path(&path).unwrap_or_default().with_module(true);
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, source_type).parse();
    !parsed.panicked && !is_esm(&parsed.program) && !is_esm_for_node(&path, root)
}

/// Returns true if Node treats a file as an ES module because of its extension or the nearest `package.json`. Ignores a
/// `package.json` outside the repository at `root`, unless it belongs to a package.
fn is_esm_for_node(path: &Path, root: &Path) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("mjs" | "mts") => true,
        Some("cjs" | "cts") => false,
        _ => {
            let mut packages = path.ancestors().skip(1).map(|folder| folder.join("package.json"));
            let read = |file: PathBuf| files::read_text(&file, |path| files::is_module(path, root)).ok();
            let text = packages.find_map(read).unwrap_or_default();
            let package = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
            package["type"] == "module"
        }
    }
}

/// Returns true if a file contains statements of an ES module.
fn is_esm(program: &Program<'_>) -> bool {
    program.body.iter().any(|statement| {
        statement.as_module_declaration().is_some_and(|declaration| {
            !matches!(
                declaration,
                ModuleDeclaration::TSExportAssignment(_) | ModuleDeclaration::TSNamespaceExportDeclaration(_)
            )
        })
    })
}

#[cfg(test)]
mod tests;
