//! Rewrites property keys that the bundler compiles incorrectly:
//!
//! - The minifier prints the key `[-1]` in classes and patterns as `-1`, which is not valid.
//! - If a class is inside a field or static block of another class, rolldown treats `this` in the inner class's keys as the
//!   module's `this`.
//! - oxc generates invalid code for quoted or numeric method names after a computed field that is assigned, not defined.

use oxc::ast::ast::{
    AwaitExpression, Class, ClassElement, ClassType, Expression, Function, Program, PropertyKey, Super,
    ThisExpression, YieldExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;
use oxc::span::{GetSpan as _, Span};

use super::{Edits, SourceFile};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    let key_starts = ["[-", "[~", "[+", "[void", "[!"];
    file.source.contains("class") || key_starts.iter().any(|start| file.source.contains(start))
}

pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    KeyRewriter { file, edits, is_in_class_element: false }.visit_program(program);
}

struct KeyRewriter<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
    /// True if `this` belongs to a class element rather than to a function or the module.
    is_in_class_element: bool,
}

impl KeyRewriter<'_> {
    /// Puts quoted and numeric method names into brackets if the class has a computed field.
    fn bracket_literal_names(&mut self, class: &Class<'_>) {
        let elements = &class.body.body;
        if !elements
            .iter()
            .any(|element| matches!(element, ClassElement::PropertyDefinition(field) if field.computed))
        {
            return;
        }
        for element in elements {
            if let ClassElement::MethodDefinition(method) = element
                && method.key.as_expression().is_some_and(Expression::is_literal)
                && !method.computed
                && !method.kind.is_constructor()
            {
                let span = method.key.span();
                self.edits.insert(span.start, "[");
                self.edits.insert(span.end, "]");
            }
        }
    }

    /// Wraps a nested class in an arrow function, and passes `this` to the class's keys through the function's parameter.
    fn pass_this_to_keys(&mut self, class: &Class<'_>) {
        let mut uses = FunctionBoundExpressions::default();
        class
            .body
            .body
            .iter()
            .filter_map(ClassElement::property_key)
            .for_each(|key| uses.visit_property_key(key));
        if uses.this.is_empty() {
            return;
        }
        if uses.has_await_yield_or_super || class.r#type == ClassType::ClassDeclaration {
            let hint = "assign `this` to a variable before the inner class, and use the variable in the key";
            self.edits.reject(
                uses.this[0],
                "`this` in a computed key of a class inside another class is not supported",
                hint,
            );
            return;
        }
        let name = self.file.unused_name("this");
        uses.this.iter().for_each(|span| self.edits.replace(*span, name.clone()));
        self.edits.insert(class.span.start, format!("(({name}) => "));
        self.edits.insert(class.span.end, ")(this)");
    }
}

impl<'a> Visit<'a> for KeyRewriter<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        let was_in_class_element = std::mem::replace(&mut self.is_in_class_element, false);
        walk::walk_function(self, function, flags);
        self.is_in_class_element = was_in_class_element;
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        if self.is_in_class_element {
            self.pass_this_to_keys(class);
        }
        if self.file.assigns_class_fields {
            self.bracket_literal_names(class);
        }
        walk::walk_class(self, class);
    }

    fn visit_class_element(&mut self, element: &ClassElement<'a>) {
        let was_in_class_element = self.is_in_class_element;
        if let Some(key) = element.property_key() {
            self.visit_property_key(key);
        }
        self.is_in_class_element = true;
        match element {
            ClassElement::PropertyDefinition(field) => {
                if let Some(value) = &field.value {
                    self.visit_expression(value);
                }
            }
            ClassElement::MethodDefinition(method) => {
                self.visit_function(&method.value, ScopeFlags::Function);
            }
            ClassElement::StaticBlock(block) => walk::walk_static_block(self, block),
            _ => {}
        }
        self.is_in_class_element = was_in_class_element;
    }

    fn visit_property_key(&mut self, key: &PropertyKey<'a>) {
        // The value of the expression is not an object or a symbol. A template literal converts it to a string, which is the same
        // key.
        if matches!(key, PropertyKey::UnaryExpression(unary) if !unary.operator.is_typeof() && !unary.operator.is_delete())
            || matches!(key, PropertyKey::BinaryExpression(binary) if binary.operator.is_arithmetic() || binary.operator.is_bitwise())
        {
            let span = key.span();
            self.edits.replace(span, format!("`${{{}}}`", self.file.text_at(span)));
        } else {
            walk::walk_property_key(self, key);
        }
    }
}

/// A visitor that collects the expressions in a key that have a different meaning inside another function.
#[derive(Default)]
struct FunctionBoundExpressions {
    this: Vec<Span>,
    has_await_yield_or_super: bool,
}

impl<'a> Visit<'a> for FunctionBoundExpressions {
    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_class(&mut self, _: &Class<'a>) {}

    fn visit_this_expression(&mut self, this: &ThisExpression) {
        self.this.push(this.span);
    }

    fn visit_await_expression(&mut self, _: &AwaitExpression<'a>) {
        self.has_await_yield_or_super = true;
    }

    fn visit_yield_expression(&mut self, _: &YieldExpression<'a>) {
        self.has_await_yield_or_super = true;
    }

    fn visit_super(&mut self, _: &Super) {
        self.has_await_yield_or_super = true;
    }
}
