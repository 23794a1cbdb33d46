//! Removes repeated license comments. Some packages repeat their license in every file, and the bundler keeps every copy.

use std::collections::HashSet;

use oxc::span::Span;

/// Returns a script with only the first copy of each license comment. `licenses` are the spans of all license comments.
pub(super) fn deduplicate(script: String, licenses: &[Span]) -> String {
    if licenses.len() < 2 {
        return script;
    }
    let mut known_licenses = HashSet::new();
    let mut deduplicated = String::with_capacity(script.len());
    let mut copied_up_to = 0;
    for license in licenses {
        let (start, end) = (license.start as usize, license.end as usize);
        let text = &script[start..end];
        if !known_licenses.insert(text) {
            deduplicated.push_str(&script[copied_up_to..start]);
            // The removed comment separated two tokens, so a space replaces it. If the comment contained a line break, it also
            // ended the line, so a line break replaces it.
            let separator = if text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) { '\n' } else { ' ' };
            if !deduplicated.ends_with(['\n', separator]) {
                deduplicated.push(separator);
            }
            copied_up_to = end;
        }
    }
    deduplicated + &script[copied_up_to..]
}

#[cfg(test)]
mod tests {
    use super::deduplicate;
    use crate::integration::bundle::output_check::check_and_find_licenses;

    #[track_caller]
    fn check(script: &str, expected: &str) {
        let licenses = check_and_find_licenses(script).unwrap();
        assert_eq!(deduplicate(script.to_owned(), &licenses), expected, "{script:?}");
    }

    #[test]
    fn keeps_the_first_copy_of_a_license() {
        check("/*! A */a();/*! B */b();/*! A */c();", "/*! A */a();/*! B */b(); c();");
        check("//! A\na();\n//! A\nb();", "//! A\na();\n\nb();");
        check("/** @license\n * A */a();\n/** @license\n * A */\nb();", "/** @license\n * A */a();\n\nb();");
    }

    #[test]
    fn separates_tokens_around_a_removed_comment() {
        check("/*!\n*/let a=1/*!\n*/let b=2", "/*!\n*/let a=1\nlet b=2");
        check("/*!*/let/*!*/a=1", "/*!*/let a=1");
    }

    #[test]
    fn keeps_all_text_except_repeated_license_comments() {
        check("/*! A */a();", "/*! A */a();");
        check("a(`/*! A */`);b(`/*! A */`);", "a(`/*! A */`);b(`/*! A */`);");
        check("a(/* A */);b(/* A */);c(`@license @license`)", "a(/* A */);b(/* A */);c(`@license @license`)");
        check("a(`${/*! A */b}/*! A */${/*! A */c}`)", "a(`${/*! A */b}/*! A */${ c}`)");
        check("", "");
    }
}
