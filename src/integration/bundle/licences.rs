//! Removes repeated licences. Some packages have theirs in every file; the bundler keeps all of them, the vendor's CLI one.

use std::collections::HashSet;

use oxc::span::Span;

/// Returns a script without the licences that it has further up already. `licences` are the places of its legal comments.
pub(super) fn once(script: String, licences: &[Span]) -> String {
    if licences.len() < 2 {
        return script;
    }
    let mut seen = HashSet::new();
    let mut rest = String::with_capacity(script.len());
    let mut end = 0;
    for licence in licences {
        let (start, until) = (licence.start as usize, licence.end as usize);
        let text = &script[start..until];
        if !seen.insert(text) {
            rest.push_str(&script[end..start]);
            // What a comment keeps apart must stay so, and one of several lines counts as the end of a line.
            let separator = if text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) { '\n' } else { ' ' };
            if !rest.ends_with(['\n', separator]) {
                rest.push(separator);
            }
            end = until;
        }
    }
    rest + &script[end..]
}

#[cfg(test)]
mod tests {
    use super::once;
    use crate::integration::bundle::output::check as check_output;

    #[track_caller]
    fn check(script: &str, expected: &str) {
        let licences = check_output(script).unwrap();
        assert_eq!(once(script.to_owned(), &licences), expected, "{script:?}");
    }

    #[test]
    fn a_licence_stands_once() {
        check("/*! A */a();/*! B */b();/*! A */c();", "/*! A */a();/*! B */b(); c();");
        check("//! A\na();\n//! A\nb();", "//! A\na();\n\nb();");
        check("/** @license\n * A */a();\n/** @license\n * A */\nb();", "/** @license\n * A */a();\n\nb();");
    }

    #[test]
    fn what_a_comment_keeps_apart_stays_apart() {
        check("/*!\n*/let a=1/*!\n*/let b=2", "/*!\n*/let a=1\nlet b=2");
        check("/*!*/let/*!*/a=1", "/*!*/let a=1");
    }

    #[test]
    fn what_is_no_licence_stays() {
        check("/*! A */a();", "/*! A */a();");
        check("a(`/*! A */`);b(`/*! A */`);", "a(`/*! A */`);b(`/*! A */`);");
        check("a(/* A */);b(/* A */);c(`@license @license`)", "a(/* A */);b(/* A */);c(`@license @license`)");
        check("a(`${/*! A */b}/*! A */${/*! A */c}`)", "a(`${/*! A */b}/*! A */${ c}`)");
        check("", "");
    }
}
