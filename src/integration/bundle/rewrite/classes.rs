//! Classes of TypeScript that oxc initializes at the wrong place.
//!
//! Fields that are assigned, and parameter properties, go into the constructor. oxc looks for `super()` among the
//! constructor's statements only, does not tell an initializer's names from the constructor's own, and moves computed keys into
//! a static block, where `await`, `yield` and `this` mean something else.

mod initializers;

use oxc::ast::ast::{
    AwaitExpression, Class, ClassElement, Expression, Function, MethodDefinition, Program,
    PropertyDefinition, Statement, ThisExpression, YieldExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;

use super::{Edits, File};
use initializers::{Names, SuperCalls};

pub(super) fn concerns(file: &File<'_>) -> bool {
    file.is_typescript && file.source.contains("class")
}

/// Moves the initializers of the first class that needs it, of classes in classes the inner one first.
pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    Classes { file, edits, is_done: false }.visit_program(program);
}

/// Returns whether a computed key of any class in a file depends on the function around the class. Then all classes of the
/// file are compiled here.
pub(super) fn has_bound_keys(program: &Program<'_>) -> bool {
    let mut keys = BoundKeys::default();
    keys.visit_program(program);
    keys.is_found
}

struct Classes<'f> {
    file: &'f File<'f>,
    edits: &'f mut Edits,
    is_done: bool,
}

impl<'a> Visit<'a> for Classes<'_> {
    fn visit_class(&mut self, class: &Class<'a>) {
        walk::walk_class(self, class);
        if !self.is_done && !class.declare {
            self.is_done = initializers::rewrite(class, self.file, self.edits);
        }
    }
}

/// Returns the constructor that has a body.
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

/// Returns the fields of a class.
fn fields<'b, 'a>(class: &'b Class<'a>) -> impl Iterator<Item = &'b PropertyDefinition<'a>> {
    class.body.body.iter().filter_map(|element| match element {
        ClassElement::PropertyDefinition(field) => Some(&**field),
        _ => None,
    })
}

/// Returns whether oxc would find no place for the class's initializers, or the wrong one.
fn is_misplaced(class: &Class<'_>, moved: &[&PropertyDefinition<'_>], has_properties: bool) -> bool {
    let Some(constructor) = constructor(class) else { return false };
    if moved.is_empty() && !has_properties {
        return false;
    }
    class.heritage.is_some() && !has_plain_super(constructor) || has_clash(constructor, moved)
}

/// Returns whether a constructor binds a name that the initializers of fields use.
fn has_clash(constructor: &MethodDefinition<'_>, moved: &[&PropertyDefinition<'_>]) -> bool {
    let used = Names::used(moved);
    Names::bound(constructor).iter().any(|name| used.contains(name))
}

/// Returns whether `super()` is called once, by a statement of its own.
fn has_plain_super(constructor: &MethodDefinition<'_>) -> bool {
    let statements = constructor.value.body.iter().flat_map(|body| &body.statements);
    let plain = statements.filter(|statement| {
        matches!(statement, Statement::ExpressionStatement(statement)
            if matches!(&statement.expression, Expression::CallExpression(call) if call.callee.is_super()))
    });
    plain.count() == 1 && SuperCalls::of(constructor).len() == 1
}

#[derive(Default)]
struct BoundKeys {
    is_found: bool,
    is_in_key: bool,
}

impl BoundKeys {
    fn in_key(&mut self, is_in_key: bool, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.is_in_key, is_in_key);
        visit(self);
        self.is_in_key = before;
    }
}

impl<'a> Visit<'a> for BoundKeys {
    fn visit_class_element(&mut self, element: &ClassElement<'a>) {
        if let Some(key) = element.property_key() {
            self.in_key(true, |keys| keys.visit_property_key(key));
        }
        self.in_key(false, |keys| walk::walk_class_element(keys, element));
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.in_key(false, |keys| walk::walk_function(keys, function, flags));
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
