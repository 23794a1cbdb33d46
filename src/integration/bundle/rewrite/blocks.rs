//! Functions declared in blocks of sloppy code, which are variables of the function around the block as well.
//!
//! rolldown takes every file for strict code, where such a function belongs to its block alone.

use oxc::ast::ast::{BlockStatement, Class, Function, FunctionBody, Program, Statement, SwitchCase};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::{ScopeFlags, Scoping, SemanticBuilder, SymbolFlags, SymbolId};
use oxc::span::{GetSpan as _, Span};

use super::{Edits, File, names};

pub(super) fn concerns(file: &File<'_>) -> bool {
    !file.is_esm && !file.is_typescript && file.source.contains("function")
}

/// Gives a block's function a name of its own, and assigns it to the variable where the block starts.
pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    let mut found = Found::default();
    found.visit_program(program);
    if found.functions.is_empty() {
        return;
    }
    let scoping = SemanticBuilder::new().build(program).semantic.into_scoping();
    let symbol = |name: Span| scoping.symbol_ids().find(|symbol| scoping.symbol_span(*symbol) == name);
    let mut fresh = String::new();
    for (block, name) in found.functions {
        let Some((symbol, keyword)) =
            symbol(name).and_then(|symbol| Some((symbol, hoisting(&scoping, symbol)?)))
        else {
            continue;
        };
        let name = scoping.symbol_name(symbol);
        // Longer than each before, so that no two are equal.
        fresh = file.fresh(&format!("{name}{}", fresh.matches('$').collect::<String>()));
        edits.insert(block, format!("{keyword}{name} = {fresh};"));
        edits.replace(scoping.symbol_span(symbol), fresh.clone());
        names::rename(program, &scoping, symbol, &fresh, edits);
    }
}

/// Returns the keyword that declares the variable which the function around the block has for a function in it (annex B.3.3 of
/// the language), or nothing where it is declared already. There is no such variable if anything between them has the name.
fn hoisting(scoping: &Scoping, symbol: SymbolId) -> Option<&'static str> {
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

/// The names of functions declared in blocks, each with the position where its block's statements start.
#[derive(Default)]
struct Found {
    functions: Vec<(u32, Span)>,
    /// The parameters of the functions around the node.
    parameters: Vec<Vec<String>>,
    /// The number of classes and strict functions around the node.
    strict: usize,
}

impl Found {
    fn add(&mut self, start: u32, statements: &[Statement<'_>]) {
        if self.strict > 0 {
            return;
        }
        for statement in statements {
            let Statement::FunctionDeclaration(function) = statement else { continue };
            let name = function.id.as_ref().filter(|_| !function.r#async && !function.generator);
            let parameters = self.parameters.last();
            let name = name.filter(|name| {
                !parameters.is_some_and(|names| names.iter().any(|one| name.name == one.as_str()))
            });
            self.functions.extend(name.map(|name| (start, name.span)));
        }
    }
}

impl<'a> Visit<'a> for Found {
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
        self.strict += is_strict;
        walk::walk_function_body(self, body);
        self.strict -= is_strict;
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        self.strict += 1;
        walk::walk_class(self, class);
        self.strict -= 1;
    }

    fn visit_block_statement(&mut self, block: &BlockStatement<'a>) {
        self.add(block.span.start + 1, &block.body);
        walk::walk_block_statement(self, block);
    }

    fn visit_switch_case(&mut self, case: &SwitchCase<'a>) {
        if let Some(first) = case.consequent.first() {
            self.add(first.span().start, &case.consequent);
        }
        walk::walk_switch_case(self, case);
    }
}
