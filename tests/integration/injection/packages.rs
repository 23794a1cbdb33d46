//! Injections by package names. The names come from folders below `node_modules` and appear in diagrams and in the report.

use serde_json::json;

use super::checks::{OutputFormat, Written};
use super::corpus::corpus;
use super::{assert_nothing_injected, markdown, pies};
use crate::support::{Repository, deployment, repository};

/// Folder names that imitate labels or syntax of the pie diagram, or that differ only in escaped characters.
const NAMES: [&str; 6] = ["own source", "2 other packages", "a\" : 9", "a' : 9", "x__y", "x _y"];

/// Creates an integration that imports a package of each name by its path.
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

/// Returns hostile folder names that the bundler can resolve.
fn hostile_names() -> Vec<String> {
    // The bundler removes `?` and `#` from paths.
    let is_name = |text: &str| {
        text.len() <= 255 && !text.contains(['/', '\0', '?', '#', '\\', '\n', '\r', '\u{2028}', '\u{2029}'])
    };
    let injection = corpus().into_iter().map(|injection| injection.text);
    injection.chain(NAMES.map(str::to_owned)).filter(|text| is_name(text)).collect()
}

#[cfg(unix)] // Windows does not allow these folder names.
#[tokio::test]
async fn package_names_inject_nothing() {
    let names = hostile_names();
    assert!(names.len() >= 15, "{names:?}");
    // A diagram shows at most six packages, so the names are tested in groups.
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
        // Different names may become equal by escaping.
        assert!((2..=names.len() + 1).contains(&slices.len()), "{names:?}: {slices:?}");
        let bytes: u64 = slices.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(finished.report["integrations"][0]["script_bytes"], bytes, "{slices:?}");
        assert_nothing_injected(&[Written::new(
            format!("packages {names:?}"),
            "json",
            OutputFormat::Dotenv,
            finished,
        )]);
    }
}
