//! Licences, which stand in a script once each. Some packages repeat theirs in every file; the bundler keeps all of them,
//! the vendor's CLI one.

use std::collections::HashSet;

use oxc::allocator::Allocator;
use oxc::parser::Parser;
use oxc::span::SourceType;

/// What the bundler takes a licence by.
const MARKS: [&str; 4] = ["/*!", "//!", "@license", "@preserve"];

/// The script without the licences that stand further up already.
pub(super) fn once(script: String) -> String {
    if !MARKS.iter().any(|mark| script.matches(mark).nth(1).is_some()) {
        return script;
    }
    let allocator = Allocator::default();
    // A mark may as well stand in a text.
    let parsed = Parser::new(&allocator, &script, SourceType::mjs()).parse();
    let licences = parsed.program.comments.iter().filter(|comment| comment.is_legal());
    let mut seen = HashSet::new();
    let mut rest = String::with_capacity(script.len());
    let mut end = 0;
    for licence in licences {
        let (start, until) = (licence.span.start as usize, licence.span.end as usize);
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

    #[track_caller]
    fn check(script: &str, expected: &str) {
        assert_eq!(once(script.to_owned()), expected, "{script:?}");
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
