//! The guard: nothing is overwritten or deleted that this tool did not create for this repository and branch.

use crate::gitbook::{Deletion, Further, Published};
use crate::preview::Mark;

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
        mark: Box<Mark>,
    },
    /// A preview of something else.
    #[error("`{name}` is a preview of `{}`, branch `{}` of `{}`, so it is left as it is", mark.integration, mark.branch, mark.repository)]
    OtherPreview {
        /// Its name.
        name: String,
        /// Whose it is.
        mark: Box<Mark>,
        /// True if only the repository differs. It may be this repository under a former name.
        is_moved: bool,
    },
    /// A preview that is ours, by a newer run.
    #[error("a newer run ({0}) has published this preview")]
    Newer(u64),
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
            Self::Newer(_) => "nothing is to be done: the newer run's preview stays".to_owned(),
        }
    }
}

/// Returns the mark of an existing preview that this run may overwrite or delete: it is ours, and no newer run published it.
/// If the mark names no counter and the forge has confirmed that this run's commit is the newest of the branch (`is_tip`),
/// a preview of another commit counts as older.
pub(super) fn may_change(
    name: &str,
    existing: &Published,
    expected: &Mark,
    is_tip: bool,
) -> Result<Mark, GuardError> {
    let mark = ours(name, existing, expected)?;
    let is_older = is_tip && mark.counter.is_empty() && mark.commit != expected.commit;
    if mark.is_newer_than(expected) && !is_older { Err(GuardError::Newer(mark.run)) } else { Ok(mark) }
}

/// Whether a deletion is tried again. What is gone by then is what was wanted.
pub(super) fn delete_again(
    there: Option<Published>,
    may_be_deleted: impl FnOnce(&Published) -> bool,
) -> Further<Deletion> {
    match there {
        None => Further::Happened(Deletion::DidNotExist),
        Some(there) if may_be_deleted(&there) => Further::Try,
        Some(there) => Further::Stop(Box::new(there)),
    }
}

/// Whether a preview is published again, which is `before` the first try and is to have the mark `sent`. Where exactly
/// that is there by then, it was an earlier try, and one more would make one more version.
pub(super) fn publish_again(
    there: Option<Published>,
    before: Option<&Published>,
    sent: &Mark,
) -> Further<Published> {
    let Some(there) = there else { return Further::Try };
    // What had this very mark already is published once more, if at all, on purpose.
    let is_as_before =
        before.is_some_and(|before| (&before.version, &before.summary) == (&there.version, &there.summary));
    // The first try was allowed to replace this; what the forge has said before it may be wrong by now.
    if is_as_before {
        return Further::Try;
    }
    match may_change(&there.name, &there, sent, false) {
        Ok(mark) if mark == *sent => Further::Happened(there),
        Ok(_) => Further::Try,
        Err(_) => Further::Stop(Box::new(there)),
    }
}

/// The mark of an existing preview, if it is of the same integration, repository and branch.
fn ours(name: &str, existing: &Published, expected: &Mark) -> Result<Mark, GuardError> {
    let name = name.to_owned();
    match existing.summary.as_deref().and_then(Mark::find) {
        Some(mark) if mark.is_of_the_same_preview(expected) => Ok(mark),
        Some(mark) => {
            let is_moved = (&mark.integration, &mark.branch) == (&expected.integration, &expected.branch);
            Err(GuardError::OtherPreview { name, mark: Box::new(mark), is_moved })
        }
        None if existing.summary.as_deref().is_some_and(Mark::is_in) => {
            Err(GuardError::Damaged { name, mark: Box::new(expected.clone()) })
        }
        None => Err(GuardError::NotMarked { name, title: existing.title.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::{GuardError, delete_again, may_change, publish_again};
    use crate::gitbook::{Deletion, Further, Published};
    use crate::preview::Mark;

    fn mark() -> Mark {
        Mark {
            integration: "hello".to_owned(),
            repository: "github.com/acme/docs".to_owned(),
            branch: "feature/x".to_owned(),
            run: 12,
            ..Mark::default()
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
        let theirs = Mark { run: 99, commit: "c".to_owned(), hash: "h".to_owned(), ..mark() };
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
    fn by(mark: &Mark, version: u64) -> Published {
        Published {
            name: "hello-x".to_owned(),
            version: Some(version.into()),
            summary: Some(mark.to_string()),
            ..Published::default()
        }
    }

    #[test]
    fn a_newer_runs_is_left_as_it_is() {
        let of = |run: u64| may_change("hello-x", &by(&Mark { run, ..mark() }, 1), &mark(), false);
        assert_eq!(of(11).unwrap().run, 11);
        assert_eq!(of(12).unwrap().run, 12);
        let elsewhere = Mark { run: 99, commit: "older".to_owned(), ..mark() };
        let of_tip = |theirs: &Mark| may_change("hello-x", &by(theirs, 1), &mark(), true);
        assert_eq!(of_tip(&elsewhere).unwrap(), elsewhere);
        assert_eq!(of_tip(&Mark { run: 99, ..mark() }), Err(GuardError::Newer(99)));
        let error = of(13).unwrap_err();
        assert_eq!(error.to_string(), "a newer run (13) has published this preview");
        assert_eq!(error.hint(), "nothing is to be done: the newer run's preview stays");
    }

    #[test]
    fn a_deletion_is_tried_again_where_the_first_try_would_be_made() {
        let check = |there: Option<Published>, expected: Further<Deletion>| {
            let may_be_deleted = |there: &Published| may_change("hello-x", there, &mark(), false).is_ok();
            assert_eq!(delete_again(there, may_be_deleted), expected);
        };
        let stop = |there: Published| check(Some(there.clone()), Further::Stop(Box::new(there)));
        check(None, Further::Happened(Deletion::DidNotExist));
        check(Some(by(&Mark { run: 11, ..mark() }, 1)), Further::Try);
        check(Some(by(&mark(), 1)), Further::Try);
        stop(by(&Mark { run: 13, ..mark() }, 1));
        stop(by(&Mark { branch: "main".to_owned(), ..mark() }, 1));
        stop(Published { summary: None, ..by(&mark(), 1) });
    }

    #[test]
    fn a_publish_is_tried_again_unless_it_has_happened() {
        let sent = Mark { hash: "new".to_owned(), ..mark() };
        let old = Mark { run: 11, hash: "old".to_owned(), ..mark() };
        let check = |before: Option<&Published>, there: Option<Published>, expected: Further<Published>| {
            assert_eq!(publish_again(there, before, &sent), expected);
        };
        let stop =
            |there: Published| check(Some(&by(&old, 1)), Some(there.clone()), Further::Stop(Box::new(there)));
        check(None, None, Further::Try);
        check(Some(&by(&old, 1)), None, Further::Try);
        check(Some(&by(&old, 1)), Some(by(&old, 1)), Further::Try);
        check(None, Some(by(&sent, 1)), Further::Happened(by(&sent, 1)));
        check(Some(&by(&old, 1)), Some(by(&sent, 2)), Further::Happened(by(&sent, 2)));
        // Of the same run, but something else.
        check(None, Some(by(&Mark { hash: "other".to_owned(), ..mark() }, 1)), Further::Try);
        check(None, Some(by(&Mark { commit: "other".to_owned(), ..sent.clone() }, 1)), Further::Try);
        // The very same, but from before.
        check(Some(&by(&sent, 1)), Some(by(&sent, 1)), Further::Try);
        check(Some(&by(&sent, 1)), Some(by(&sent, 2)), Further::Happened(by(&sent, 2)));
        stop(by(&Mark { run: 13, ..sent.clone() }, 2));
        stop(by(&Mark { repository: "github.com/acme/other".to_owned(), ..sent.clone() }, 2));
        stop(Published { summary: None, ..by(&sent, 2) });
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
            assert_eq!(Mark::find(right), Some(mark()), "{hint}");
        }
    }

    #[test]
    fn a_preview_of_something_else_is_named_with_what_it_is_of() {
        let check = |other: Mark, whose: &str| {
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
        let with = |change: fn(&mut Mark)| {
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
