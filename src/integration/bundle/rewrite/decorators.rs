//! Moves decorated static members, so that their decorators are called in TypeScript's order.
//!
//! TypeScript calls the decorators of instance members before those of static members. oxc calls all decorators in source
//! order, and drops the decorators of static fields that are assigned rather than defined.

use oxc::ast::ast::{Class, ClassElement, Decorator, Program, PropertyDefinition, PropertyKey};
use oxc::ast_visit::{Visit, walk};
use oxc::span::{GetSpan as _, Span};
use oxc::syntax::identifier::is_identifier_name;

use super::{Edits, SourceFile};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    file.is_typescript && file.source.contains("class") && file.source.contains('@')
}

/// Moves decorated static members to the end of their classes. A field's value is still assigned at its original position.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    StaticMemberMover { file, edits }.visit_program(program);
}

struct StaticMemberMover<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
}

impl<'a> Visit<'a> for StaticMemberMover<'_> {
    fn visit_property_definition(&mut self, field: &PropertyDefinition<'a>) {
        // If the key of a field is quoted or computed, oxc does not pass the field's name to the decorator.
        if self.file.assigns_class_fields
            && !field.decorators.is_empty()
            && field.computed
            && !matches!(field.key, PropertyKey::StringLiteral(_))
        {
            let message = "a decorated field with a computed key is not supported";
            self.edits.reject(field.key.span(), message, "replace the computed key with a plain name");
            return;
        }
        if let PropertyKey::StringLiteral(key) = &field.key
            && self.file.assigns_class_fields
            && !field.decorators.is_empty()
        {
            if is_identifier_name(&key.value) {
                let brackets = if field.computed { 1 } else { 0 };
                self.edits.replace(
                    Span::new(key.span.start - brackets, key.span.end + brackets),
                    key.value.as_str(),
                );
            } else {
                let message = "a decorated field with a quoted name is not supported";
                self.edits.reject(key.span, message, "give the field a name without quotes");
            }
        }
        walk::walk_property_definition(self, field);
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        let is_decorated = |element: &&ClassElement<'_>| !member_decorators(element).is_empty();
        let decorated: Vec<_> = class.body.body.iter().filter(is_decorated).collect();
        let last_instance_member = decorated.iter().rposition(|element| !element.r#static());
        // After the first moved member, also move all later decorated static members, to keep their order.
        let mut is_moving = false;
        for (index, element) in decorated.iter().enumerate().filter(|(_, element)| element.r#static()) {
            let is_assigned =
                self.file.assigns_class_fields && matches!(element, ClassElement::PropertyDefinition(_));
            is_moving |= is_assigned || last_instance_member.is_some_and(|last| index < last);
            if is_moving {
                self.move_member(element, class.body.span.end - 1);
            }
        }
        walk::walk_class(self, class);
    }
}

fn member_decorators<'b, 'a>(element: &'b ClassElement<'a>) -> &'b [Decorator<'a>] {
    match element {
        ClassElement::MethodDefinition(method) => &method.decorators,
        ClassElement::PropertyDefinition(field) => &field.decorators,
        _ => &[],
    }
}

impl StaticMemberMover<'_> {
    fn move_member(&mut self, element: &ClassElement<'_>, end: u32) {
        let span = element.span();
        match element {
            ClassElement::PropertyDefinition(field) if self.file.assigns_class_fields && !field.computed => {
                self.move_field(field, end);
            }
            ClassElement::MethodDefinition(method) if !method.computed => {
                self.edits.insert(end, format!(";{}", self.file.text_at(span)));
                self.edits.replace(span, "");
            }
            _ => self.reject_member(element),
        }
    }

    fn move_field(&mut self, field: &PropertyDefinition<'_>, end: u32) {
        let text = |span: Span| self.file.text_at(span);
        let (span, key) = (field.span, field.key.span());
        let name = text(key);
        let declaration = text(Span::new(span.start, key.end));
        self.edits.insert(end, format!(";{declaration};"));
        match &field.value {
            None => self.edits.replace(span, ""),
            Some(value) => {
                let property =
                    if field.key.is_identifier() { format!("this.{name}") } else { format!("this[{name}]") };
                self.edits
                    .replace(Span::new(span.start, value.span().start), format!("static {{ {property} = "));
                self.edits.insert(value.span().end, "; }");
            }
        }
    }

    fn reject_member(&mut self, element: &ClassElement<'_>) {
        let message = "a decorated static member is not supported in this position";
        let hint = "give the member a plain name, and move it after the instance members";
        self.edits.reject(element.span(), message, hint);
    }
}
