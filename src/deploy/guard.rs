//! The guard: nothing is overwritten or deleted that this tool did not create for this repository and branch.

use crate::gitbook::Published;
use crate::preview::Mark;

/// What stands where a preview should be.
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
    },
}

impl GuardError {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NotMarked { .. } => "give previews another name with `GITBOOK_PREVIEW_NAME`; if this one is a preview whose mark was edited away, delete it by hand in GitBook".to_owned(),
            Self::Damaged { mark, .. } => format!("if it is a preview of this branch, make `{mark}` the last line of its summary, or delete it by hand in GitBook; then run again"),
            Self::OtherPreview { .. } => "give previews another name with `GITBOOK_PREVIEW_NAME`; if the repository was renamed, delete this one by hand in GitBook".to_owned(),
        }
    }
}

/// The mark of an existing preview, if it is of the same integration, repository and branch.
pub(super) fn ours(name: &str, existing: &Published, expected: &Mark) -> Result<Mark, GuardError> {
    let name = name.to_owned();
    match existing.summary.as_deref().and_then(Mark::find) {
        Some(mark) if mark.is_of_the_same_preview(expected) => Ok(mark),
        Some(mark) => Err(GuardError::OtherPreview { name, mark: Box::new(mark) }),
        None if existing.summary.as_deref().is_some_and(Mark::is_in) => {
            Err(GuardError::Damaged { name, mark: Box::new(expected.clone()) })
        }
        None => Err(GuardError::NotMarked { name, title: existing.title.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use crate::gitbook::Published;
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
            assert_eq!(
                hint,
                "give previews another name with `GITBOOK_PREVIEW_NAME`; if the repository was renamed, delete this one by hand in GitBook"
            );
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
