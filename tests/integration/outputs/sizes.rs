//! Tests of the size change of a preview's script. The ownership marker contains the previous size.

use serde_json::json;

use crate::support::{Finished, Sandbox, deployment, repository, script};

/// Publishes a preview with this script. The run has no forge token.
async fn preview(gitbook: &Sandbox, script: &str, run: u64) -> Finished {
    let folder = repository().integration("hello").file("hello/main.ts", script);
    let finished =
        deployment().on_github("fix", run).with_endpoint(gitbook.endpoint()).folder(&folder).run().await;
    assert_eq!(finished.code, Some(0), "{}", finished.log());
    finished
}

#[tokio::test]
async fn reports_the_size_change_since_the_previous_preview() {
    let gitbook = Sandbox::start().await;
    let mut sizes = Vec::new();
    for (run, more) in [0, 1, 2049, 2049, 0].into_iter().enumerate() {
        let finished = preview(&gitbook, &script(more), run as u64 + 1).await;
        sizes.push(format!("{}: {}", finished.output("result"), finished.size()));
    }
    insta::assert_snapshot!(sizes.join("\n"), @"
    published: 2.0 KiB, before: null
    published: 2.0 KiB (+1 B), before: 2094
    published: 4.0 KiB (+2.0 KiB), before: 2095
    unchanged: 4.0 KiB, before: null
    published: 2.0 KiB (−2.0 KiB), before: 4143
    ");
}

/// Publishes a preview, replaces ` bytes=…` in its ownership marker, publishes a longer script, and returns the reported sizes.
async fn size_after_edit(replacement: Option<&str>) -> String {
    let gitbook = Sandbox::start().await;
    preview(&gitbook, &script(0), 1).await;
    let mut existing = gitbook.integration("hello-fix");
    let summary = existing["summary"].as_str().unwrap();
    let start = summary.find(" bytes=").unwrap();
    let end = summary.find(" -->").unwrap();
    let bytes = &summary[start..end];
    existing["summary"] = json!(summary.replace(bytes, replacement.unwrap_or(bytes)));
    gitbook.set("hello-fix", &existing);
    let finished = preview(&gitbook, &script(1000), 2).await;
    assert_eq!(finished.output("result"), "published");
    finished.size()
}

#[tokio::test]
async fn ignores_an_invalid_size_in_the_marker() {
    insta::assert_snapshot!(size_after_edit(None).await, @"3.0 KiB (+1.0 KiB), before: 2094");
    // Older versions of the program wrote no size.
    let none = size_after_edit(Some("")).await;
    insta::assert_snapshot!(none, @"3.0 KiB, before: null");
    for value in ["-1", "abc", "", "4294967296", "99999999999999999999", "1e3", "%3Cb%3E"] {
        assert_eq!(size_after_edit(Some(&format!(" bytes={value}"))).await, none, "{value:?}");
    }
    insta::assert_snapshot!(size_after_edit(Some(" bytes=4294967295")).await, @"3.0 KiB (−4194301.0 KiB), before: 4294967295");
}

#[tokio::test]
async fn a_recreated_preview_has_no_previous_size() {
    let gitbook = Sandbox::start().await;
    preview(&gitbook, &script(0), 1).await;
    gitbook.remove("hello-fix");
    let again = preview(&gitbook, &script(1000), 2).await;
    insta::assert_snapshot!(again.size(), @"3.0 KiB, before: null");
}
