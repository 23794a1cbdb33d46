//! Moves the field initializers of a class into its constructor.

use std::collections::HashSet;

use oxc::ast::ast::{
    BindingIdentifier, CallExpression, Class, Expression, ExpressionStatement, FormalParameter, Function,
    IdentifierReference, MethodDefinition, PropertyDefinition, PropertyDefinitionType, PropertyKey, Super,
    ThisExpression,
};
use oxc::ast_visit::{Visit, walk};
use oxc::semantic::ScopeFlags;
use oxc::span::{GetSpan as _, Span};

use super::{constructor, fields, has_misplaced_initializers, has_name_conflict};
use crate::integration::bundle::rewrite::{Edits, SourceFile};

/// The hint if decorators prevent moving the initializers of a class.
const DECORATOR_HINT: &str = "call `super()` in a separate statement, and rename constructor variables \
     that share a name with a variable in a field initializer";

/// Moves the initializers of a class if oxc would compile the class incorrectly. Returns true if the class was changed.
pub(super) fn rewrite(class: &Class<'_>, file: &SourceFile<'_>, edits: &mut Edits) -> bool {
    let parameter_properties = constructor(class).map(parameter_properties).unwrap_or_default();
    // esbuild always assigns parameter properties before fields. TypeScript does so only if class fields are assigned
    // rather than defined.
    let initializers_read_this =
        !file.assigns_class_fields && !parameter_properties.is_empty() && fields(class).any(value_reads_this);
    // The initializer of a field can read an inherited property of the same name. Defining the field hides that property, so the
    // field is defined only after its initializer is evaluated.
    let defines_fields = initializers_read_this && class.heritage.is_some();
    let moved = if file.assigns_class_fields || initializers_read_this {
        fields_to_move(class, defines_fields)
    } else {
        Vec::new()
    };
    let is_static = |field: &&PropertyDefinition<'_>| field.r#static && !field.key.is_private_identifier();
    let rules_compile_this_class = file.rules_compile_class_fields
        && (!parameter_properties.is_empty()
            || fields(class).any(|field| !field.key.is_private_identifier()));
    if !rules_compile_this_class
        && !initializers_read_this
        && !has_misplaced_initializers(class, &moved, !parameter_properties.is_empty())
    {
        return false;
    }
    if let Some(decorator) = first_decorator(class) {
        let message = "a decorated field or parameter of this class cannot be compiled";
        edits.reject(decorator, message, DECORATOR_HINT);
        return false;
    }
    let mut initializers = Vec::new();
    for field in &moved {
        match assignment_target(field, file) {
            Some(target) => initializers.push(initializer_expression(field, &target, defines_fields, file)),
            None => {
                edits.reject(
                    field.key.span(),
                    "the computed key of this field cannot be compiled",
                    "assign the key to a constant before the class, and use the constant in the key",
                );
                return false;
            }
        }
        if field.key.is_private_identifier() || !file.assigns_class_fields && !defines_fields {
            edits.replace(Span::new(key_end(field), value_span(field, file).end), "");
        } else {
            edits.replace(field.span, "");
        }
    }
    if file.assigns_class_fields {
        let other_fields = fields(class).filter(|field| !moved.iter().any(|moved| moved.span == field.span));
        for field in other_fields.filter(|field| !field.key.is_private_identifier()) {
            if field.value.is_none() {
                edits.replace(field.span, "");
            } else if is_static(&field)
                && let Some(target) = assignment_target(field, file)
            {
                let value = value_span(field, file);
                edits.replace(Span::new(field.span.start, value.start), format!("static {{ {target} ="));
                edits.insert(value.end, "; }");
            }
        }
    }
    insert_initializers(class, &moved, &parameter_properties, initializers, file, edits);
    true
}

/// Inserts the initializers into the constructor. Adds a constructor if the class has none.
fn insert_initializers(
    class: &Class<'_>,
    moved: &[&PropertyDefinition<'_>],
    parameter_properties: &[&FormalParameter<'_>],
    initializers: Vec<String>,
    file: &SourceFile<'_>,
    edits: &mut Edits,
) {
    let start = class.body.span.start + 1;
    let Some(constructor) = constructor(class) else {
        if !initializers.is_empty() {
            let call = if class.heritage.is_some() { "super(...arguments); " } else { "" };
            edits.insert(start, format!("constructor() {{ {call}{}; }}", initializers.join("; ")));
        }
        return;
    };
    let name = |property: &&FormalParameter<'_>| file.text_at(property.pattern.span()).to_owned();
    let mut expressions: Vec<_> =
        parameter_properties.iter().map(name).map(|name| format!("this.{name} = {name}")).collect();
    for property in parameter_properties {
        edits.replace(Span::new(property.span.start, property.pattern.span().start), "");
        if !file.assigns_class_fields {
            edits.insert(start, format!("{};", name(property)));
        }
    }
    if has_name_conflict(constructor, moved) {
        // The initializers go into a separate method, where their names cannot refer to the constructor's variables.
        let method = format!("#{}", file.unused_name("init"));
        expressions.push(format!("this.{method}()"));
        edits.insert(class.body.span.end - 1, format!(";{method}() {{ {}; }}", initializers.join("; ")));
    } else {
        expressions.extend(initializers);
    }
    if !expressions.is_empty() {
        insert_expressions(class, constructor, &expressions.join(", "), edits);
    }
}

/// Inserts expressions at the start of a constructor. In a derived class, inserts them after each `super()` call.
fn insert_expressions(
    class: &Class<'_>,
    constructor: &MethodDefinition<'_>,
    expressions: &str,
    edits: &mut Edits,
) {
    if class.heritage.is_none() {
        let Some(body) = constructor.value.body.as_deref() else { return };
        let first = body.statements.first().map(|statement| statement.span().start);
        edits.insert(first.unwrap_or(body.span.end - 1), format!("{expressions};"));
        return;
    }
    for call in SuperCalls::in_constructor(constructor) {
        let before = match call.position {
            SuperPosition::Statement => "void (",
            SuperPosition::StartOfStatement => "void 0, (",
            SuperPosition::Expression => "(",
        };
        edits.insert(call.span.start, before);
        edits.insert(call.span.end, format!(", {expressions}, this)"));
    }
}

/// Returns the fields to initialize in the constructor: all instance fields with an initializer. If `includes_uninitialized` is
/// true, also returns those without one.
///
/// Includes private fields, to keep the order of evaluation. Returns no fields if all of them are private.
fn fields_to_move<'b, 'a>(
    class: &'b Class<'a>,
    includes_uninitialized: bool,
) -> Vec<&'b PropertyDefinition<'a>> {
    let moved: Vec<_> = fields(class)
        .filter(|field| {
            !field.r#static && !field.declare && (includes_uninitialized || field.value.is_some())
        })
        .filter(|field| field.r#type == PropertyDefinitionType::PropertyDefinition)
        .collect();
    if moved.iter().all(|field| field.key.is_private_identifier()) { Vec::new() } else { moved }
}

fn parameter_properties<'b, 'a>(constructor: &'b MethodDefinition<'a>) -> Vec<&'b FormalParameter<'a>> {
    constructor.value.params.items.iter().filter(|parameter| parameter.has_modifier()).collect()
}

/// Returns true if the field is an instance field with an initializer that uses `this` or `super`.
fn value_reads_this(field: &PropertyDefinition<'_>) -> bool {
    let mut finder = ThisFinder(false);
    field.value.iter().filter(|_| !field.r#static).for_each(|value| finder.visit_expression(value));
    finder.0
}

/// A visitor that finds `this` and `super` outside nested functions. Arrow functions do not count as nested functions.
struct ThisFinder(bool);

impl<'a> Visit<'a> for ThisFinder {
    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.0 = true;
    }

    fn visit_super(&mut self, _: &Super) {
        self.0 = true;
    }
}

fn first_decorator(class: &Class<'_>) -> Option<Span> {
    let field_decorators = fields(class).flat_map(|field| &field.decorators);
    let parameters = constructor(class).into_iter().flat_map(|method| &method.value.params.items);
    let mut all = field_decorators.chain(parameters.flat_map(|parameter| &parameter.decorators));
    all.next().map(|decorator| decorator.span)
}

/// Returns the expression with which the constructor initializes a field.
fn initializer_expression(
    field: &PropertyDefinition<'_>,
    target: &str,
    is_defined: bool,
    file: &SourceFile<'_>,
) -> String {
    let value = if field.value.is_some() { file.text_at(value_span(field, file)).trim() } else { "void 0" };
    if !is_defined || field.key.is_private_identifier() {
        return format!("{target} = {value}");
    }
    let key = file.text_at(field.key.span());
    let quote = if matches!(field.key, PropertyKey::StaticIdentifier(_)) { "'" } else { "" };
    format!(
        "Object.defineProperty(this, {quote}{key}{quote}, \
         {{ value: {value}, writable: true, enumerable: true, configurable: true }})"
    )
}

/// Returns the target to which a field's value is assigned, such as `this.name`. Returns `None` if the key must be
/// evaluated when the class is defined.
fn assignment_target(field: &PropertyDefinition<'_>, file: &SourceFile<'_>) -> Option<String> {
    let text = file.text_at(field.key.span());
    Some(match &field.key {
        PropertyKey::StaticIdentifier(_) | PropertyKey::PrivateIdentifier(_) => format!("this.{text}"),
        PropertyKey::StaticMemberExpression(member) if member.object.is_specific_id("Symbol") => {
            format!("this[{text}]")
        }
        key if key.as_expression().is_some_and(Expression::is_literal) => format!("this[{text}]"),
        _ => return None,
    })
}

/// Returns the span of a field's value, including parentheses.
fn value_span(field: &PropertyDefinition<'_>, file: &SourceFile<'_>) -> Span {
    let end = field.type_annotation.as_ref().map_or(key_end(field), |annotation| annotation.span.end);
    let text = file.text_at(Span::new(end, field.span.end));
    let Some(equals_sign) = text.find('=') else { return Span::empty(field.span.end) };
    let position = |length: usize| end + u32::try_from(length).unwrap_or_default();
    Span::new(position(equals_sign + 1), position(text.trim_end_matches(';').len()))
}

fn key_end(field: &PropertyDefinition<'_>) -> u32 {
    field.key.span().end + u32::from(field.computed)
}

/// A visitor that collects the names that a constructor or an initializer uses and declares.
#[derive(Default)]
pub(super) struct NameCollector {
    used: HashSet<String>,
    declared: HashSet<String>,
}

impl NameCollector {
    /// Returns the names that field initializers use.
    pub(super) fn used_in_initializers(fields: &[&PropertyDefinition<'_>]) -> HashSet<String> {
        let mut names = Self::default();
        fields
            .iter()
            .filter_map(|field| field.value.as_ref())
            .for_each(|value| names.visit_expression(value));
        names.used
    }

    /// Returns the names that a constructor declares.
    pub(super) fn declared_in_constructor(constructor: &MethodDefinition<'_>) -> HashSet<String> {
        let mut names = Self::default();
        names.visit_function(&constructor.value, ScopeFlags::Constructor);
        names.declared
    }
}

impl<'a> Visit<'a> for NameCollector {
    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        self.used.insert(name.name.to_string());
    }

    fn visit_binding_identifier(&mut self, name: &BindingIdentifier<'a>) {
        self.declared.insert(name.name.to_string());
    }
}

/// The position of a `super()` call in its statement.
#[derive(Clone, Copy)]
pub(super) enum SuperPosition {
    /// The call is the whole statement.
    Statement,
    /// The statement starts with the call.
    StartOfStatement,
    /// The call is anywhere else in an expression.
    Expression,
}

pub(super) struct SuperCall {
    span: Span,
    position: SuperPosition,
}

/// A visitor that collects the `super()` calls in a constructor.
#[derive(Default)]
pub(super) struct SuperCalls {
    calls: Vec<SuperCall>,
    /// The span of the expression in the current expression statement.
    statement_expression: Span,
}

impl SuperCalls {
    pub(super) fn in_constructor(constructor: &MethodDefinition<'_>) -> Vec<SuperCall> {
        let mut calls = Self::default();
        calls.visit_formal_parameters(&constructor.value.params);
        constructor.value.body.iter().for_each(|body| calls.visit_function_body(body));
        calls.calls
    }
}

impl<'a> Visit<'a> for SuperCalls {
    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_class(&mut self, _: &Class<'a>) {}

    fn visit_expression_statement(&mut self, statement: &ExpressionStatement<'a>) {
        self.statement_expression = statement.expression.span();
        walk::walk_expression_statement(self, statement);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Expression::Super(_) = &call.callee {
            let position = match self.statement_expression {
                expression if expression == call.span => SuperPosition::Statement,
                expression if expression.start == call.span.start => SuperPosition::StartOfStatement,
                _ => SuperPosition::Expression,
            };
            self.calls.push(SuperCall { span: call.span, position });
        }
        walk::walk_call_expression(self, call);
    }
}
