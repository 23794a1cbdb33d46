//! Tests of the comment's text.

use proptest::prelude::*;

use super::row::{Row, State};
use super::{LONGEST, text};

fn row(name: &str, run: u64) -> Row {
    Row {
        name: name.to_owned(),
        run,
        commit: format!("c0ffee{run:034}"),
        shows: format!("c0ffee{run:034}"),
        at: "2026-11-22 10:30 UTC".to_owned(),
        bytes: Some(73_152),
        version: Some("3".to_owned()),
        url: Some(format!("https://app.gitbook.com/integrations/{name}")),
        ..Row::default()
    }
}

fn failed(name: &str, run: u64, note: &str) -> Row {
    Row {
        state: State::Failed,
        shows: String::new(),
        bytes: None,
        version: None,
        url: None,
        note: note.to_owned(),
        log: Some("https://github.com/acme/integrations/actions/runs/12".to_owned()),
        ..row(name, run)
    }
}

/// What people see of a text: the rows without what is hidden in them.
fn seen(text: &str) -> String {
    let rows = text.lines().filter(|line| line.starts_with("| ")).skip(1);
    let seen = rows.map(|row| row.split("<!--").next().unwrap().trim_end().to_owned());
    seen.collect::<Vec<_>>().join("\n")
}

fn once(there: &[String], ours: &[Row]) -> String {
    let text = text(there, ours);
    assert_eq!(super::text(std::slice::from_ref(&text), ours), text, "its own text gives it back");
    text
}

#[test]
fn a_comment_is_a_table_that_can_be_read_again() {
    insta::assert_snapshot!(once(&[], &[row("hello-fix", 12)]), @"
    <!-- gitbook-deploy:comment -->
    ### GitBook previews

    | preview | state | commit | script | when |
    |---|---|---|---|---|
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published, version 3 | c0ffee0 | 71.4 KiB | 2026-11-22 10:30 UTC <!-- gitbook-deploy:row name=hello-fix state=published run=12 commit=c0ffee0000000000000000000000000000000012 shows=c0ffee0000000000000000000000000000000012 at=2026-11-22%2010:30%20UTC bytes=73152 version=3 url=https://app.gitbook.com/integrations/hello-fix --> |
    ");
}

#[test]
fn a_preview_that_was_published_again_says_how_its_script_has_grown() {
    let first = once(&[], &[row("hello-fix", 12)]);
    let next = |bytes, before, version: &str, run| {
        let (bytes, before, version) = (Some(bytes), Some(before), Some(version.to_owned()));
        Row { bytes, before, version, ..row("hello-fix", run) }
    };
    let larger = next(75_000, 73_152, "4", 13);
    let second = once(&[first], &[larger]);
    let smaller = next(73_000, 75_000, "5", 14);
    let third = once(std::slice::from_ref(&second), &[smaller]);
    insta::assert_snapshot!(format!("{}\n{}", seen(&second), seen(&third)), @"
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published, version 4 | c0ffee0 | 73.2 KiB (+1.8 KiB) | 2026-11-22 10:30 UTC
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published, version 5 | c0ffee0 | 71.3 KiB (−2.0 KiB) | 2026-11-22 10:30 UTC
    ");
}

#[test]
fn only_the_preview_itself_tells_how_its_script_has_grown() {
    let of = |bytes, before, run| Row { bytes: Some(bytes), before, ..row("hello-fix", run) };
    let script = |text: &str| seen(text).split(" | ").nth(3).unwrap().to_owned();
    let first = once(&[], &[of(2048, Some(1024), 12)]);
    assert_eq!(script(&first), "2.0 KiB (+1.0 KiB)");
    // Published once more by the same run, which has not changed anything.
    assert_eq!(
        script(&once(std::slice::from_ref(&first), &[of(2048, Some(2048), 12)])),
        "2.0 KiB (+1.0 KiB)"
    );
    // Somebody has published it since, and no row tells of that.
    let second = once(std::slice::from_ref(&first), &[of(4096, Some(5120), 14)]);
    assert_eq!(script(&second), "4.0 KiB (−1.0 KiB)");
    // Where the preview tells nothing, it may be another that the last row was about.
    assert_eq!(script(&once(std::slice::from_ref(&first), &[of(4096, None, 14)])), "4.0 KiB");
    let unchanged = Row { state: State::Unchanged, ..of(4096, None, 14) };
    assert_eq!(script(&once(std::slice::from_ref(&first), &[unchanged])), "4.0 KiB");
    // What the run says that a failed attempt has left there is of runs before.
    let failure = once(&[first], &[failed("hello-fix", 13, "it broke")]);
    assert_eq!(script(&once(&[failure], &[of(2048, Some(2048), 13)])), "2.0 KiB");
}

#[test]
fn a_failure_keeps_what_the_preview_still_shows() {
    let first = once(&[], &[row("hello-fix", 12)]);
    let second = once(&[first], &[failed("hello-fix", 13, "publishing `hello-fix` failed: 500 <b>@all</b>")]);
    let third = once(
        std::slice::from_ref(&second),
        &[Row { bytes: Some(80_000), before: Some(73_152), ..row("hello-fix", 14) }],
    );
    insta::assert_snapshot!(format!("{}\n{}", seen(&second), seen(&third)), @"
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ❌ failed: <code>publishing &#96;hello-fix&#96; failed&#58; 500 &#60;b&#62;&#64;&#8203;all&#60;&#47;b&#62;</code> ([log](<https://github.com/acme/integrations/actions/runs/12>))<br>the preview shows c0ffee0, version 3 | c0ffee0 | 71.4 KiB | 2026-11-22 10:30 UTC
    | [hello-fix](<https://app.gitbook.com/integrations/hello-fix>) | ✅ published, version 3 | c0ffee0 | 78.1 KiB (+6.7 KiB) | 2026-11-22 10:30 UTC
    ");
    let fresh = once(&[], &[failed("hello-fix", 13, "it broke")]);
    insta::assert_snapshot!(seen(&fresh), @"| hello-fix | ❌ failed: it broke ([log](<https://github.com/acme/integrations/actions/runs/12>)) | c0ffee0 |  | 2026-11-22 10:30 UTC");
}

#[test]
fn what_was_removed_is_said_to_be() {
    let first = once(&[], &[row("hello-fix", 12), row("other-fix", 12)]);
    let removed = Row { name: "hello-fix".to_owned(), state: State::Removed, run: 13, ..Row::default() };
    let second = once(&[first], &[removed]);
    insta::assert_snapshot!(seen(&second), @"
    | hello-fix | 🗑️ removed |  |  |
    | [other-fix](<https://app.gitbook.com/integrations/other-fix>) | ✅ published, version 3 | c0ffee0 | 71.4 KiB | 2026-11-22 10:30 UTC
    ");
}

#[test]
fn what_was_said_is_not_said_again() {
    let first = once(&[], &[row("hello-fix", 12)]);
    let again = Row { commit: row("", 12).commit, shows: row("", 12).shows, ..row("hello-fix", 13) };
    let unchanged = Row { state: State::Unchanged, at: "2026-11-22 11:00 UTC".to_owned(), ..again.clone() };
    assert_eq!(text(std::slice::from_ref(&first), &[unchanged]), first);
    assert_eq!(text(std::slice::from_ref(&first), &[again]), first);
    // On another commit it is news.
    let unchanged = Row { state: State::Unchanged, ..row("hello-fix", 13) };
    assert_ne!(text(std::slice::from_ref(&first), &[unchanged]), first);
}

#[test]
fn an_older_run_does_not_speak_over_a_newer_one() {
    let first = once(&[], &[row("hello-fix", 12)]);
    assert_eq!(once(std::slice::from_ref(&first), &[failed("hello-fix", 11, "too late")]), first);
    let failure = once(&[first], &[failed("", 12, "no manifest")]);
    assert!(seen(&failure).contains("no manifest"));
    assert!(seen(&once(std::slice::from_ref(&failure), &[row("hello-fix", 12)])).contains("no manifest"));
    assert!(!seen(&once(&[failure], &[row("hello-fix", 13)])).contains("no manifest"));
}

#[test]
fn what_was_edited_by_hand_is_put_right() {
    let first = once(&[], &[row("hello-fix", 12), row("other-fix", 12)]);
    let edited =
        format!("Look here:\r\n{}\n| mine | I was here |", first.replace("name=other-fix", "nmae=x"));
    let second = once(&[edited], &[row("third-fix", 13)]);
    assert_eq!(second.matches("hello-fix](").count(), 1);
    assert!(!second.contains("mine") && !second.contains("Look here"));
    // Whose line lost its name is written again by its own next run.
    assert!(once(&[second], &[row("other-fix", 14)]).contains("other-fix]("));
}

#[test]
fn two_comments_become_one() {
    let (a, b) = (once(&[], &[row("a", 12)]), once(&[], &[row("b", 12)]));
    let newer = once(&[], &[Row { version: Some("9".to_owned()), ..row("a", 13) }]);
    let merged = once(&[a, b, newer], &[]);
    assert_eq!(seen(&merged).lines().count(), 2);
    assert!(merged.contains("version 9"));
}

#[test]
fn a_comment_is_never_too_long_and_keeps_failures_first() {
    let rows: Vec<_> = (0..600)
        .map(|number| match number {
            599 => failed("z-fails", 12, "it broke"),
            number => row(&format!("integration-{number:03}-fix"), 12),
        })
        .collect();
    let text = once(&[], &rows);
    assert!(text.encode_utf16().count() <= LONGEST && text.encode_utf16().count() > LONGEST - 1000);
    assert!(text.contains("z-fails") && text.ends_with("There are more, in the summaries of the runs."));
}

fn any_row() -> impl Strategy<Value = Row> {
    let states =
        prop::sample::select(vec![State::Published, State::Unchanged, State::Failed, State::Removed]);
    let text = || prop_oneof!["[a-c]", "\\PC{0,20}", "[-><!|\n\r ]{0,12}"];
    let some = || prop::option::of(text());
    ((text(), states, 0..5u64, "[ab]{0,2}"), (prop::option::of(0..3usize), some(), some(), text(), some()))
        .prop_map(|((name, state, run, commit), (bytes, version, url, note, log))| {
            let shows = if matches!(state, State::Published | State::Unchanged) {
                commit.clone()
            } else {
                String::new()
            };
            let published = !shows.is_empty();
            let of = |text: Option<String>| text.filter(|_| published);
            Row {
                name,
                state,
                run,
                commit,
                shows,
                bytes: bytes.filter(|_| published),
                version: of(version),
                url: of(url),
                note: if state == State::Failed { note } else { String::new() },
                log: log.filter(|_| state == State::Failed),
                at: "2026-11-22 10:30 UTC".to_owned(),
                ..Row::default()
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_row_is_one_line_that_reads_back(row in any_row()) {
        let line = row.to_string();
        prop_assert!(!line.contains(['\n', '\r']), "{}", line);
        prop_assert_eq!(Row::read(&line), Some(row), "{}", line);
        let (visible, hidden) = line.split_once("<!--").unwrap();
        prop_assert_eq!(visible.matches('|').count(), 6 - 1, "{}", visible);
        prop_assert!(hidden.ends_with("--> |") && hidden.matches("--").count() == 1, "{}", hidden);
    }

    /// However often and in whatever order jobs write, what each of them has said stands, and stays.
    #[test]
    fn whoever_writes_last_loses_nothing(jobs in prop::collection::vec(prop::collection::vec(any_row(), 0..3), 1..5)) {
        let mut there: Vec<String> = Vec::new();
        for mut ours in jobs {
            // A run has one thing to say of a preview.
            ours.sort_by(|a, b| a.name.cmp(&b.name));
            ours.dedup_by(|a, b| a.name == b.name);
            let new = text(&there, &ours);
            prop_assert_eq!(&text(std::slice::from_ref(&new), &ours), &new);
            for row in there.iter().flat_map(|text| text.lines()).filter_map(Row::read) {
                let kept = new.lines().filter_map(Row::read).any(|kept| kept.name == row.name);
                prop_assert!(kept || row.name.is_empty(), "`{}` was lost", row.name);
            }
            there = vec![new];
        }
    }
}
