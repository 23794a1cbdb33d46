//! Finds integrations and previews with the same name.

use std::collections::HashMap;

use crate::deploy::NamedPreview;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::integration::Identity;

/// Returns an error for each preview name that is also the name of an integration or of another preview. If two integrations have
/// the same name, returns no error for their previews, because [`duplicate_names`] reports the integrations.
pub(super) fn name_collisions(previews: &[NamedPreview]) -> Vec<Diagnostic> {
    let preview_by_integration: HashMap<_, _> =
        previews.iter().map(|preview| (preview.integration.to_lowercase(), preview)).collect();
    let mut preview_by_name: HashMap<String, &NamedPreview> = HashMap::new();
    let mut problems = Vec::new();
    for preview in previews {
        let NamedPreview { integration, name, location } = preview;
        let other = preview_by_name.get(&name.to_lowercase());
        let message = if let Some(other) = preview_by_integration.get(&name.to_lowercase()) {
            format!("preview name `{name}` is already the name of the integration in `{}`", other.location)
        } else if let Some(other) = other.filter(|other| !is_same_name(&other.integration, integration)) {
            let NamedPreview { integration: other_name, location, .. } = other;
            format!("`{integration}` and `{other_name}` (`{location}`) have the same preview name `{name}`")
        } else {
            preview_by_name.entry(name.to_lowercase()).or_insert(preview);
            continue;
        };
        let hint = "change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`".to_owned();
        problems.push(Diagnostic::error(location.clone(), message).with_hint(hint));
    }
    problems
}

fn is_same_name(name: &str, other: &str) -> bool {
    name.to_lowercase() == other.to_lowercase()
}

/// Returns an error for each integration that has the same name as an earlier integration. Ignores case.
pub(super) fn duplicate_names(integrations: &[Identity]) -> Vec<Diagnostic> {
    let mut location_by_name: HashMap<String, &SourceLocation> = HashMap::new();
    let mut problems = Vec::new();
    for Identity { name, name_location, .. } in integrations {
        match location_by_name.get(&name.to_lowercase()) {
            Some(other) => {
                let message = format!("duplicate name `{name}`: also used in `{other}`");
                let hint = "rename one of the integrations; names are unique across GitBook".to_owned();
                problems.push(Diagnostic::error(name_location.clone(), message).with_hint(hint));
            }
            None => drop(location_by_name.insert(name.to_lowercase(), name_location)),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{duplicate_names, name_collisions};
    use crate::deploy::NamedPreview;
    use crate::diagnostic::SourceLocation;
    use crate::integration::Identity;

    fn check_previews(previews: &[(&str, &str)], expected: &[&str]) {
        let named = |(integration, name): &(&str, &str)| NamedPreview {
            integration: (*integration).to_owned(),
            location: SourceLocation::file(*integration),
            name: (*name).to_owned(),
        };
        let previews: Vec<_> = previews.iter().map(named).collect();
        let found: Vec<_> = name_collisions(&previews).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rejects_previews_with_a_name_in_use() {
        check_previews(&[("a", "a-x"), ("b", "b-x")], &[]);
        check_previews(
            &[("a", "A-X"), ("a-x", "a-x-x")],
            &["a: preview name `A-X` is already the name of the integration in `a-x`"],
        );
        check_previews(
            &[("a", "p-x"), ("b", "p-X")],
            &["b: `b` and `a` (`a`) have the same preview name `p-X`"],
        );
        check_previews(&[("a", "p-x"), ("A", "p-X")], &[]);
    }

    #[test]
    fn rejects_integrations_with_the_same_name() {
        let identity = |(name, file): (&str, &str)| Identity {
            name: name.to_owned(),
            organization: None,
            location: SourceLocation::file(file),
            name_location: SourceLocation::file(file).at(1, 7),
        };
        let found = duplicate_names(&[("hello", "1"), ("other", "2"), ("Hello", "3")].map(identity));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["3:1:7: duplicate name `Hello`: also used in `1:1:7`"]);
    }
}
