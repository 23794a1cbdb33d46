//! The rules for the names of integrations.

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::schema::MAX_NAME_LENGTH;

/// Returns the problem with an integration's name, or `None` for a valid name. The rules are those of GitBook's CLI.
pub(super) fn name_problem(name: &str, location: &SourceLocation) -> Option<Diagnostic> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let problem = |message: String| Diagnostic::error(location.clone(), message);
    if name.len() > MAX_NAME_LENGTH {
        Some(problem(format!("`name` is {} characters; the limit is {MAX_NAME_LENGTH}", name.len())))
    } else if !name.split('-').all(is_word) {
        let message = format!("`name` is `{}`, which is not valid", name.escape_debug());
        let hint = "use ASCII letters, digits and single hyphens between them".to_owned();
        Some(problem(message).with_hint(hint))
    } else {
        None
    }
}
