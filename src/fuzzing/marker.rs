//! The fuzz target for ownership markers and comments, which others can edit.

use crate::preview::{self, OwnershipMarker};
use crate::report::comment;

/// Uses a text as a summary with an ownership marker, as the values of a marker, and as a comment on a pull request. Checks:
///
/// - A marker in the text is the same after it is written and read again. It is also recognized in the summary of a manifest.
/// - A marker with any values is one HTML comment on one line, and is the same after it is read again.
/// - A summary with a marker is within the API's limit, and only its last marker counts.
/// - A merged comment does not change if it is merged again.
pub fn marker(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(found) = OwnershipMarker::parse(&text) {
        assert!(OwnershipMarker::resembles(&text), "the marker is not recognized in a summary");
        check(&found, &text);
    }
    check(&marker_with_values(&text), &text);
    let merged = comment::merge_rows(&[text.into_owned()], &[]);
    let merged_again = comment::merge_rows(std::slice::from_ref(&merged), &[]);
    assert_eq!(merged_again, merged, "a second merge changes the comment");
    assert!(merged.starts_with(comment::MARKER), "the comment has no marker: {merged:?}");
}

/// Returns a marker with the lines of a text as its values.
fn marker_with_values(text: &str) -> OwnershipMarker {
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

/// Checks that a summary can contain a marker.
fn check(marker: &OwnershipMarker, production_summary: &str) {
    let written = marker.to_string();
    assert_eq!(OwnershipMarker::parse(&written).as_ref(), Some(marker), "{written}");
    let inner = written.strip_prefix("<!--").and_then(|text| text.strip_suffix("-->")).unwrap_or_default();
    assert!(
        !inner.is_empty() && !inner.contains("--") && !inner.contains(['<', '>', '\n', '\r']),
        "{written}"
    );
    assert!(written.is_ascii() && OwnershipMarker::resembles(&written), "{written}");
    match preview::summary(production_summary, marker) {
        Some(summary) => {
            assert!(summary.encode_utf16().count() <= 2048, "{summary}");
            assert_eq!(OwnershipMarker::parse(&summary).as_ref(), Some(marker), "{summary}");
        }
        None => assert!(written.len() > 2048, "no summary for {written}"),
    }
}
