//! Chooses a known name to suggest for an unknown one. Never suggests a name that grants more rights.

use crate::diagnostic::nearest;

/// The names that may be suggested for an unknown one.
#[derive(Debug)]
pub(crate) enum Suggest {
    /// Any name.
    Any,
    /// Any name except this one, which grants more rights than the others.
    Except(&'static str),
    /// A scope with the same meaning as the unknown one.
    Scope,
}

/// The scopes that GitBook has retired, with their successors.
const RETIRED_SCOPES: [(&str, &str); 2] =
    [("space:views:read", "site:views:read"), ("space:script:inject", "site:script:inject")];

/// Returns a sentence that suggests a known name for `text`, or `None` if no name is similar.
pub(super) fn suggestion(text: &str, known: &[&str], suggest: &Suggest) -> Option<String> {
    let successor = RETIRED_SCOPES.iter().find(|(retired, _)| *retired == text);
    let name = match suggest {
        Suggest::Any => nearest(text, known.iter().copied()),
        Suggest::Except(widest) => nearest(text, known.iter().copied().filter(|name| name != widest)),
        Suggest::Scope => match successor {
            Some((_, successor)) => return Some(format!("use its successor `{successor}`")),
            None => nearest_scope(text, known),
        },
    };
    name.map(|name| format!("did you mean `{name}`?"))
}

/// Returns the scope that a misspelled one probably stands for. Compares each part after the first separately, because scopes
/// such as `space:content:read` and `space:content:write` have long common prefixes.
fn nearest_scope<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let candidates: Vec<_> = known.iter().copied().filter(|scope| is_near_scope(text, scope)).collect();
    let first = |scope: &'a str| scope.split(':').next().unwrap_or(scope);
    let same_first = |scope: &&'a str| is_near(text.split(':').next().unwrap_or(text), first(scope));
    nearest(text, candidates.iter().copied().filter(same_first)).or_else(|| match *candidates {
        [only] => Some(only),
        _ => None,
    })
}

/// Returns true if two scopes are similar in every part after the first. The first part may differ only if at least two parts
/// follow it: for `space:read`, `openapi:read` must not be suggested.
fn is_near_scope(text: &str, scope: &str) -> bool {
    let (text, scope): (Vec<_>, Vec<_>) = (text.split(':').collect(), scope.split(':').collect());
    let same_first = text.len() > 2 || is_near(text[0], scope[0]);
    let mut parts = text.iter().zip(&scope).skip(1);
    text.len() == scope.len() && text.len() > 1 && same_first && parts.all(|(a, b)| is_near(a, b))
}

fn is_near(text: &str, known: &str) -> bool {
    nearest(text, [known]).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::{MANIFEST, SchemaRule};
    use super::suggestion;

    #[track_caller]
    fn check(field: &str, text: &str, expected: Option<&str>) {
        let SchemaRule::Object(fields) = MANIFEST else { panic!("a manifest is an object") };
        let rule = &fields.iter().find(|candidate| candidate.name == field).unwrap().rule;
        let names = if let SchemaRule::List { of, .. } = rule { of } else { rule };
        let SchemaRule::OneOf { known, suggest, .. } = names else { panic!("`{field}` has no names") };
        assert_eq!(suggestion(text, known, suggest).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_retired_scope_has_its_successor() {
        check("scopes", "space:views:read", Some("use its successor `site:views:read`"));
        check("scopes", "space:script:inject", Some("use its successor `site:script:inject`"));
        check("scopes", "space:script:cookies", Some("did you mean `site:script:cookies`?"));
        check("categories", "space:views:read", None);
    }

    #[test]
    fn a_misspelled_scope_has_a_suggestion() {
        check("scopes", "space:content:raed", Some("did you mean `space:content:read`?"));
        check("scopes", "space:contents:write", Some("did you mean `space:content:write`?"));
        check("scopes", "sites:metadata:read", Some("did you mean `site:metadata:read`?"));
        check("scopes", "spaces:metadata:read", Some("did you mean `space:metadata:read`?"));
        check("scopes", "conversation:ingest", Some("did you mean `conversations:ingest`?"));
        check("scopes", "openapi:reed", Some("did you mean `openapi:read`?"));
    }

    #[test]
    fn scopes_with_other_rights_are_not_suggested() {
        for unknown in [
            "space:views:write",
            "space:content:delete",
            "space:content",
            "space:content:",
            "space:read",
            "space:comments:read",
            "space:content:read:write",
            "page:metadata:read",
            "site:visitor:write",
            "read",
            "",
            ":",
        ] {
            check("scopes", unknown, None);
        }
    }

    #[test]
    fn wider_values_are_not_suggested() {
        check("visibility", "privat", Some("did you mean `private`?"));
        check("visibility", "unlist", Some("did you mean `unlisted`?"));
        for unknown in ["publik", "unpublic", "non-public", "published", "secret"] {
            check("visibility", unknown, None);
        }
        check("target", "sites", Some("did you mean `site`?"));
        check("target", "al", None);
        check("target", "all-sites", None);
        check("categories", "analytic", Some("did you mean `analytics`?"));
    }
}
