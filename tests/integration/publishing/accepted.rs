//! Unusual input that this program accepts, because GitBook's CLI accepts it.

use serde_json::{Value, json};

use crate::support::{RecordedRequests as _, Repository, deployment, gitbook, png, repository};

const SCRIPT: &str = "export default { fetch: () => new Response('found') };\n";

/// Creates an empty folder that is not a Git repository.
fn without_git() -> Repository {
    let repository = repository();
    std::fs::remove_dir(repository.path(".git")).unwrap();
    repository
}

/// Publishes from a folder of the repository, and returns the log and the request body.
async fn publish(repository: &Repository, folder: &str, variables: &[(&str, &str)]) -> (String, Value) {
    let server = gitbook().await;
    let run = deployment().publish().with_endpoint(&server.uri()).folder(repository.path(folder));
    let finished = variables.iter().fold(run, |run, (name, value)| run.variable(name, *value)).run().await;
    assert_eq!(finished.code, Some(0), "{finished:#?}");
    (finished.log(), server.body().await)
}

#[tokio::test]
async fn sends_a_jpeg_named_png() {
    // The first bytes of a JPEG of 2 × 2 pixels.
    let photo: &[u8] = b"\xff\xd8\xff\xe0\0\x06JFIF\xff\xc0\0\x11\x08\0\x02\0\x02\x03";
    let repository = repository().manifest(".", "hello", "icon: photo.png\n").file("photo.png", photo);
    let (log, body) = publish(&repository, "", &[]).await;
    assert_eq!(body["icon"], json!("/9j/4AAGSkZJRv/AABEIAAIAAgM="));
    insta::assert_snapshot!(log, @"
    exit 0
    warning: the icon `photo.png` is a JPEG image named `.png`
     --> gitbook-manifest.yaml:6:7
      |
    6 | icon: photo.png
      |       ^^^^^^^^^
      |
      = hint: export the image as PNG; it is sent to GitBook unchanged
    info: published hello v1 (0.1 KiB, … s) https://app.gitbook.com/integrations/hello
    info: 1 warning in 1 file
    ");
}

#[tokio::test]
async fn accepts_windows_paths() {
    let more = "icon: assets\\icon.png\npreviewImages: ['.\\assets\\icon.png']\n";
    let repository = repository().manifest(".", "hello", more).file("assets/icon.png", png(2, 2));
    let repository = repository.file("src/index.tsx", SCRIPT);
    let (log, body) = publish(&repository, "", &[("GITBOOK_SCRIPT", "src\\index.tsx")]).await;
    assert!(body["script"].as_str().unwrap().contains("found"), "{log}");
    assert_eq!(body["icon"], body["previewImages"][0]);
    assert!(body["icon"].as_str().unwrap().starts_with("iVBORw0KGgo"), "{log}");
}

#[tokio::test]
async fn resolves_script_paths_like_the_cli() {
    for (file, specifier) in [
        ("other.ts", "./other"),
        ("other.tsx", "other.js"),
        ("other.mts", "other.mjs"),
        ("src/index.ts", "./src"),
        ("src/index.jsx", "src/"),
    ] {
        let repository = repository().manifest(".", "hello", "").file(file, SCRIPT);
        let (log, body) = publish(&repository, "", &[("GITBOOK_SCRIPT", specifier)]).await;
        assert!(body["script"].as_str().unwrap().contains("found"), "{specifier}: {log}");
    }
}

#[tokio::test]
async fn warns_of_a_retired_scope() {
    let scopes = ("GITBOOK_SCOPES", "space:views:read");
    let (log, body) = publish(&repository().integration("hello"), "", &[scopes]).await;
    assert_eq!(body["scopes"], json!(["space:views:read"]));
    insta::assert_snapshot!(log, @"
    exit 0
    warning: GITBOOK_SCOPES: `scopes[0]` has the unknown value `space:views:read`
     hint: use its successor `site:views:read`; unknown values are sent to GitBook unchanged
    info: published hello v1 (0.1 KiB, … s) https://app.gitbook.com/integrations/hello
    info: 1 warning in 1 variable
    ");
}

#[tokio::test]
async fn accepts_imports_from_shared_folders_of_the_workspace() {
    let shared = |repository: Repository| {
        let repository = repository.manifest("apps/hello", "hello", "").file("shared/index.ts", SCRIPT);
        repository.file("apps/hello/main.ts", "export { default } from '../../shared';\n")
    };
    for file in ["pnpm-workspace.yaml", "package.json"] {
        let repository = shared(without_git()).file(file, "{\"workspaces\": [\"apps/*\", \"shared\"]}");
        let (log, body) = publish(&repository, "apps/hello", &[]).await;
        assert!(body["script"].as_str().unwrap().contains("found"), "{file}: {log}");
    }
    let repository = shared(without_git());
    let checkout = repository.path("").to_string_lossy().into_owned();
    let variables = [("GITLAB_CI", "true"), ("CI_PROJECT_DIR", checkout.as_str())];
    let (log, body) = publish(&repository, "apps/hello", &variables).await;
    assert!(body["script"].as_str().unwrap().contains("found"), "{log}");
}
