//! Rewrites source text that the bundler compiles wrongly, and refuses the text that it cannot rewrite.
//!
//! Each rule knows one fault of rolldown 1.2.5 or oxc 0.146, looks for the pattern in a parsed file and edits the text, which
//! is parsed again. Rules are kept narrow: a file without the pattern is left alone.

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

pub(super) use sloppy::sloppy;

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

/// The number of times that a rule may edit one file. Classes are edited one at a time, since one may be in another.
const MAX_ROUNDS: usize = 1000;

/// A file as rules see it.
#[derive(Default)]
pub(super) struct File<'s> {
    /// The text as parsed.
    source: &'s str,
    /// True if its syntax is TypeScript's.
    is_typescript: bool,
    /// True if it has `import`, `export` or another sign of an ES module.
    is_esm: bool,
    /// True if its class fields are assigned rather than defined.
    assigns_fields: bool,
    /// True if all its classes are compiled here rather than by oxc.
    compiles_classes: bool,
    /// True if imports stay that nothing uses.
    keeps_imports: bool,
    /// True if JSX becomes calls of functions of a package.
    has_automatic_jsx: bool,
}

/// A file after its rewriting.
pub(super) struct Rewritten {
    pub(super) ast: EcmaAst,
    /// True if no class field is left that is to be assigned.
    pub(super) has_no_fields: bool,
}

impl<'s> File<'s> {
    /// Returns the text of a node.
    fn text(&self, span: Span) -> &'s str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// Returns a name like `name` that does not occur in the file.
    fn fresh(&self, name: &str) -> String {
        let mut fresh = format!("{name}$");
        while self.source.contains(&fresh) {
            fresh.push('$');
        }
        fresh
    }
}

/// A pattern that has no correct output.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Changes to a text, in any order, of which none overlaps another.
#[derive(Debug, Default)]
pub(super) struct Edits {
    edits: Vec<(Span, String)>,
    refusals: Vec<Refusal>,
}

impl Edits {
    fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    fn insert(&mut self, at: u32, text: impl Into<String>) {
        self.replace(Span::empty(at), text);
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>, hint: &str) {
        self.refusals.push(Refusal { span, message: message.into(), hint: hint.to_owned() });
    }

    /// Applies the changes. Of two that overlap, the first one counts.
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
                // Places in messages stay those of the file.
                text.extend(std::iter::repeat_n('\n', lost));
                end = until;
            }
        }
        text + &source[end..]
    }
}

/// Tells quickly that a file cannot have the pattern of a fault.
type Concerns = fn(&File<'_>) -> bool;

/// Looks for the pattern of a fault.
type Rule = fn(&Program<'_>, &File<'_>, &mut Edits);

/// The rules, and the number of times to apply each.
const RULES: [(Concerns, Rule, usize); 12] = [
    (commonjs::concerns, commonjs::rewrite, 1),
    (defaults::concerns, defaults::rewrite, 1),
    (|_| true, parameters::rewrite, MAX_ROUNDS),
    (blocks::concerns, blocks::rewrite, 1),
    (catches::concerns, catches::rewrite, 1),
    (keys::concerns, keys::rewrite, 1),
    (jsx::concerns, jsx::rewrite, 1),
    (switches::concerns, switches::rewrite, 1),
    (namespaces::concerns, namespaces::rewrite, 1),
    (|file| file.is_typescript, imports::evaluate, 1),
    (decorators::concerns, decorators::rewrite, 1),
    (classes::concerns, classes::rewrite, MAX_ROUNDS),
];

/// Applies all rules to a parsed file.
///
/// # Errors
/// An edited text that does not parse, which is a fault of a rule; inside, the refused patterns with the text that has them.
pub(super) fn rewrite(
    ast: EcmaAst,
    id: &str,
    settings: &CompilerOptions,
    corrections: &Corrections,
) -> anyhow::Result<Result<Rewritten, (String, Vec<Refusal>)>> {
    let source_type = ast.source_type;
    let assigns_fields = source_type.is_typescript() && !settings.defines_class_fields();
    let compiles_classes =
        assigns_fields && ast.source().contains("class") && classes::has_bound_keys(ast.program());
    let mut ast = corrected(ast, id, corrections)?;
    for (concerns, rule, rounds) in RULES {
        for _ in 0..rounds {
            let source = ast.source().clone();
            let file = File {
                source: &source,
                is_typescript: source_type.is_typescript(),
                is_esm: is_esm(ast.program()),
                assigns_fields,
                compiles_classes,
                keeps_imports: settings.keeps_unused_imports(),
                has_automatic_jsx: source_type.is_jsx() && matches!(settings.jsx(), Jsx::Automatic { .. }),
            };
            if !concerns(&file) {
                break;
            }
            let mut edits = Edits::default();
            rule(ast.program(), &file, &mut edits);
            if !edits.refusals.is_empty() {
                return Ok(Err((source.to_string(), edits.refusals)));
            }
            if edits.edits.is_empty() {
                break;
            }
            ast = parse(id, edits.apply(&source), source_type)?;
        }
    }
    Ok(Ok(Rewritten { ast, has_no_fields: compiles_classes }))
}

/// Applies the corrections of an earlier run.
fn corrected(ast: EcmaAst, id: &str, corrections: &Corrections) -> anyhow::Result<EcmaAst> {
    let mut edits = Edits::default();
    let types: Vec<_> =
        corrections.types.iter().filter(|(module, _)| module == id).map(|(_, name)| name.as_str()).collect();
    if !types.is_empty() {
        imports::rewrite(ast.program(), &types, &mut edits);
    }
    if corrections.commonjs.contains(id) {
        edits.insert(ast.program().span.end, commonjs::MENTION);
    } else {
        let file = File { source: ast.source(), ..File::default() };
        let value = file.fresh("value");
        let names = corrections.undefined.iter().filter(|(module, _)| module == id);
        let exports: Vec<_> = names.map(|(_, name)| format!("\nexport {{ {value} as {name:?} }};")).collect();
        if !exports.is_empty() {
            edits.insert(ast.program().span.end, format!("\nvar {value};{}", exports.concat()));
        }
    }
    let evaluated = corrections.evaluated.iter().filter(|(module, _)| module == id);
    for (_, specifier) in evaluated {
        imports::evaluate_star(ast.program(), specifier, &mut edits);
    }
    if edits.edits.is_empty() { Ok(ast) } else { parse(id, edits.apply(ast.source()), ast.source_type) }
}

fn parse(id: &str, source: String, source_type: SourceType) -> anyhow::Result<EcmaAst> {
    EcmaCompiler::parse(id, source, source_type).map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

/// Returns true for a file without imports and exports, unless Node loads it as an ES module because of its name.
pub(super) fn is_script(source: &str, module: &str, root: &Path) -> bool {
    let path = file_of(module);
    let source_type = SourceType::from_path(&path).unwrap_or_default().with_module(true);
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, source_type).parse();
    !parsed.panicked && !is_esm(&parsed.program) && !is_esm_by_name(&path, root)
}

/// Returns true if Node loads a file as an ES module because of its extension or of the nearest `package.json`. Ignores a
/// `package.json` outside the repository at `root`, unless it belongs to a package.
fn is_esm_by_name(path: &Path, root: &Path) -> bool {
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

/// Returns whether a file is an ES module by its statements.
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
