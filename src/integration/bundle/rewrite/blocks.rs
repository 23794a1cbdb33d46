//! Hoists functions that sloppy-mode code declares in blocks.
//!
//! In sloppy mode, a function in a block is also a variable of the enclosing function. rolldown treats every file as strict-mode
//! code, in which the function is visible only in its block.

use oxc::ast::ast::{BlockStatement, Class, Function, FunctionBody, Program, Statement, SwitchCase};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ScopeFlags, Scoping, SemanticBuilder, SymbolFlags, SymbolId};
use oxc::span::{GetSpan as _, Span};

use super::{Edits, SourceFile, references};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    !file.is_esm && !file.is_typescript && file.source.contains("function")
}

/// Renames each function that a block declares. At the start of the block, assigns the function to a variable with the original
/// name.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    let mut collector = BlockFunctionCollector::default();
    collector.visit_program(program);
    if collector.functions.is_empty() {
        return;
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let symbol_at = |name: Span| scoping.symbol_ids().find(|symbol| scoping.symbol_span(*symbol) == name);
    let mut unused = String::new();
    for (block_start, name) in collector.functions {
        let Some((symbol, keyword)) =
            symbol_at(name).and_then(|symbol| Some((symbol, hoisting_keyword(&scoping, symbol)?)))
        else {
            continue;
        };
        let name = scoping.symbol_name(symbol);
        // Each name contains more `$` than the previous one, so all names differ.
        unused = file.unused_name(&format!("{name}{}", unused.matches('$').collect::<String>()));
        edits.insert(block_start, format!("{keyword}{name} = {unused};"));
        edits.replace(scoping.symbol_span(symbol), unused.clone());
        references::rename_references(program, &scoping, symbol, &unused, edits);
    }
}

/// Returns the keyword that declares a block's function as a variable of the enclosing function (ECMAScript, annex B.3.3).
/// Returns an empty string if the variable is already declared, and `None` if another declaration of the name prevents hoisting.
fn hoisting_keyword(scoping: &Scoping, symbol: SymbolId) -> Option<&'static str> {
    let name = scoping.symbol_name(symbol);
    for scope in scoping.scope_ancestors(scoping.symbol_scope_id(symbol)).skip(1) {
        let binding = scoping.get_binding(scope, name.into());
        if scoping.scope_flags(scope).is_var() {
            let Some(binding) = binding else { return Some("var ") };
            let variable = SymbolFlags::FunctionScopedVariable | SymbolFlags::Function;
            return scoping.symbol_flags(binding).intersects(variable).then_some("");
        }
        if binding.is_some() {
            return None;
        }
    }
    None
}

/// A visitor that collects the functions declared in blocks.
#[derive(Default)]
struct BlockFunctionCollector {
    /// For each function, the start of the block's statements and the span of the function's name.
    functions: Vec<(u32, Span)>,
    /// The parameter names of each enclosing function.
    parameters: Vec<Vec<String>>,
    /// The number of enclosing classes and strict functions.
    strict_depth: usize,
}

impl BlockFunctionCollector {
    fn add_functions(&mut self, start: u32, statements: &[Statement<'_>]) {
        if self.strict_depth > 0 {
            return;
        }
        for statement in statements {
            let Statement::FunctionDeclaration(function) = statement else { continue };
            let name = function.id.as_ref().filter(|_| !function.r#async && !function.generator);
            let parameters = self.parameters.last();
            let name = name.filter(|name| {
                !parameters.is_some_and(|names| names.iter().any(|parameter| name.name == parameter.as_str()))
            });
            self.functions.extend(name.map(|name| (start, name.span)));
        }
    }
}

impl<'a> Visit<'a> for BlockFunctionCollector {
    fn visit_program(&mut self, program: &Program<'a>) {
        if !program.has_use_strict_directive() {
            walk::walk_program(self, program);
        }
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        let parameters =
            function.params.items.iter().flat_map(|parameter| parameter.pattern.get_binding_identifiers());
        self.parameters.push(parameters.map(|name| name.name.to_string()).collect());
        walk::walk_function(self, function, flags);
        self.parameters.pop();
    }

    fn visit_function_body(&mut self, body: &FunctionBody<'a>) {
        let is_strict = usize::from(body.has_use_strict_directive());
        self.strict_depth += is_strict;
        walk::walk_function_body(self, body);
        self.strict_depth -= is_strict;
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        self.strict_depth += 1;
        walk::walk_class(self, class);
        self.strict_depth -= 1;
    }

    fn visit_block_statement(&mut self, block: &BlockStatement<'a>) {
        self.add_functions(block.span.start + 1, &block.body);
        walk::walk_block_statement(self, block);
    }

    fn visit_switch_case(&mut self, case: &SwitchCase<'a>) {
        if let Some(first) = case.consequent.first() {
            self.add_functions(first.span().start, &case.consequent);
        }
        walk::walk_switch_case(self, case);
    }
}
