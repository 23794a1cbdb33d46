//! Names that stand in one another's way.

use std::collections::HashMap;

use crate::deploy::NamedPreview;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::integration::Identity;

/// An error for each preview whose name is an integration's own, or another preview's. Previews of integrations that have
/// one name themselves are left to [`same`].
pub(super) fn collisions(previews: &[NamedPreview]) -> Vec<Diagnostic> {
    let own: HashMap<_, _> =
        previews.iter().map(|preview| (preview.integration.to_lowercase(), preview)).collect();
    let mut first: HashMap<String, &NamedPreview> = HashMap::new();
    let mut problems = Vec::new();
    for preview in previews {
        let NamedPreview { integration, name, place } = preview;
        let other = first.get(&name.to_lowercase());
        let message = if let Some(other) = own.get(&name.to_lowercase()) {
            format!("the preview's name `{name}` is an integration's own name: `{}`", other.place)
        } else if let Some(other) = other.filter(|other| !is_same(&other.integration, integration)) {
            let NamedPreview { integration: others, place, .. } = other;
            format!("`{others}`, in `{place}`, and `{integration}` have previews of one name, `{name}`")
        } else {
            first.entry(name.to_lowercase()).or_insert(preview);
            continue;
        };
        let hint = "change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`".to_owned();
        problems.push(Diagnostic::error(place.clone(), message).hint(hint));
    }
    problems
}

fn is_same(name: &str, other: &str) -> bool {
    name.to_lowercase() == other.to_lowercase()
}

/// An error for each name that a second integration has, whatever its case.
pub(super) fn same(integrations: &[Identity]) -> Vec<Diagnostic> {
    let mut first: HashMap<String, &SourceLocation> = HashMap::new();
    let mut problems = Vec::new();
    for Identity { name, name_location: named, .. } in integrations {
        match first.get(&name.to_lowercase()) {
            Some(other) => {
                let message = format!("`{name}` is the name of another integration, too: `{other}`");
                let hint = "names are unique over all of GitBook: rename one of them".to_owned();
                problems.push(Diagnostic::error(named.clone(), message).hint(hint));
            }
            None => drop(first.insert(name.to_lowercase(), named)),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{collisions, same};
    use crate::deploy::NamedPreview;
    use crate::diagnostic::SourceLocation;
    use crate::integration::Identity;

    fn check_previews(previews: &[(&str, &str)], expected: &[&str]) {
        let named = |(integration, name): &(&str, &str)| NamedPreview {
            integration: (*integration).to_owned(),
            place: SourceLocation::file(*integration),
            name: (*name).to_owned(),
        };
        let previews: Vec<_> = previews.iter().map(named).collect();
        let found: Vec<_> = collisions(&previews).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn no_preview_has_the_name_of_another_thing() {
        check_previews(&[("a", "a-x"), ("b", "b-x")], &[]);
        check_previews(
            &[("a", "A-X"), ("a-x", "a-x-x")],
            &["a: the preview's name `A-X` is an integration's own name: `a-x`"],
        );
        check_previews(
            &[("a", "p-x"), ("b", "p-X")],
            &["b: `a`, in `a`, and `b` have previews of one name, `p-X`"],
        );
        check_previews(&[("a", "p-x"), ("A", "p-X")], &[]);
    }

    #[test]
    fn no_two_integrations_have_one_name() {
        let identity = |(name, file): (&str, &str)| Identity {
            name: name.to_owned(),
            organization: None,
            place: SourceLocation::file(file),
            name_location: SourceLocation::file(file).at(1, 7),
        };
        let found = same(&[("hello", "1"), ("other", "2"), ("Hello", "3")].map(identity));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["3:1:7: `Hello` is the name of another integration, too: `1:1:7`"]);
    }
}
