//! Makes rolldown recognize CommonJS code that contains `module.require`, `var exports`, a direct `eval` or a top-level `this`.
//!
//! In Node, a top-level `var exports` or `var module` redeclares the existing variable and keeps its value.

use oxc::ast::ast::{
    BindingIdentifier, CallExpression, ClassElement, Expression, Function, IdentifierReference, Program,
    Statement, ThisExpression, VariableDeclaration, VariableDeclarator,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;
use oxc::span::{GetSpan as _, Span};

use super::{Edits, SourceFile};

/// The variables that Node defines for a CommonJS module.
const MODULE_VARIABLES: [&str; 2] = ["exports", "module"];

/// A statement that makes rolldown treat a file as CommonJS. The minifier removes the statement.
pub(super) const COMMONJS_MARKER: &str = "\nexports, module;";

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    let has = |word: &str| file.source.contains(word);
    let declares = has("var ") && MODULE_VARIABLES.into_iter().any(has);
    !file.is_esm && (declares || has("module.require") || has("module[") || has("eval") || has("this"))
}

pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    let mut patterns = CommonJsPatterns::default();
    patterns.visit_program(program);
    for (statement, declarators) in patterns.declarations {
        let statements: Vec<_> = declarators.iter().map(|declarator| declarator.to_statement(file)).collect();
        edits.replace(statement, statements.concat());
    }
    if !patterns.declares_module {
        patterns.module_requires.into_iter().for_each(|callee| edits.replace(callee, "require"));
    }
    if (patterns.calls_eval || patterns.uses_module_this) && !patterns.uses_module_variable {
        edits.insert(program.span.end, COMMONJS_MARKER);
    }
}

/// One declarator of a `var` statement. The rule replaces the statement with one statement for each declarator.
enum Declarator {
    /// The declaration of a variable other than `exports` and `module`.
    Declared(Span),
    /// The assignment of a value to `exports` or `module`.
    Assigned { name: Span, value: Span },
    /// A redeclaration of `exports` or `module` without a value.
    Dropped,
}

impl Declarator {
    fn new(declarator: &VariableDeclarator<'_>) -> Self {
        match &declarator.init {
            _ if !is_module_variable(declarator) => Self::Declared(declarator.span),
            Some(value) => Self::Assigned { name: declarator.id.span(), value: value.span() },
            None => Self::Dropped,
        }
    }

    fn to_statement(&self, file: &SourceFile<'_>) -> String {
        match self {
            Self::Declared(span) => format!("var {};", file.text_at(*span)),
            Self::Assigned { name, value } => format!("{} = {};", file.text_at(*name), file.text_at(*value)),
            Self::Dropped => String::new(),
        }
    }
}

fn is_module_variable(declarator: &VariableDeclarator<'_>) -> bool {
    declarator.id.get_identifier_name().is_some_and(|name| MODULE_VARIABLES.contains(&name.as_str()))
}

/// A visitor that collects the CommonJS patterns of a file.
#[derive(Default)]
struct CommonJsPatterns {
    /// The number of enclosing functions and class elements.
    depth: usize,
    /// The `var` statements that declare `exports` or `module`, each with its span and its declarators.
    declarations: Vec<(Span, Vec<Declarator>)>,
    /// The callees of `module.require()` calls.
    module_requires: Vec<Span>,
    declares_module: bool,
    uses_module_variable: bool,
    calls_eval: bool,
    /// True if the file uses `this` outside functions and classes, where its value is `module.exports`.
    uses_module_this: bool,
}

impl CommonJsPatterns {
    fn add_declaration(&mut self, declaration: &VariableDeclaration<'_>) {
        if declaration.kind.is_var() && declaration.declarations.iter().any(is_module_variable) {
            let declarators = declaration.declarations.iter().map(Declarator::new).collect();
            self.declarations.push((declaration.span, declarators));
        }
    }
}

impl<'a> Visit<'a> for CommonJsPatterns {
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
        self.uses_module_this |= self.depth == 0;
    }

    fn visit_statement(&mut self, statement: &Statement<'a>) {
        if let Statement::VariableDeclaration(declaration) = statement
            && self.depth == 0
        {
            self.add_declaration(declaration);
        }
        walk::walk_statement(self, statement);
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.declares_module |= name.name == "module";
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.uses_module_variable |= MODULE_VARIABLES.contains(&name.name.as_str());
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        match &call.callee {
            Expression::Identifier(name) => self.calls_eval |= name.name == "eval",
            callee => {
                let member = callee.as_member_expression().filter(|member| {
                    member.static_property_name() == Some("require")
                        && member.object().is_specific_id("module")
                });
                self.module_requires.extend(member.map(|member| member.span()));
            }
        }
        walk::walk_call_expression(self, call);
    }
}
