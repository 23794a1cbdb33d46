//! `key` behind a spread of an object literal in JSX. esbuild takes such properties for written ones; oxc calls `createElement` for
//! every spread before a `key`, which GitBook's runtime does not export.

use oxc::ast::ast::{Expression, JSXAttributeItem, JSXAttributeName, JSXOpeningElement, Program};
use oxc::ast_visit::{Visit, walk};
use oxc::span::GetSpan as _;

use super::{Edits, File};

pub(super) fn concerns(file: &File<'_>) -> bool {
    let has = |word: &str| file.source.contains(word);
    file.has_automatic_jsx && has("key") && has("...") && !has("@jsxRuntime classic")
}

/// Puts the `key` before the spread.
pub(super) fn rewrite(program: &Program<'_>, file: &File<'_>, edits: &mut Edits) {
    Elements { file, edits }.visit_program(program);
}

struct Elements<'f> {
    file: &'f File<'f>,
    edits: &'f mut Edits,
}

impl<'a> Visit<'a> for Elements<'_> {
    fn visit_jsx_opening_element(&mut self, element: &JSXOpeningElement<'a>) {
        let spread =
            element.attributes.iter().position(|one| matches!(one, JSXAttributeItem::SpreadAttribute(_)));
        let key = element.attributes.iter().position(is_key);
        if let (Some(spread), Some(key)) = (spread, key)
            && spread < key
            && element.attributes[..key].iter().all(is_written)
        {
            let span = element.attributes[key].span();
            self.edits.insert(element.attributes[0].span().start, format!("{} ", self.file.text(span)));
            self.edits.replace(span, "");
        }
        walk::walk_jsx_opening_element(self, element);
    }
}

fn is_key(attribute: &JSXAttributeItem<'_>) -> bool {
    let JSXAttributeItem::Attribute(attribute) = attribute else { return false };
    matches!(&attribute.name, JSXAttributeName::Identifier(name) if name.name == "key")
}

/// Returns whether all names of an attribute are in the text.
fn is_written(attribute: &JSXAttributeItem<'_>) -> bool {
    match attribute {
        JSXAttributeItem::Attribute(_) => true,
        JSXAttributeItem::SpreadAttribute(spread) => {
            matches!(spread.argument, Expression::ObjectExpression(_))
        }
    }
}
