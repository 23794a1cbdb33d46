//! Moves a JSX `key` attribute in front of a spread object literal.
//!
//! If `key` follows a spread, oxc calls `createElement`, which GitBook's runtime does not export. esbuild treats the
//! properties of a spread object literal as attributes, and does not call `createElement`.

use oxc::ast::ast::{Expression, JSXAttributeItem, JSXAttributeName, JSXOpeningElement, Program};
use oxc::ast_visit::{Visit, walk};
use oxc::span::GetSpan as _;

use super::{Edits, SourceFile};

pub(super) fn may_apply(file: &SourceFile<'_>) -> bool {
    let has = |word: &str| file.source.contains(word);
    file.has_automatic_jsx && has("key") && has("...") && !has("@jsxRuntime classic")
}

/// Makes `key` the first attribute of each affected element.
pub(super) fn rewrite(program: &Program<'_>, file: &SourceFile<'_>, edits: &mut Edits) {
    KeyMover { file, edits }.visit_program(program);
}

struct KeyMover<'f> {
    file: &'f SourceFile<'f>,
    edits: &'f mut Edits,
}

impl<'a> Visit<'a> for KeyMover<'_> {
    fn visit_jsx_opening_element(&mut self, element: &JSXOpeningElement<'a>) {
        let spread = element
            .attributes
            .iter()
            .position(|attribute| matches!(attribute, JSXAttributeItem::SpreadAttribute(_)));
        let key = element.attributes.iter().position(is_key);
        if let (Some(spread), Some(key)) = (spread, key)
            && spread < key
            && element.attributes[..key].iter().all(has_known_property_names)
        {
            let span = element.attributes[key].span();
            self.edits.insert(element.attributes[0].span().start, format!("{} ", self.file.text_at(span)));
            self.edits.replace(span, "");
        }
        walk::walk_jsx_opening_element(self, element);
    }
}

fn is_key(attribute: &JSXAttributeItem<'_>) -> bool {
    let JSXAttributeItem::Attribute(attribute) = attribute else { return false };
    matches!(&attribute.name, JSXAttributeName::Identifier(name) if name.name == "key")
}

/// Returns true for an attribute and for a spread object literal. The source does not show which properties any other spread
/// sets.
fn has_known_property_names(attribute: &JSXAttributeItem<'_>) -> bool {
    match attribute {
        JSXAttributeItem::Attribute(_) => true,
        JSXAttributeItem::SpreadAttribute(spread) => {
            matches!(spread.argument, Expression::ObjectExpression(_))
        }
    }
}
