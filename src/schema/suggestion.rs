//! Chooses a known name to suggest for an unknown one. Never suggests a name that grants more rights.

use crate::diagnostic::most_similar_name;

/// The names that may be suggested for an unknown name.
#[derive(Debug)]
pub(crate) enum SuggestionPolicy {
    /// Any name.
    Any,
    /// Any name except this name, which grants more rights than all others.
    Except(&'static str),
    /// The successor of a retired scope, or a scope with similar segments.
    Scope,
}

/// The scopes that GitBook has retired, and their successors.
const RETIRED_SCOPES: [(&str, &str); 2] =
    [("space:views:read", "site:views:read"), ("space:script:inject", "site:script:inject")];

/// Returns a sentence that suggests a known name for an unknown name, or `None` if no known name is similar.
pub(super) fn suggestion(unknown: &str, known: &[&str], suggest: &SuggestionPolicy) -> Option<String> {
    let successor = RETIRED_SCOPES.iter().find(|(retired, _)| *retired == unknown);
    let name = match suggest {
        SuggestionPolicy::Any => most_similar_name(unknown, known.iter().copied()),
        SuggestionPolicy::Except(widest) => {
            most_similar_name(unknown, known.iter().copied().filter(|name| name != widest))
        }
        SuggestionPolicy::Scope => match successor {
            Some((_, successor)) => return Some(format!("use its successor `{successor}`")),
            None => most_similar_scope(unknown, known),
        },
    };
    name.map(|name| format!("did you mean `{name}`?"))
}

/// Returns the known scope that is most similar to an unknown scope. Compares the segments one by one, because scopes such as
/// `space:content:read` and `space:content:write` have long common prefixes.
fn most_similar_scope<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let candidates: Vec<_> = known.iter().copied().filter(|scope| is_similar_scope(unknown, scope)).collect();
    let first = |scope: &'a str| scope.split(':').next().unwrap_or(scope);
    let has_near_first =
        |scope: &&'a str| is_similar(unknown.split(':').next().unwrap_or(unknown), first(scope));
    most_similar_name(unknown, candidates.iter().copied().filter(has_near_first)).or_else(
        || match *candidates {
            [only] => Some(only),
            _ => None,
        },
    )
}

/// Returns true if two scopes have the same number of segments, at least two, and all segments are similar. With three or more
/// segments, the first segment may differ. If it could also differ with two, `openapi:read` would be suggested for `space:read`.
fn is_similar_scope(unknown: &str, known: &str) -> bool {
    let (unknown, known): (Vec<_>, Vec<_>) = (unknown.split(':').collect(), known.split(':').collect());
    let first_may_match = unknown.len() > 2 || is_similar(unknown[0], known[0]);
    let mut other_segments = unknown.iter().zip(&known).skip(1);
    unknown.len() == known.len()
        && unknown.len() > 1
        && first_may_match
        && other_segments.all(|(a, b)| is_similar(a, b))
}

fn is_similar(unknown: &str, known: &str) -> bool {
    most_similar_name(unknown, [known]).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::{MANIFEST, SchemaRule};
    use super::suggestion;

    #[track_caller]
    fn check(field: &str, unknown: &str, expected: Option<&str>) {
        let SchemaRule::Object(fields) = MANIFEST else { panic!("the manifest schema is not an object") };
        let rule = &fields.iter().find(|candidate| candidate.name == field).unwrap().rule;
        let names = if let SchemaRule::List { of, .. } = rule { of } else { rule };
        let SchemaRule::OneOf { known, suggest, .. } = names else { panic!("`{field}` has no known names") };
        assert_eq!(suggestion(unknown, known, suggest).as_deref(), expected, "{unknown}");
    }

    #[test]
    fn suggests_the_successor_of_a_retired_scope() {
        check("scopes", "space:views:read", Some("use its successor `site:views:read`"));
        check("scopes", "space:script:inject", Some("use its successor `site:script:inject`"));
        check("scopes", "space:script:cookies", Some("did you mean `site:script:cookies`?"));
        check("categories", "space:views:read", None);
    }

    #[test]
    fn suggests_a_scope_for_a_misspelled_scope() {
        check("scopes", "space:content:raed", Some("did you mean `space:content:read`?"));
        check("scopes", "space:contents:write", Some("did you mean `space:content:write`?"));
        check("scopes", "sites:metadata:read", Some("did you mean `site:metadata:read`?"));
        check("scopes", "spaces:metadata:read", Some("did you mean `space:metadata:read`?"));
        check("scopes", "conversation:ingest", Some("did you mean `conversations:ingest`?"));
        check("scopes", "openapi:reed", Some("did you mean `openapi:read`?"));
    }

    #[test]
    fn suggests_no_scope_with_other_rights() {
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
    fn suggests_no_value_that_grants_more_rights() {
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
