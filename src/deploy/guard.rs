//! The guard: nothing is overwritten or deleted that this tool did not create for this repository and branch.

use super::attempt::AttemptError;
use super::version::{Read, number};
use crate::gitbook::Published;
use crate::preview::OwnershipMarker;

/// Why what stands where a preview should be is left as it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GuardError {
    /// An integration that somebody else made.
    #[error("`{name}` (“{title}”) was not made by gitbook-deploy, so it is left as it is")]
    NotMarked {
        /// Its name.
        name: String,
        /// Its title.
        title: String,
    },
    /// A preview whose mark was changed by other hands.
    #[error("`{name}` has a mark of gitbook-deploy that can't be read, so it is left as it is")]
    Damaged {
        /// Its name.
        name: String,
        /// The mark that it should have, but for what only the run that published it knew.
        mark: Box<OwnershipMarker>,
    },
    /// A preview of something else.
    #[error("`{name}` is a preview of `{}`, branch `{}` of `{}`, so it is left as it is", mark.integration, mark.branch, mark.repository)]
    OtherPreview {
        /// Its name.
        name: String,
        /// Whose it is.
        mark: Box<OwnershipMarker>,
        /// True if only the repository differs. It may be this repository under a former name.
        is_moved: bool,
    },
    /// An integration that has our mark, and is left as it is all the same.
    #[error("`{name}` is left as it is: {protection}")]
    Protected {
        /// Its name.
        name: String,
        /// The reason.
        protection: Protection,
    },
    /// A preview that is ours, by a newer run.
    #[error("a newer run ({}) has published this preview", .0.run)]
    Newer(Box<OwnershipMarker>),
}

/// The reason to leave an integration as it is although it has our mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Protection {
    /// Somebody has made it public, and others may have installed it.
    #[error("it is public, which previews are not")]
    Public,
    /// It is an integration itself.
    #[error("it has the name of an integration itself")]
    Production,
}

impl Protection {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Public => "make it private, or delete it by hand",
            Self::Production => "change `GITBOOK_PREVIEW_NAME`, for example to `{name}-preview-{branch}`",
        }
    }
}

impl GuardError {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NotMarked { .. } => "give previews another name with `GITBOOK_PREVIEW_NAME`; if this one is a preview whose mark was edited away, delete it by hand in GitBook".to_owned(),
            Self::Damaged { mark, .. } => format!("if it is a preview of this branch, make `{mark}` the last line of its summary, or delete it by hand in GitBook; then run again"),
            Self::OtherPreview { mark, is_moved: true, .. } => format!("give previews another name with `GITBOOK_PREVIEW_NAME`; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `{}` until its previews are gone", mark.repository),
            Self::OtherPreview { .. } => "give previews another name with `GITBOOK_PREVIEW_NAME`".to_owned(),
            Self::Protected { protection, .. } => protection.hint().to_owned(),
            Self::Newer(_) => "nothing is to be done: the newer run's preview stays".to_owned(),
        }
    }
}

/// Returns the mark of an existing preview that this run may overwrite or delete: it is ours, and no newer run published it.
pub(super) fn may_change(
    name: &str,
    existing: &Published,
    expected: &OwnershipMarker,
) -> Result<OwnershipMarker, GuardError> {
    let mark = ours(name, existing, expected)?;
    if let Some(protection) = protection(name, existing, [&*mark.integration]) {
        return Err(GuardError::Protected { name: name.to_owned(), protection });
    }
    if mark.is_newer_than(expected) { Err(GuardError::Newer(Box::new(mark))) } else { Ok(mark) }
}

/// Returns why an integration with our mark is left as it is all the same, if so.
pub(super) fn protection<'a>(
    name: &str,
    existing: &Published,
    production: impl IntoIterator<Item = &'a str>,
) -> Option<Protection> {
    if production.into_iter().any(|production| production.eq_ignore_ascii_case(name)) {
        Some(Protection::Production)
    } else if existing.visibility.as_deref().is_none_or(|visibility| visibility == "public") {
        Some(Protection::Public)
    } else {
        None
    }
}

/// Returns whether an earlier attempt has published a preview with the mark `sent`; otherwise it may be published again.
pub(super) fn publish_again(
    name: &str,
    there: Option<&Published>,
    last: &Read,
    sent: &OwnershipMarker,
) -> Result<bool, GuardError> {
    let Some(there) = there else { return Ok(false) };
    // A preview that had this very mark before is published again, if at all, on purpose. The first attempt was allowed to
    // replace what stood there.
    let is_as_before = last
        .there
        .as_ref()
        .is_some_and(|last| (&last.version, &last.summary) == (&there.version, &there.summary));
    if is_as_before {
        return Ok(false);
    }
    may_change(name, there, sent).map(|mark| mark == *sent)
}

/// Returns whether an earlier attempt has published to production, if the forge cannot tell which commit is newer;
/// otherwise it may be published again. `unanswered` counts the attempts that may have taken effect.
pub(super) fn publish_to_production_again(
    there: Option<&Published>,
    last: &Read,
    unanswered: u32,
    is_ours: impl FnOnce(&Published) -> bool,
) -> Result<bool, AttemptError> {
    let Some((there, version)) = there.and_then(|there| Some((there, there.version.clone()?))) else {
        return Ok(false);
    };
    let before = if last.is_known { last.there.as_ref().map_or(Some(0), number) } else { None };
    match before.zip(number(there)) {
        Some((before, now)) if before == now => Ok(false),
        Some((before, now))
            if now.checked_sub(before) == Some(1) && unanswered > last.unanswered && is_ours(there) =>
        {
            Ok(true)
        }
        Some(_) => Err(AttemptError::Published(version)),
        None => Ok(false),
    }
}

/// The mark of an existing preview, if it is of the same integration, repository and branch.
fn ours(name: &str, existing: &Published, expected: &OwnershipMarker) -> Result<OwnershipMarker, GuardError> {
    let name = name.to_owned();
    match existing.summary.as_deref().and_then(OwnershipMarker::parse) {
        Some(mark) if mark.is_same_preview(expected) => Ok(mark),
        Some(mark) => {
            let is_moved = (&mark.integration, &mark.branch) == (&expected.integration, &expected.branch)
                && mark.may_belong_to_renamed(&expected.repository, expected.repository_id);
            Err(GuardError::OtherPreview { name, mark: Box::new(mark), is_moved })
        }
        None if existing.summary.as_deref().is_some_and(OwnershipMarker::resembles) => {
            Err(GuardError::Damaged { name, mark: Box::new(expected.clone()) })
        }
        None => Err(GuardError::NotMarked { name, title: existing.title.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Read, may_change, publish_again, publish_to_production_again};
    use crate::gitbook::Published;
    use crate::preview::OwnershipMarker;

    fn mark() -> OwnershipMarker {
        OwnershipMarker {
            integration: "hello".to_owned(),
            repository: "github.com/acme/docs".to_owned(),
            branch: "feature/x".to_owned(),
            run: 12,
            ..OwnershipMarker::default()
        }
    }

    /// What is said of an integration with this summary, and the hint.
    fn said(summary: Option<String>) -> (String, String) {
        let existing = Published {
            name: "hello-x".to_owned(),
            title: "Hello".to_owned(),
            summary,
            ..Published::default()
        };
        let error = super::ours(&existing.name, &existing, &mark()).unwrap_err();
        (error.to_string(), error.hint())
    }

    #[test]
    fn one_of_the_same_preview_is_ours_whatever_its_run_and_commit() {
        let theirs = OwnershipMarker { run: 99, commit: "c".to_owned(), hash: "h".to_owned(), ..mark() };
        let summary = Some(format!("Hello.\n\n{theirs}\n"));
        let existing = Published { summary, ..Published::default() };
        assert_eq!(super::ours(&existing.name, &existing, &mark()), Ok(theirs));
    }

    #[test]
    fn an_integration_without_a_mark_is_named_with_its_title() {
        for summary in [None, Some(String::new()), Some("Hello.".to_owned())] {
            let (error, hint) = said(summary);
            assert_eq!(error, "`hello-x` (“Hello”) was not made by gitbook-deploy, so it is left as it is");
            assert_eq!(
                hint,
                "give previews another name with `GITBOOK_PREVIEW_NAME`; if this one is a preview whose mark was edited away, delete it by hand in GitBook"
            );
        }
    }

    /// A preview in a version.
    fn by(mark: &OwnershipMarker, version: u64) -> Published {
        Published {
            name: "hello-x".to_owned(),
            version: Some(version.into()),
            summary: Some(mark.to_string()),
            visibility: Some("private".to_owned()),
            ..Published::default()
        }
    }

    #[test]
    fn a_newer_runs_is_left_as_it_is() {
        let of = |run: u64| may_change("hello-x", &by(&OwnershipMarker { run, ..mark() }, 1), &mark());
        assert_eq!(of(11).unwrap().run, 11);
        assert_eq!(of(12).unwrap().run, 12);
        let error = of(13).unwrap_err();
        assert_eq!(error.to_string(), "a newer run (13) has published this preview");
        assert_eq!(error.hint(), "nothing is to be done: the newer run's preview stays");
    }

    #[test]
    fn a_publish_is_tried_again_unless_it_has_happened() {
        let sent = OwnershipMarker { hash: "new".to_owned(), ..mark() };
        let old = OwnershipMarker { run: 11, hash: "old".to_owned(), ..mark() };
        let again = |before: Option<&Published>, there: Option<&Published>| {
            let last = Read { there: before.cloned(), is_known: true, unanswered: 0 };
            publish_again("hello-x", there, &last, &sent)
        };
        let check = |before: Option<&Published>, there: Option<Published>, has_happened: bool| {
            assert_eq!(again(before, there.as_ref()), Ok(has_happened), "{before:?} {there:?}");
        };
        check(None, None, false);
        check(Some(&by(&old, 1)), None, false);
        check(Some(&by(&old, 1)), Some(by(&old, 1)), false);
        check(None, Some(by(&sent, 1)), true);
        check(Some(&by(&old, 1)), Some(by(&sent, 2)), true);
        // Of the same run, but something else.
        check(None, Some(by(&OwnershipMarker { hash: "other".to_owned(), ..mark() }, 1)), false);
        check(None, Some(by(&OwnershipMarker { commit: "other".to_owned(), ..sent.clone() }, 1)), false);
        // The very same, but from before.
        check(Some(&by(&sent, 1)), Some(by(&sent, 1)), false);
        check(Some(&by(&sent, 1)), Some(by(&sent, 2)), true);
        let stop = |there: Published| {
            assert!(again(Some(&by(&old, 1)), Some(&there)).is_err(), "{there:?}");
        };
        stop(by(&OwnershipMarker { run: 13, ..sent.clone() }, 2));
        stop(by(&OwnershipMarker { repository: "github.com/acme/other".to_owned(), ..sent.clone() }, 2));
        stop(Published { summary: None, ..by(&sent, 2) });
    }

    #[test]
    fn production_is_not_published_again_after_another_run() {
        let at = |version: u64| Published { version: Some(version.into()), ..Published::default() };
        let check = |before: Option<u64>, now: Option<u64>, unanswered: u32, expected: Result<bool, &str>| {
            let (last, there) = (Read { there: before.map(at), is_known: true, unanswered: 0 }, now.map(at));
            let again = publish_to_production_again(there.as_ref(), &last, unanswered, |_| true);
            let again = again.map_err(|error| error.to_string());
            assert_eq!(again, expected.map_err(str::to_owned), "{before:?} {now:?} {unanswered}");
        };
        check(Some(3), Some(3), 1, Ok(false));
        check(None, None, 1, Ok(false));
        // The answer to an earlier attempt was lost.
        check(Some(3), Some(4), 1, Ok(true));
        check(None, Some(1), 1, Ok(true));
        check(Some(3), Some(4), 0, Err("another run published version 4 meanwhile"));
        check(Some(3), Some(5), 1, Err("another run published version 5 meanwhile"));
        check(Some(3), Some(1), 1, Err("another run published version 1 meanwhile"));
        check(Some(3), None, 1, Ok(false));
        let last = Read { there: Some(at(3)), is_known: true, unanswered: 0 };
        let differs = publish_to_production_again(Some(&at(4)), &last, 1, |_| false);
        assert!(differs.is_err());
        let last = Read { there: None, is_known: false, unanswered: 0 };
        let unknown = publish_to_production_again(Some(&at(4)), &last, 1, |_| true);
        assert!(matches!(unknown, Ok(false)), "{unknown:?}");
    }

    #[test]
    fn a_damaged_mark_can_be_put_right() {
        let ours = mark().to_string();
        for damaged in
            [ours.replace(" -->", ""), ours.replace(" branch=", " brunch="), format!("{ours}\nHello.")]
        {
            let (error, hint) = said(Some(damaged));
            assert_eq!(
                error,
                "`hello-x` has a mark of gitbook-deploy that can't be read, so it is left as it is"
            );
            let right = hint.split('`').nth(1).unwrap();
            assert_eq!(OwnershipMarker::parse(right), Some(mark()), "{hint}");
        }
    }

    #[test]
    fn a_preview_of_something_else_is_named_with_what_it_is_of() {
        let check = |other: OwnershipMarker, whose: &str| {
            let (error, hint) = said(Some(other.to_string()));
            assert_eq!(error, format!("`hello-x` is a preview of {whose}, so it is left as it is"));
            let is_moved = other.repository != mark().repository;
            let moved = format!(
                "; if the repository was renamed or moved, set `GITBOOK_REPOSITORY` to `{}` until its previews are gone",
                other.repository
            );
            let moved = if is_moved { moved } else { String::new() };
            assert_eq!(hint, format!("give previews another name with `GITBOOK_PREVIEW_NAME`{moved}"));
        };
        let with = |change: fn(&mut OwnershipMarker)| {
            let mut mark = mark();
            change(&mut mark);
            mark
        };
        check(
            with(|mark| mark.integration = "hello-x".to_owned()),
            "`hello-x`, branch `feature/x` of `github.com/acme/docs`",
        );
        check(
            with(|mark| mark.repository = "git.example.com/acme/docs".to_owned()),
            "`hello`, branch `feature/x` of `git.example.com/acme/docs`",
        );
        check(
            with(|mark| mark.branch = "mona:feature/x".to_owned()),
            "`hello`, branch `mona:feature/x` of `github.com/acme/docs`",
        );
    }
}
