//! Tests of the comment on a pull request.

use proptest::prelude::*;

use super::row::{Row, RowState};
use super::{MAX_LENGTH, merge_rows};

fn row(name: &str, run: u64) -> Row {
    Row {
        name: name.to_owned(),
        run,
        commit: format!("c0ffee{run:034}"),
        published_commit: format!("c0ffee{run:034}"),
        updated_at: "2026-11-22 10:30 UTC".to_owned(),
        bytes: Some(73_152),
        version: Some("3".to_owned()),
        url: Some(format!("https://app.gitbook.com/integrations/{name}")),
        ..Row::default()
    }
}

fn failed(name: &str, run: u64, note: &str) -> Row {
    Row {
        state: RowState::Failed,
        published_commit: String::new(),
        bytes: None,
        version: None,
        url: None,
        note: note.to_owned(),
        log_url: Some("https://github.com/acme/integrations/actions/runs/12".to_owned()),
        ..row(name, run)
    }
}

/// Returns the rows without their HTML comments.
fn visible(comment: &str) -> String {
    let rows = comment.lines().filter(|line| line.starts_with("| ")).skip(1);
    let visible = rows.map(|row| row.split("<!--").next().unwrap().trim_end().to_owned());
    visible.collect::<Vec<_>>().join("\n")
}

/// Merges rows, and checks that merging them again changes nothing.
fn merge_twice(existing: &[String], new: &[Row]) -> String {
    let comment = merge_rows(existing, new);
    assert_eq!(merge_rows(std::slice::from_ref(&comment), new), comment);
    comment
}

#[test]
fn renders_a_table() {
    insta::assert_snapshot!(merge_twice(&[], &[row("hello-fix", 12)]), @"
    <!-- gitbook-deploy:comment -->
    ### GitBook previews

    | Preview | Status | Commit | Script | Updated |
    |---|---|---|---|---|
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published v3 | c0ffee0 | 71.4 KiB | 2026-11-22 10:30 UTC <!-- gitbook-deploy:row name=hello-fix state=published run=12 commit=c0ffee0000000000000000000000000000000012 shows=c0ffee0000000000000000000000000000000012 at=2026-11-22%2010:30%20UTC bytes=73152 version=3 url=https://app.gitbook.com/integrations/hello-fix --> |
    ");
}

#[test]
fn shows_the_difference_in_size() {
    let first = merge_twice(&[], &[row("hello-fix", 12)]);
    let next = |bytes, before, version: &str, run| {
        let (bytes, before, version) = (Some(bytes), Some(before), Some(version.to_owned()));
        Row { bytes, bytes_before: before, version, ..row("hello-fix", run) }
    };
    let larger = next(75_000, 73_152, "4", 13);
    let second = merge_twice(&[first], &[larger]);
    let smaller = next(73_000, 75_000, "5", 14);
    let third = merge_twice(std::slice::from_ref(&second), &[smaller]);
    insta::assert_snapshot!(format!("{}\n{}", visible(&second), visible(&third)), @"
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published v4 | c0ffee0 | 73.2 KiB (+1.8 KiB) | 2026-11-22 10:30 UTC
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published v5 | c0ffee0 | 71.3 KiB (−2.0 KiB) | 2026-11-22 10:30 UTC
    ");
}

#[test]
fn shows_the_difference_from_the_size_in_the_preview_marker() {
    let of = |bytes, before, run| Row { bytes: Some(bytes), bytes_before: before, ..row("hello-fix", run) };
    let script = |text: &str| visible(text).split(" | ").nth(3).unwrap().to_owned();
    let first = merge_twice(&[], &[of(2048, Some(1024), 12)]);
    assert_eq!(script(&first), "2.0 KiB (+1.0 KiB)");
    // The same run published the same script again.
    assert_eq!(
        script(&merge_twice(std::slice::from_ref(&first), &[of(2048, Some(2048), 12)])),
        "2.0 KiB (+1.0 KiB)"
    );
    // Another run has published the preview in between without writing a row.
    let second = merge_twice(std::slice::from_ref(&first), &[of(4096, Some(5120), 14)]);
    assert_eq!(script(&second), "4.0 KiB (−1.0 KiB)");
    // If the marker has no size, there is no difference, since the previous row may describe another preview.
    assert_eq!(script(&merge_twice(std::slice::from_ref(&first), &[of(4096, None, 14)])), "4.0 KiB");
    let unchanged = Row { state: RowState::Unchanged, ..of(4096, None, 14) };
    assert_eq!(script(&merge_twice(std::slice::from_ref(&first), &[unchanged])), "4.0 KiB");
    // The row of a failed run has the values of an earlier run.
    let failure = merge_twice(&[first], &[failed("hello-fix", 13, "it broke")]);
    assert_eq!(script(&merge_twice(&[failure], &[of(2048, Some(2048), 13)])), "2.0 KiB");
}

#[test]
fn the_row_of_a_failure_keeps_the_values_of_the_published_preview() {
    let first = merge_twice(&[], &[row("hello-fix", 12)]);
    let second =
        merge_twice(&[first], &[failed("hello-fix", 13, "publishing `hello-fix` failed: 500 <b>@all</b>")]);
    let third = merge_twice(
        std::slice::from_ref(&second),
        &[Row { bytes: Some(80_000), bytes_before: Some(73_152), ..row("hello-fix", 14) }],
    );
    insta::assert_snapshot!(format!("{}\n{}", visible(&second), visible(&third)), @"
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ❌ failed: <code>publishing &#96;hello-fix&#96; failed&#58; 500 &#60;b&#62;&#64;&#8203;all&#60;&#47;b&#62;</code> ([log](<https://github.com/acme/integrations/actions/runs/12>))<br>the preview still shows c0ffee0 v3 | c0ffee0 | 71.4 KiB | 2026-11-22 10:30 UTC
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published v3 | c0ffee0 | 78.1 KiB (+6.7 KiB) | 2026-11-22 10:30 UTC
    ");
    let fresh = merge_twice(&[], &[failed("hello-fix", 13, "it broke")]);
    insta::assert_snapshot!(visible(&fresh), @"| hello-fix | ❌ failed: it broke ([log](<https://github.com/acme/integrations/actions/runs/12>)) | c0ffee0 |  | 2026-11-22 10:30 UTC");
}

#[test]
fn renders_a_removed_preview() {
    let first = merge_twice(&[], &[row("hello-fix", 12), row("other-fix", 12)]);
    let removed = Row { name: "hello-fix".to_owned(), state: RowState::Removed, run: 13, ..Row::default() };
    let second = merge_twice(&[first], &[removed]);
    insta::assert_snapshot!(visible(&second), @"
    | hello-fix | 🗑️ deleted |  |  |
    | [other-fix](<https://app.gitbook.com/integrations/other-fix>) | ✅ published v3 | c0ffee0 | 71.4 KiB | 2026-11-22 10:30 UTC
    ");
}

#[test]
fn ignores_a_repeated_row() {
    let first = merge_twice(&[], &[row("hello-fix", 12)]);
    let again = Row {
        commit: row("", 12).commit,
        published_commit: row("", 12).published_commit,
        ..row("hello-fix", 13)
    };
    let unchanged =
        Row { state: RowState::Unchanged, updated_at: "2026-11-22 11:00 UTC".to_owned(), ..again.clone() };
    assert_eq!(merge_rows(std::slice::from_ref(&first), &[unchanged]), first);
    assert_eq!(merge_rows(std::slice::from_ref(&first), &[again]), first);
    // A row for another commit is not a repetition.
    let unchanged = Row { state: RowState::Unchanged, ..row("hello-fix", 13) };
    assert_ne!(merge_rows(std::slice::from_ref(&first), &[unchanged]), first);
}

#[test]
fn ignores_rows_of_an_older_run() {
    let first = merge_twice(&[], &[row("hello-fix", 12)]);
    assert_eq!(merge_twice(std::slice::from_ref(&first), &[failed("hello-fix", 11, "too late")]), first);
    let failure = merge_twice(&[first], &[failed("", 12, "no manifest")]);
    assert!(visible(&failure).contains("no manifest"));
    assert!(
        visible(&merge_twice(std::slice::from_ref(&failure), &[row("hello-fix", 12)]))
            .contains("no manifest")
    );
    assert!(!visible(&merge_twice(&[failure], &[row("hello-fix", 13)])).contains("no manifest"));
}

#[test]
fn restores_an_edited_comment() {
    let first = merge_twice(&[], &[row("hello-fix", 12), row("other-fix", 12)]);
    let edited =
        format!("Look here:\r\n{}\n| mine | I was here |", first.replace("name=other-fix", "nmae=x"));
    let second = merge_twice(&[edited], &[row("third-fix", 13)]);
    assert_eq!(second.matches("hello-fix](").count(), 1);
    assert!(!second.contains("mine") && !second.contains("Look here"));
    // The next run for a preview restores the row that became unreadable.
    assert!(merge_twice(&[second], &[row("other-fix", 14)]).contains("other-fix]("));
}

#[test]
fn merges_several_comments() {
    let (a, b) = (merge_twice(&[], &[row("a", 12)]), merge_twice(&[], &[row("b", 12)]));
    let newer = merge_twice(&[], &[Row { version: Some("9".to_owned()), ..row("a", 13) }]);
    let merged = merge_twice(&[a, b, newer], &[]);
    assert_eq!(visible(&merged).lines().count(), 2);
    assert!(merged.contains(" v9 "));
}

#[test]
fn a_comment_over_the_limit_keeps_failures() {
    let rows: Vec<_> = (0..600)
        .map(|number| match number {
            599 => failed("z-fails", 12, "it broke"),
            number => row(&format!("integration-{number:03}-fix"), 12),
        })
        .collect();
    let text = merge_twice(&[], &rows);
    assert!(text.encode_utf16().count() <= MAX_LENGTH && text.encode_utf16().count() > MAX_LENGTH - 1000);
    assert!(text.contains("z-fails") && text.ends_with("See the summaries of the runs for more previews."));
}

fn any_row() -> impl Strategy<Value = Row> {
    let states = prop::sample::select(vec![
        RowState::Published,
        RowState::Unchanged,
        RowState::Failed,
        RowState::Removed,
    ]);
    let text = || prop_oneof!["[a-c]", "\\PC{0,20}", "[-><!|\n\r ]{0,12}"];
    let some = || prop::option::of(text());
    ((text(), states, 0..5u64, "[ab]{0,2}"), (prop::option::of(0..3usize), some(), some(), text(), some()))
        .prop_map(|((name, state, run, commit), (bytes, version, url, note, log))| {
            let published_commit = if matches!(state, RowState::Published | RowState::Unchanged) {
                commit.clone()
            } else {
                String::new()
            };
            let published = !published_commit.is_empty();
            let of = |text: Option<String>| text.filter(|_| published);
            Row {
                name,
                state,
                run,
                commit,
                published_commit,
                bytes: bytes.filter(|_| published),
                version: of(version),
                url: of(url),
                note: if state == RowState::Failed { note } else { String::new() },
                log_url: log.filter(|_| state == RowState::Failed),
                updated_at: "2026-11-22 10:30 UTC".to_owned(),
                ..Row::default()
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn parses_every_row_that_it_writes(row in any_row()) {
        let line = row.to_string();
        prop_assert!(!line.contains(['\n', '\r']), "{}", line);
        prop_assert_eq!(Row::parse(&line), Some(row), "{}", line);
        let (cells, values) = line.split_once("<!--").unwrap();
        prop_assert_eq!(cells.matches('|').count(), 6 - 1, "{}", cells);
        prop_assert!(values.ends_with("--> |") && values.matches("--").count() == 1, "{}", values);
    }

    #[test]
    fn a_job_keeps_the_rows_of_other_jobs(jobs in prop::collection::vec(prop::collection::vec(any_row(), 0..3), 1..5)) {
        let mut comments: Vec<String> = Vec::new();
        for mut job_rows in jobs {
            // A run has one row for each preview.
            job_rows.sort_by(|a, b| a.name.cmp(&b.name));
            job_rows.dedup_by(|a, b| a.name == b.name);
            let new = merge_rows(&comments, &job_rows);
            prop_assert_eq!(&merge_rows(std::slice::from_ref(&new), &job_rows), &new);
            for row in comments.iter().flat_map(|text| text.lines()).filter_map(Row::parse) {
                let kept = new.lines().filter_map(Row::parse).any(|kept| kept.name == row.name);
                prop_assert!(kept || row.name.is_empty(), "`{}` was lost", row.name);
            }
            comments = vec![new];
        }
    }
}
