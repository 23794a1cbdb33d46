//! Compiles TypeScript classes whose initializers oxc would put in the wrong position.
//!
//! The constructor initializes parameter properties. It also initializes fields if TypeScript assigns rather than defines them.
//! oxc makes three mistakes:
//!
//! - It finds a `super()` call only if the call is a separate statement.
//! - It confuses names in initializers with the constructor's variables.
//! - It moves computed keys into a static block, where `await`, `yield` and `this` have a different meaning.

mod initializers;

use oxc::ast::ast::{
    AwaitExpression, Class, ClassElement, Expression, Function, MethodDefinition, Program,
    PropertyDefinition, Statement, ThisExpression, YieldExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;

use super::{Edits, SourceFile};
use initializers::{NameCollector, SuperCalls};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    file.is_typescript && file.source.contains("class")
}

/// Moves the initializers of the first affected class. Inner classes are checked before outer ones.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    InitializerMover { file, edits, is_done: false }.visit_program(program);
}

/// Returns true if a computed key of any class uses `this`, `await` or `yield`. Their meaning depends on the enclosing function,
/// but oxc moves such keys into a static block.
pub(super) fn has_function_bound_keys(program: &Program<'_>) -> bool {
    let mut keys = FunctionBoundKeyFinder::default();
    keys.visit_program(program);
    keys.is_found
}

struct InitializerMover<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
    is_done: bool,
}

impl<'a> Visit<'a> for InitializerMover<'_> {
    fn visit_class(&mut self, class: &Class<'a>) {
        walk::walk_class(self, class);
        if !self.is_done && !class.declare {
            self.is_done = initializers::rewrite(class, self.file, self.edits);
        }
    }
}

/// Returns the implementation of the constructor, without overload signatures.
fn constructor<'b, 'a>(class: &'b Class<'a>) -> Option<&'b MethodDefinition<'a>> {
    class.body.body.iter().find_map(|element| match element {
        ClassElement::MethodDefinition(method)
            if method.kind.is_constructor() && method.value.body.is_some() =>
        {
            Some(&**method)
        }
        _ => None,
    })
}

fn fields<'b, 'a>(class: &'b Class<'a>) -> impl Iterator<Item = &'b PropertyDefinition<'a>> {
    class.body.body.iter().filter_map(|element| match element {
        ClassElement::PropertyDefinition(field) => Some(&**field),
        _ => None,
    })
}

/// Returns true if oxc would put the initializers of a class in the wrong position.
fn has_misplaced_initializers(
    class: &Class<'_>,
    moved: &[&PropertyDefinition<'_>],
    has_parameter_properties: bool,
) -> bool {
    let Some(constructor) = constructor(class) else { return false };
    if moved.is_empty() && !has_parameter_properties {
        return false;
    }
    class.heritage.is_some() && !has_single_super_statement(constructor)
        || has_name_conflict(constructor, moved)
}

/// Returns true if a constructor declares a name that field initializers use.
fn has_name_conflict(constructor: &MethodDefinition<'_>, moved: &[&PropertyDefinition<'_>]) -> bool {
    let used = NameCollector::used_in_initializers(moved);
    NameCollector::declared_in_constructor(constructor).iter().any(|name| used.contains(name))
}

/// Returns true if a constructor calls `super()` exactly once, as a separate statement.
fn has_single_super_statement(constructor: &MethodDefinition<'_>) -> bool {
    let statements = constructor.value.body.iter().flat_map(|body| &body.statements);
    let super_statements = statements.filter(|statement| {
        matches!(statement, Statement::ExpressionStatement(statement)
            if matches!(&statement.expression, Expression::CallExpression(call) if call.callee.is_super()))
    });
    super_statements.count() == 1 && SuperCalls::in_constructor(constructor).len() == 1
}

/// A visitor that detects `this`, `await` and `yield` in computed keys.
#[derive(Default)]
struct FunctionBoundKeyFinder {
    is_found: bool,
    is_in_key: bool,
}

impl FunctionBoundKeyFinder {
    fn visit_in_key(&mut self, is_in_key: bool, visit: impl FnOnce(&mut Self)) {
        let was_in_key = std::mem::replace(&mut self.is_in_key, is_in_key);
        visit(self);
        self.is_in_key = was_in_key;
    }
}

impl<'a> Visit<'a> for FunctionBoundKeyFinder {
    fn visit_class_element(&mut self, element: &ClassElement<'a>) {
        if let Some(key) = element.property_key() {
            self.visit_in_key(true, |keys| keys.visit_property_key(key));
        }
        self.visit_in_key(false, |keys| walk::walk_class_element(keys, element));
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.visit_in_key(false, |keys| walk::walk_function(keys, function, flags));
    }

    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.is_found |= self.is_in_key;
    }

    fn visit_await_expression(&mut self, _: &AwaitExpression<'a>) {
        self.is_found |= self.is_in_key;
    }

    fn visit_yield_expression(&mut self, _: &YieldExpression<'a>) {
        self.is_found |= self.is_in_key;
    }
}
