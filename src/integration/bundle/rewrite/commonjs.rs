//! CommonJS that rolldown does not recognise: `module.require`, `var exports` and a direct `eval`.
//!
//! In Node, a top-level `var exports` or `var module` is the variable that the module is given, not another one.

use oxc::ast::ast::{
    BindingIdentifier, CallExpression, ClassElement, Expression, Function, IdentifierReference, Program,
    Statement, ThisExpression, VariableDeclaration, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;
use oxc::span::{GetSpan as _, Span};

use super::{Edits, File};

/// The variables that a CommonJS module is given.
const GIVEN: [&str; 2] = ["exports", "module"];

/// A statement that makes a file CommonJS. The minifier removes it again.
pub(super) const MENTION: &str = "\nexports, module;";

pub(super) fn concerns(file: &File<'_>) -> bool {
    let has = |word: &str| file.source.contains(word);
    let declares = has("var ") && GIVEN.into_iter().any(has);
    !file.is_esm && (declares || has("module.require") || has("module[") || has("eval") || has("this"))
}

pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    let mut found = Found::default();
    found.visit_program(program);
    for (statement, declarators) in found.declarations {
        let parts: Vec<_> = declarators.iter().map(|declarator| declarator.text(file)).collect();
        edits.replace(statement, parts.concat());
    }
    if !found.binds_module {
        found.requires.into_iter().for_each(|callee| edits.replace(callee, "require"));
    }
    if (found.has_eval || found.has_this) && !found.uses_given {
        edits.insert(program.span.end, MENTION);
    }
}

/// A declarator of a `var` statement, which is to be split.
enum Declarator {
    Declared(Span),
    Assigned { name: Span, value: Span },
    Dropped,
}

impl Declarator {
    fn new(declarator: &VariableDeclarator<'_>) -> Self {
        match &declarator.init {
            _ if !is_given(declarator) => Self::Declared(declarator.span),
            Some(value) => Self::Assigned { name: declarator.id.span(), value: value.span() },
            None => Self::Dropped,
        }
    }

    fn text(&self, file: &File<'_>) -> String {
        match self {
            Self::Declared(span) => format!("var {};", file.text(*span)),
            Self::Assigned { name, value } => format!("{} = {};", file.text(*name), file.text(*value)),
            Self::Dropped => String::new(),
        }
    }
}

fn is_given(declarator: &VariableDeclarator<'_>) -> bool {
    declarator.id.get_identifier_name().is_some_and(|name| GIVEN.contains(&name.as_str()))
}

#[derive(Default)]
struct Found {
    /// The number of functions around the node.
    depth: usize,
    declarations: Vec<(Span, Vec<Declarator>)>,
    requires: Vec<Span>,
    binds_module: bool,
    uses_given: bool,
    has_eval: bool,
    /// True if the module's own `this` is used, which is its exports.
    has_this: bool,
}

impl Found {
    fn split(&mut self, declaration: &VariableDeclaration<'_>) {
        if declaration.kind.is_var() && declaration.declarations.iter().any(is_given) {
            let declarators = declaration.declarations.iter().map(Declarator::new).collect();
            self.declarations.push((declaration.span, declarators));
        }
    }
}

impl<'a> Visit<'a> for Found {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.depth += 1;
        walk::walk_function(self, function, flags);
        self.depth -= 1;
    }

    fn visit_class_element(&mut self, element: &ClassElement<'a>) {
        self.depth += 1;
        walk::walk_class_element(self, element);
        self.depth -= 1;
    }

    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.has_this |= self.depth == 0;
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        if let Statement::VariableDeclaration(declaration) = statement
            && self.depth == 0
        {
            self.split(declaration);
        }
        walk::walk_statement(self, statement);
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.binds_module |= name.name == "module";
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.uses_given |= GIVEN.contains(&name.name.as_str());
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        match &call.callee {
            Expression::Identifier(name) => self.has_eval |= name.name == "eval",
            callee => {
                let member = callee.as_member_expression().filter(|member| {
                    member.static_property_name() == Some("require")
                        && member.object().is_specific_id("module")
                });
                self.requires.extend(member.map(|member| member.span()));
            }
        }
        walk::walk_call_expression(self, call);
    }
}
