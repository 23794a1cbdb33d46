//! Namespaces declared in several parts, of which each may use the exports of the others by their plain names.

use oxc::ast::ast::Program;

use super::{Edits, File};

pub(super) fn concerns(file: &File<'_>) -> bool {
    file.is_typescript && file.source.contains("namespace")
}

pub(super) fn rewrite(_: &Program<'_>, _: &File<'_>, _: &mut Edits) {}
