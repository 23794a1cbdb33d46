//! Keys that the bundler gets wrong: `[-1]` in classes and patterns, which the minifier prints as `-1`, and `this` in
//! the keys of a class that is in a field or static block of another class, which rolldown takes for the module's `this`, and quoted
//! or numeric names of methods behind a computed field that is assigned, of which oxc makes invalid code.

use oxc::ast::ast::{
    AwaitExpression, Class, ClassElement, ClassType, Expression, Function, Program, PropertyKey, Super,
    ThisExpression, YieldExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;
use oxc::span::{GetSpan as _, Span};

use super::{Edits, File};

pub(super) fn concerns(file: &File<'_>) -> bool {
    let starts = ["[-", "[~", "[+", "[void", "[!"];
    file.source.contains("class") || starts.iter().any(|start| file.source.contains(start))
}

pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    Found { file, edits, is_in_element: false }.visit_program(program);
}

struct Found<'f> {
    file: &'f File<'f>,
    edits: &'f mut Edits,
    /// True if `this` is that of a class element rather than of a function or the module.
    is_in_element: bool,
}

impl Found<'_> {
    /// Puts quoted names and numbers of methods into brackets, in a class with a computed field.
    fn literals(&mut self, class: &Class<'_>) {
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
            {
                let span = method.key.span();
                self.edits.insert(span.start, "[");
                self.edits.insert(span.end, "]");
            }
        }
    }

    fn nested(&mut self, class: &Class<'_>) {
        let mut uses = Uses::default();
        class
            .body
            .body
            .iter()
            .filter_map(ClassElement::property_key)
            .for_each(|key| uses.visit_property_key(key));
        if uses.this.is_empty() {
            return;
        }
        if uses.is_suspended || class.r#type == ClassType::ClassDeclaration {
            let hint = "assign `this` to a variable before the class, and use the variable in the key";
            self.edits.refuse(
                uses.this[0],
                "`this` in a computed key of a class inside another class is not supported here",
                hint,
            );
            return;
        }
        let name = self.file.fresh("this");
        uses.this.iter().for_each(|span| self.edits.replace(*span, name.clone()));
        self.edits.insert(class.span.start, format!("(({name}) => "));
        self.edits.insert(class.span.end, ")(this)");
    }
}

impl<'a> Visit<'a> for Found<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        let is_in_element = std::mem::replace(&mut self.is_in_element, false);
        walk::walk_function(self, function, flags);
        self.is_in_element = is_in_element;
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        if self.is_in_element {
            self.nested(class);
        }
        if self.file.assigns_fields {
            self.literals(class);
        }
        walk::walk_class(self, class);
    }

    fn visit_class_element(&mut self, element: &ClassElement<'a>) {
        let before = self.is_in_element;
        if let Some(key) = element.property_key() {
            self.visit_property_key(key);
        }
        self.is_in_element = true;
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
        self.is_in_element = before;
    }

    fn visit_property_key(&mut self, key: &PropertyKey<'a>) {
        // Each gives a number, for which a text stands as well.
        if matches!(key, PropertyKey::UnaryExpression(unary) if !unary.operator.is_typeof() && !unary.operator.is_delete())
            || matches!(key, PropertyKey::BinaryExpression(binary) if binary.operator.is_arithmetic() || binary.operator.is_bitwise())
        {
            let span = key.span();
            self.edits.replace(span, format!("`${{{}}}`", self.file.text(span)));
        } else {
            walk::walk_property_key(self, key);
        }
    }
}

/// Uses of what a key must not have where it is evaluated in another function.
#[derive(Default)]
struct Uses {
    this: Vec<Span>,
    is_suspended: bool,
}

impl<'a> Visit<'a> for Uses {
    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_class(&mut self, _: &Class<'a>) {}

    fn visit_this_expression(&mut self, this: &ThisExpression) {
        self.this.push(this.span);
    }

    fn visit_await_expression(&mut self, _: &AwaitExpression<'a>) {
        self.is_suspended = true;
    }

    fn visit_yield_expression(&mut self, _: &YieldExpression<'a>) {
        self.is_suspended = true;
    }

    fn visit_super(&mut self, _: &Super) {
        self.is_suspended = true;
    }
}
