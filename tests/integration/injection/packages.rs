//! Injections by package names, which come from folders and appear in diagrams and in the report.

use serde_json::json;

use super::checks::{Form, Written};
use super::corpus::corpus;
use super::{assert_nothing_injected, markdown, pies};
use crate::support::{Repository, deployment, repository};

/// Valid folder names that resemble another slice or no slice.
const NAMES: [&str; 6] = ["own source", "2 other packages", "a\" : 9", "a' : 9", "x__y", "x _y"];

/// Returns an integration with a package of each name, imported by path.
fn with_packages(names: &[String]) -> Repository {
    let mut script = "let all = '';\n".to_owned();
    let mut repository = repository().integration("hello");
    for (number, name) in names.iter().enumerate() {
        let text = format!("{number} ").repeat(500);
        repository = repository.file(
            &format!("hello/node_modules/{name}/index.js"),
            format!("export default {};\n", json!(text)),
        );
        let path = json!(format!("./node_modules/{name}/index.js"));
        script.push_str(&format!("import part{number} from {path};\nall += part{number};\n"));
    }
    repository.file("hello/main.ts", script + "export default { fetch: () => new Response(all) };\n")
}

/// Returns folder names that the bundler can resolve.
fn names() -> Vec<String> {
    // The bundler removes `?` and `#` from paths.
    let is_name = |text: &str| {
        text.len() <= 255 && !text.contains(['/', '\0', '?', '#', '\\', '\n', '\r', '\u{2028}', '\u{2029}'])
    };
    let injection = corpus().into_iter().map(|injection| injection.text);
    injection.chain(NAMES.map(str::to_owned)).filter(|text| is_name(text)).collect()
}

#[cfg(unix)] // where folders may have such names
#[tokio::test]
async fn package_names_inject_nothing() {
    let names = names();
    assert!(names.len() >= 15, "{names:?}");
    // A diagram shows few packages, so the names are split.
    for names in names.chunks(5) {
        let repository = with_packages(names);
        let run = deployment().variable("GITBOOK_MODE", "check").variable("GITBOOK_LOG_FORMAT", "json");
        let run = run.folder(&repository);
        let finished = run.run().await;
        assert_eq!(finished.code, Some(0), "{names:?}: {}", finished.log());
        let packages = finished.report["integrations"][0]["packages"].as_array().unwrap();
        assert_eq!(packages.len(), names.len(), "{names:?}: {packages:?}");
        let page = markdown::page(&finished.summary);
        let slices = pies::slices(&page.code[0].1).unwrap();
        // Two names may be equal after escaping.
        assert!((2..=names.len() + 1).contains(&slices.len()), "{names:?}: {slices:?}");
        let bytes: u64 = slices.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(finished.report["integrations"][0]["script_bytes"], bytes, "{slices:?}");
        assert_nothing_injected(&[Written::new(
            format!("packages {names:?}"),
            "json",
            Form::Dotenv,
            finished,
        )]);
    }
}
