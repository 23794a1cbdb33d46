//! Classes whose fields and parameter properties oxc initializes at the wrong place.

use oxc::ast::ast::Program;

use super::{Edits, File};

pub(super) fn concerns(file: &File<'_>) -> bool {
    file.is_typescript && file.source.contains("class")
}

pub(super) fn rewrite(_: &Program<'_>, _: &File<'_>, _: &mut Edits) {}
