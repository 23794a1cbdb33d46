//! Checks before each change of a preview that this program created the preview for this repository and branch.

use serde_json::Number;

use super::concurrent_runs::{ReadState, version_number};
use crate::gitbook::PublishedIntegration;
use crate::preview::OwnershipMarker;

/// The reason why an existing integration must not be changed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GuardError {
    /// An integration without an ownership marker.
    #[error("`{name}` was not changed: the existing integration “{title}” was not created by gitbook-deploy")]
    NotMarked {
        /// The integration's name.
        name: String,
        /// The integration's title.
        title: String,
    },
    /// A preview with a damaged marker.
    #[error("`{name}` was not changed: its ownership marker is damaged")]
    Damaged {
        /// The integration's name.
        name: String,
        /// The marker that the preview of this branch would have.
        marker: Box<OwnershipMarker>,
    },
    /// A preview of another integration, branch or repository.
    #[error("`{name}` was not changed: it is a preview of the integration `{}` on branch `{}` of `{}`", marker.integration, marker.branch, marker.repository)]
    OtherPreview {
        /// The integration's name.
        name: String,
        /// The marker of the existing preview.
        marker: Box<OwnershipMarker>,
        /// True if only the repository differs, and the other repository may be this one before it was renamed or moved.
        is_moved: bool,
    },
    /// An integration that has the expected marker, but must not be changed for another reason.
    #[error("`{name}` was not changed: {protection}")]
    Protected {
        /// The integration's name.
        name: String,
        /// The reason to keep the integration.
        protection: Protection,
    },
    /// A preview that a newer run has published.
    #[error("a newer run ({}) has published this preview", .0.run)]
    Newer(Box<OwnershipMarker>),
}

/// The reason why an integration with the expected marker must not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Protection {
    /// The integration is public, so others may have installed it.
    #[error("it is public; only private or unlisted previews are changed or deleted")]
    Public,
    /// An integration with an unknown visibility.
    #[error("its visibility is unknown; only private or unlisted previews are changed or deleted")]
    UnknownVisibility,
    /// The integration has the name of an integration in production.
    #[error("it has the name of an integration in production")]
    Production,
}

impl Protection {
    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Public | Self::UnknownVisibility => {
                "set its visibility to private or unlisted in GitBook, or delete it there"
            }
            Self::Production => "change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`",
        }
    }
}

impl GuardError {
    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NotMarked { .. } => "set `GITBOOK_PREVIEW_NAME` to give previews another name; if someone removed the ownership marker from a preview, delete that preview in GitBook".to_owned(),
            Self::Damaged { marker, .. } => format!("if it is the preview of this branch, make `{marker}` the last line of its summary or delete it in GitBook, then re-run the job"),
            Self::OtherPreview { marker, is_moved: true, .. } => format!("set `GITBOOK_PREVIEW_NAME` to give previews another name; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `{}` until its previews are deleted", marker.repository),
            Self::OtherPreview { .. } => "set `GITBOOK_PREVIEW_NAME` to give previews another name".to_owned(),
            Self::Protected { protection, .. } => protection.hint().to_owned(),
            Self::Newer(_) => "no action needed: the preview of the newer run is kept".to_owned(),
        }
    }
}

/// Checks that this run may overwrite or delete an existing preview, and returns the preview's marker.
pub(super) fn check_may_change(
    name: &str,
    existing: &PublishedIntegration,
    expected: &OwnershipMarker,
) -> Result<OwnershipMarker, GuardError> {
    let marker = find_own_marker(name, existing, expected)?;
    if let Some(protection) = protection(name, existing, [&*marker.integration]) {
        return Err(GuardError::Protected { name: name.to_owned(), protection });
    }
    if marker.is_newer_than(expected) { Err(GuardError::Newer(Box::new(marker))) } else { Ok(marker) }
}

/// Returns the reason why an integration must not be changed even if it has the expected marker, or `None` if there is no reason.
/// `production` contains the names of integrations in production.
pub(super) fn protection<'a>(
    name: &str,
    existing: &PublishedIntegration,
    production: impl IntoIterator<Item = &'a str>,
) -> Option<Protection> {
    if production.into_iter().any(|production| production.eq_ignore_ascii_case(name)) {
        Some(Protection::Production)
    } else {
        match existing.visibility.as_deref() {
            None => Some(Protection::UnknownVisibility),
            Some("public") => Some(Protection::Public),
            Some(_) => None,
        }
    }
}

/// Returns true if an earlier attempt of this run has published the preview, and false if this run may publish it again.
pub(super) fn has_published_preview(
    name: &str,
    existing: Option<&PublishedIntegration>,
    last: &ReadState,
    marker: &OwnershipMarker,
) -> Result<bool, GuardError> {
    let Some(existing) = existing else { return Ok(false) };
    // If the preview has not changed since the last read, no attempt has published it, even if it already has the same marker.
    let is_unchanged = last
        .existing
        .as_ref()
        .is_some_and(|last| (&last.version, &last.summary) == (&existing.version, &existing.summary));
    if is_unchanged {
        return Ok(false);
    }
    check_may_change(name, existing, marker).map(|found| found == *marker)
}

/// Returns true if an earlier attempt of this run has published to production, and false if this run may publish again. Replaces
/// the check for newer commits if the forge cannot be asked or does not respond. `unanswered` is the number of attempts that may
/// have taken effect.
///
/// # Errors
/// Returns the existing version if another run has published it, because it is unknown which run has the newer commit.
pub(super) fn has_published_to_production(
    existing: Option<&PublishedIntegration>,
    last: &ReadState,
    unanswered: u32,
    is_own: impl FnOnce(&PublishedIntegration) -> bool,
) -> Result<bool, Number> {
    let Some((existing, version)) = existing.and_then(|existing| Some((existing, existing.version.clone()?)))
    else {
        return Ok(false);
    };
    let before = if last.is_known { last.existing.as_ref().map_or(Some(0), version_number) } else { None };
    match before.zip(version_number(existing)) {
        Some((before, now)) if before == now => Ok(false),
        Some((before, now))
            if now.checked_sub(before) == Some(1) && unanswered > last.unanswered && is_own(existing) =>
        {
            Ok(true)
        }
        Some(_) => Err(version),
        None => Ok(false),
    }
}

/// Returns the marker of an existing preview if it belongs to the expected integration, repository and branch.
fn find_own_marker(
    name: &str,
    existing: &PublishedIntegration,
    expected: &OwnershipMarker,
) -> Result<OwnershipMarker, GuardError> {
    let name = name.to_owned();
    match existing.summary.as_deref().and_then(OwnershipMarker::parse) {
        Some(marker) if marker.is_same_preview(expected) => Ok(marker),
        Some(marker) => {
            let is_moved = (&marker.integration, &marker.branch) == (&expected.integration, &expected.branch)
                && marker.may_belong_to_renamed_repository(&expected.repository, expected.repository_id);
            Err(GuardError::OtherPreview { name, marker: Box::new(marker), is_moved })
        }
        None if existing.summary.as_deref().is_some_and(OwnershipMarker::resembles) => {
            Err(GuardError::Damaged { name, marker: Box::new(expected.clone()) })
        }
        None => Err(GuardError::NotMarked { name, title: existing.title.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::{ReadState, check_may_change, has_published_preview, has_published_to_production};
    use crate::gitbook::PublishedIntegration;
    use crate::preview::OwnershipMarker;

    fn marker() -> OwnershipMarker {
        OwnershipMarker {
            integration: "hello".to_owned(),
            repository: "github.com/acme/docs".to_owned(),
            branch: "feature/x".to_owned(),
            run: 12,
            ..OwnershipMarker::default()
        }
    }

    /// Returns the error message and the hint for an existing integration with this summary.
    fn error_and_hint(summary: Option<String>) -> (String, String) {
        let existing = PublishedIntegration {
            name: "hello-x".to_owned(),
            title: "Hello".to_owned(),
            summary,
            ..PublishedIntegration::default()
        };
        let error = super::find_own_marker(&existing.name, &existing, &marker()).unwrap_err();
        (error.to_string(), error.hint())
    }

    #[test]
    fn accepts_the_same_preview_of_any_run_and_commit() {
        let other = OwnershipMarker { run: 99, commit: "c".to_owned(), hash: "h".to_owned(), ..marker() };
        let summary = Some(format!("Hello.\n\n{other}\n"));
        let existing = PublishedIntegration { summary, ..PublishedIntegration::default() };
        assert_eq!(super::find_own_marker(&existing.name, &existing, &marker()), Ok(other));
    }

    #[test]
    fn keeps_an_integration_without_a_marker() {
        for summary in [None, Some(String::new()), Some("Hello.".to_owned())] {
            let (error, hint) = error_and_hint(summary);
            assert_eq!(
                error,
                "`hello-x` was not changed: the existing integration “Hello” was not created by gitbook-deploy"
            );
            assert_eq!(
                hint,
                "set `GITBOOK_PREVIEW_NAME` to give previews another name; if someone removed the ownership marker from a preview, delete that preview in GitBook"
            );
        }
    }

    /// Returns an existing preview with this marker and version.
    fn preview(marker: &OwnershipMarker, version: u64) -> PublishedIntegration {
        PublishedIntegration {
            name: "hello-x".to_owned(),
            version: Some(version.into()),
            summary: Some(marker.to_string()),
            visibility: Some("private".to_owned()),
            ..PublishedIntegration::default()
        }
    }

    #[test]
    fn keeps_a_preview_of_a_newer_run() {
        let check_run = |run: u64| {
            check_may_change("hello-x", &preview(&OwnershipMarker { run, ..marker() }, 1), &marker())
        };
        assert_eq!(check_run(11).unwrap().run, 11);
        assert_eq!(check_run(12).unwrap().run, 12);
        let error = check_run(13).unwrap_err();
        assert_eq!(error.to_string(), "a newer run (13) has published this preview");
        assert_eq!(error.hint(), "no action needed: the preview of the newer run is kept");
    }

    #[test]
    fn publishes_a_preview_again_unless_an_earlier_attempt_has_published_it() {
        let sent = OwnershipMarker { hash: "new".to_owned(), ..marker() };
        let old = OwnershipMarker { run: 11, hash: "old".to_owned(), ..marker() };
        let has_published_preview =
            |before: Option<&PublishedIntegration>, existing: Option<&PublishedIntegration>| {
                let last = ReadState { existing: before.cloned(), is_known: true, unanswered: 0 };
                has_published_preview("hello-x", existing, &last, &sent)
            };
        let check = |before: Option<&PublishedIntegration>,
                     existing: Option<PublishedIntegration>,
                     has_succeeded: bool| {
            assert_eq!(
                has_published_preview(before, existing.as_ref()),
                Ok(has_succeeded),
                "{before:?} {existing:?}"
            );
        };
        check(None, None, false);
        check(Some(&preview(&old, 1)), None, false);
        check(Some(&preview(&old, 1)), Some(preview(&old, 1)), false);
        check(None, Some(preview(&sent, 1)), true);
        check(Some(&preview(&old, 1)), Some(preview(&sent, 2)), true);
        // The existing preview is from the same run, but has other content.
        check(None, Some(preview(&OwnershipMarker { hash: "other".to_owned(), ..marker() }, 1)), false);
        check(None, Some(preview(&OwnershipMarker { commit: "other".to_owned(), ..sent.clone() }, 1)), false);
        // The existing preview already had the same marker before this run.
        check(Some(&preview(&sent, 1)), Some(preview(&sent, 1)), false);
        check(Some(&preview(&sent, 1)), Some(preview(&sent, 2)), true);
        let check_error = |existing: PublishedIntegration| {
            assert!(has_published_preview(Some(&preview(&old, 1)), Some(&existing)).is_err(), "{existing:?}");
        };
        check_error(preview(&OwnershipMarker { run: 13, ..sent.clone() }, 2));
        check_error(preview(
            &OwnershipMarker { repository: "github.com/acme/other".to_owned(), ..sent.clone() },
            2,
        ));
        check_error(PublishedIntegration { summary: None, ..preview(&sent, 2) });
    }

    #[test]
    fn does_not_publish_to_production_after_another_run() {
        let version = |version: u64| PublishedIntegration {
            version: Some(version.into()),
            ..PublishedIntegration::default()
        };
        let check = |before: Option<u64>, now: Option<u64>, unanswered: u32, expected: Result<bool, &str>| {
            let (last, existing) = (
                ReadState { existing: before.map(version), is_known: true, unanswered: 0 },
                now.map(version),
            );
            let again = has_published_to_production(existing.as_ref(), &last, unanswered, |_| true);
            let again = again.map_err(|version| version.to_string());
            assert_eq!(again, expected.map_err(str::to_owned), "{before:?} {now:?} {unanswered}");
        };
        check(Some(3), Some(3), 1, Ok(false));
        check(None, None, 1, Ok(false));
        // The response to an earlier attempt was lost.
        check(Some(3), Some(4), 1, Ok(true));
        check(None, Some(1), 1, Ok(true));
        check(Some(3), Some(4), 0, Err("4"));
        check(Some(3), Some(5), 1, Err("5"));
        check(Some(3), Some(1), 1, Err("1"));
        check(Some(3), None, 1, Ok(false));
        let last = ReadState { existing: Some(version(3)), is_known: true, unanswered: 0 };
        let differs = has_published_to_production(Some(&version(4)), &last, 1, |_| false);
        assert!(differs.is_err());
        let last = ReadState { existing: None, is_known: false, unanswered: 0 };
        let unknown = has_published_to_production(Some(&version(4)), &last, 1, |_| true);
        assert!(matches!(unknown, Ok(false)), "{unknown:?}");
    }

    #[test]
    fn the_hint_for_a_damaged_marker_contains_the_correct_marker() {
        let correct = marker().to_string();
        for damaged in [
            correct.replace(" -->", ""),
            correct.replace(" branch=", " brunch="),
            format!("{correct}\nHello."),
        ] {
            let (error, hint) = error_and_hint(Some(damaged));
            assert_eq!(error, "`hello-x` was not changed: its ownership marker is damaged");
            let suggested = hint.split('`').nth(1).unwrap();
            assert_eq!(OwnershipMarker::parse(suggested), Some(marker()), "{hint}");
        }
    }

    #[test]
    fn keeps_another_preview_and_names_its_owner() {
        let check = |other: OwnershipMarker, owner: &str| {
            let (error, hint) = error_and_hint(Some(other.to_string()));
            assert_eq!(
                error,
                format!("`hello-x` was not changed: it is a preview of the integration {owner}")
            );
            let is_moved = other.repository != marker().repository;
            let moved = format!(
                "; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `{}` until its previews are deleted",
                other.repository
            );
            let moved = if is_moved { moved } else { String::new() };
            assert_eq!(hint, format!("set `GITBOOK_PREVIEW_NAME` to give previews another name{moved}"));
        };
        let with = |change: fn(&mut OwnershipMarker)| {
            let mut marker = marker();
            change(&mut marker);
            marker
        };
        check(
            with(|marker| marker.integration = "hello-x".to_owned()),
            "`hello-x` on branch `feature/x` of `github.com/acme/docs`",
        );
        check(
            with(|marker| marker.repository = "git.example.com/acme/docs".to_owned()),
            "`hello` on branch `feature/x` of `git.example.com/acme/docs`",
        );
        check(
            with(|marker| marker.branch = "mona:feature/x".to_owned()),
            "`hello` on branch `mona:feature/x` of `github.com/acme/docs`",
        );
    }
}
