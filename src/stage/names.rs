//! Names that stand in one another's way.

use std::collections::HashMap;

use crate::deploy::NamedPreview;
use crate::diagnostic::{Diagnostic, Place};

/// An error for each preview whose name is an integration's own, or another preview's.
pub(super) fn collisions(previews: &[NamedPreview]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (index, preview) in previews.iter().enumerate() {
        let is = |name: &str| name.eq_ignore_ascii_case(&preview.name);
        let message = if previews.iter().any(|other| is(&other.integration)) {
            format!("the preview's name `{}` is an integration's own name", preview.name)
        } else if let Some(other) = previews[..index].iter().find(|other| is(&other.name)) {
            let NamedPreview { integration, name, .. } = preview;
            format!("`{}` and `{integration}` have previews of one name, `{name}`", other.integration)
        } else {
            continue;
        };
        let hint = "change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`".to_owned();
        problems.push(Diagnostic::error(preview.place.clone(), message).hint(hint));
    }
    problems
}

/// An error for each name that a second integration has, whatever its case.
pub(super) fn same<'a>(integrations: impl Iterator<Item = (&'a str, &'a Place)>) -> Vec<Diagnostic> {
    let mut first: HashMap<String, &Place> = HashMap::new();
    let mut problems = Vec::new();
    for (name, place) in integrations {
        match first.get(&name.to_lowercase()) {
            Some(other) => {
                let message = format!("`{name}` is the name of another integration, too: `{other}`");
                let hint = "names are unique over all of GitBook: rename one of them".to_owned();
                problems.push(Diagnostic::error(place.clone(), message).hint(hint));
            }
            None => drop(first.insert(name.to_lowercase(), place)),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{collisions, same};
    use crate::deploy::NamedPreview;
    use crate::diagnostic::Place;

    fn check_previews(previews: &[(&str, &str)], expected: &[&str]) {
        let named = |(integration, name): &(&str, &str)| NamedPreview {
            integration: (*integration).to_owned(),
            place: Place::file(*integration),
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
            &["a: the preview's name `A-X` is an integration's own name"],
        );
        check_previews(&[("a", "p-x"), ("b", "p-X")], &["b: `a` and `b` have previews of one name, `p-X`"]);
    }

    #[test]
    fn no_two_integrations_have_one_name() {
        let places = [Place::file("1"), Place::file("2"), Place::file("3")];
        let found = same(["hello", "other", "Hello"].into_iter().zip(&places));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["3: `Hello` is the name of another integration, too: `1`"]);
    }
}
