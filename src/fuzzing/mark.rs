//! The mark of a preview, and the comment's rows: what the program keeps where others can write, too.

use crate::preview::{self, OwnershipMarker};
use crate::report::comment;

/// Takes any text for a summary that may end with a mark, for the values of a mark, and for a comment that was found on a
/// pull request.
///
/// - A mark that is read means the same when it is written and read again, in any summary, and a text that holds one is
///   noticed when it stands in a manifest.
/// - Any values make a mark: one comment on one line that none of them ends, and that is read as what was written.
/// - A summary with a mark fits, whatever stood there before, and the mark of what stood there no longer counts.
/// - A comment that was brought into the program's own form is left as it is from then on.
pub fn mark(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(found) = OwnershipMarker::find(&text) {
        assert!(OwnershipMarker::is_in(&text), "a mark is not noticed in a manifest");
        hold(&found, &text);
    }
    hold(&of_values(&text), &text);
    let once = comment::merge(&[text.into_owned()], &[]);
    let twice = comment::merge(std::slice::from_ref(&once), &[]);
    assert_eq!(twice, once, "a comment changes although nothing happened");
    assert!(once.starts_with(comment::MARKER), "a comment that is not found again: {once:?}");
}

/// A mark with the lines of a text as its values.
fn of_values(text: &str) -> OwnershipMarker {
    let mut lines = text.split('\n');
    let mut value = || lines.next().unwrap_or_default().to_owned();
    let [integration, repository, branch, commit, hash] = [value(), value(), value(), value(), value()];
    let number = value().parse().ok();
    let run = value().parse().unwrap_or_default();
    let script_bytes = value().parse().ok();
    let counter = String::new();
    OwnershipMarker {
        integration,
        repository,
        repository_id: None,
        branch,
        pull_request: number,
        commit,
        run,
        counter,
        hash,
        script_bytes,
    }
}

/// Holds that a mark can be kept in a summary.
fn hold(mark: &OwnershipMarker, production: &str) {
    let written = mark.to_string();
    assert_eq!(OwnershipMarker::find(&written).as_ref(), Some(mark), "{written}");
    let inner = written.strip_prefix("<!--").and_then(|text| text.strip_suffix("-->")).unwrap_or_default();
    assert!(
        !inner.is_empty() && !inner.contains("--") && !inner.contains(['<', '>', '\n', '\r']),
        "{written}"
    );
    assert!(written.is_ascii() && OwnershipMarker::is_in(&written), "{written}");
    match preview::summary(production, mark) {
        Some(summary) => {
            assert!(summary.encode_utf16().count() <= 2048, "{summary}");
            assert_eq!(OwnershipMarker::find(&summary).as_ref(), Some(mark), "{summary}");
        }
        None => assert!(written.len() > 2048, "{written} has no room"),
    }
}
