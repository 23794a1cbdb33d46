//! The change of a script's size, from the preview itself.

use serde_json::json;

use crate::support::{Finished, Sandbox, deployment, repository, script};

/// Publishes a preview with this script, without a token of the forge.
async fn preview(gitbook: &Sandbox, script: &str, run: u64) -> Finished {
    let folder = repository().integration("hello").file("hello/main.ts", script);
    let finished = deployment().on_github("fix", run).against(gitbook.endpoint()).folder(&folder).run().await;
    assert_eq!(finished.code, Some(0), "{}", finished.log());
    finished
}

#[tokio::test]
async fn a_preview_contains_the_size_of_its_script() {
    let gitbook = Sandbox::start().await;
    let mut outcome = Vec::new();
    for (run, more) in [0, 1, 2049, 2049, 0].into_iter().enumerate() {
        let finished = preview(&gitbook, &script(more), run as u64 + 1).await;
        outcome.push(format!("{}: {}", finished.output("result"), finished.size()));
    }
    insta::assert_snapshot!(outcome.join("\n"), @"
    published: 2.0 KiB, before: null
    published: 2.0 KiB (+1 B), before: 2094
    published: 4.0 KiB (+2.0 KiB), before: 2095
    unchanged: 4.0 KiB, before: null
    published: 2.0 KiB (−2.0 KiB), before: 4143
    ");
}

/// Publishes a preview, replaces ` bytes=` and its value, and publishes a longer script.
async fn edited(instead: Option<&str>) -> String {
    let gitbook = Sandbox::start().await;
    preview(&gitbook, &script(0), 1).await;
    let mut existing = gitbook.integration("hello-fix");
    let summary = existing["summary"].as_str().unwrap();
    let start = summary.find(" bytes=").unwrap();
    let end = summary.find(" -->").unwrap();
    let bytes = &summary[start..end];
    existing["summary"] = json!(summary.replace(bytes, instead.unwrap_or(bytes)));
    gitbook.set("hello-fix", &existing);
    let finished = preview(&gitbook, &script(1000), 2).await;
    assert_eq!(finished.output("result"), "published");
    finished.size()
}

#[tokio::test]
async fn ignores_an_invalid_size() {
    insta::assert_snapshot!(edited(None).await, @"3.0 KiB (+1.0 KiB), before: 2094");
    // Older versions wrote no size.
    let none = edited(Some("")).await;
    insta::assert_snapshot!(none, @"3.0 KiB, before: null");
    for value in ["-1", "abc", "", "4294967296", "99999999999999999999", "1e3", "%3Cb%3E"] {
        assert_eq!(edited(Some(&format!(" bytes={value}"))).await, none, "{value:?}");
    }
    insta::assert_snapshot!(edited(Some(" bytes=4294967295")).await, @"3.0 KiB (−4194301.0 KiB), before: 4294967295");
}

#[tokio::test]
async fn a_deleted_preview_has_no_earlier_size() {
    let gitbook = Sandbox::start().await;
    preview(&gitbook, &script(0), 1).await;
    gitbook.remove("hello-fix");
    let again = preview(&gitbook, &script(1000), 2).await;
    insta::assert_snapshot!(again.size(), @"3.0 KiB, before: null");
}
