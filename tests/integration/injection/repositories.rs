//! Hostile repositories: symbolic links to files outside the repository, pipes, devices and very large files.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use crate::support::{Finished, Repository, deployment, png, repository};

/// A text that only a file outside the repository contains.
const OUTSIDE: &str = "outsiders_only";

/// Creates a folder outside the repository, with a script and an image.
fn outside_folder() -> Repository {
    repository().file("script.ts", format!("export default '{OUTSIDE}';\n")).file("image.png", png(2, 2))
}

fn integration(script: &str, more: &str) -> Repository {
    let manifest =
        format!("name: hello\ntitle: Hello\norganization: acme\nscopes: []\nscript: {script}\n{more}");
    repository().file("gitbook-manifest.yaml", manifest).file("main.ts", "export default {};\n")
}

async fn check(repository: &Repository) -> Finished {
    let started = Instant::now();
    let finished = deployment().variable("GITBOOK_MODE", "check").folder(repository).run().await;
    // The time limit detects reads of pipes, devices or large files.
    assert!(started.elapsed() < Duration::from_secs(40), "{}", finished.log());
    assert!(!finished.everything().contains(OUTSIDE), "{}", finished.log());
    finished
}

async fn assert_rejected(repository: &Repository, message: &str) {
    let finished = check(repository).await;
    assert_eq!(finished.code, Some(2), "{}", finished.log());
    assert!(finished.stderr.contains(message), "no `{message}` in {}", finished.log());
}

#[tokio::test]
async fn reads_no_file_outside_the_repository() {
    let (outside, message) = (outside_folder(), "outside the repository");
    let script = outside.path("script.ts");
    let image = outside.path("image.png");
    for target in [script.as_path(), "/dev/zero".as_ref(), "/etc/passwd".as_ref()] {
        let linked = integration("linked.ts", "");
        symlink(target, linked.path("linked.ts")).unwrap();
        assert_rejected(&linked, message).await;
    }
    for target in [image.as_path(), "/dev/zero".as_ref()] {
        let linked = integration("main.ts", "icon: linked.png\npreviewImages: [linked.png]\n");
        symlink(target, linked.path("linked.png")).unwrap();
        assert_rejected(&linked, message).await;
    }
    let name = outside.path("").file_name().unwrap().to_str().unwrap().to_owned();
    assert_rejected(&integration(&format!("../{name}/script.ts"), ""), message).await;
    assert_rejected(&integration("main.ts", &format!("icon: ../{name}/image.png\n")), message).await;
    let import = format!("export {{ default }} from '../{name}/script';\n");
    assert_rejected(&integration("main.ts", "").file("main.ts", import), message).await;
    let linked = integration("main.ts", "").file("main.ts", "export { default } from './folder/script';\n");
    symlink(outside.path(""), linked.path("folder")).unwrap();
    assert_rejected(&linked, message).await;
}

/// The search for manifests does not follow symbolic links to other folders, parent folders or the root.
#[tokio::test]
async fn searches_no_folder_outside_the_repository() {
    let outside = repository().integration("hello");
    let repository = repository().file("README.md", "");
    symlink(outside.path(""), repository.path("there")).unwrap();
    symlink("/", repository.path("root")).unwrap();
    symlink("..", repository.path("up")).unwrap();
    assert_rejected(&repository, "GITBOOK_INTEGRATIONS").await;
}

#[tokio::test]
async fn reads_no_manifest_through_a_link_to_another_repository() {
    let outside = repository().manifest("p", "hello", "").file("p/.git/HEAD", "");
    let repository = repository().file(".git/HEAD", "");
    symlink(outside.path("p"), repository.path("p")).unwrap();
    for path in ["p", "p/gitbook-manifest.yaml"] {
        let run = deployment().variable("GITBOOK_MODE", "check").variable("GITBOOK_INTEGRATIONS", path);
        let finished = run.folder(&repository).run().await;
        assert_eq!(finished.code, Some(2), "{}", finished.log());
        assert!(finished.stderr.contains("outside the repository"), "{}", finished.log());
    }
}

#[tokio::test]
async fn reads_no_device_linked_as_gitignore_or_package_json() {
    for (file, message) in
        [(".gitignore", "could not read `.gitignore`"), ("package.json", "`package.json` is not a file")]
    {
        let repository = repository().manifest("a", "hello", "");
        symlink("/dev/zero", repository.path(file)).unwrap();
        assert_rejected(&repository, message).await;
    }
}

#[tokio::test]
async fn rejects_a_pipe_as_script_or_image() {
    for (file, manifest) in
        [("pipe.ts", integration("pipe.ts", "")), ("pipe.png", integration("main.ts", "icon: pipe.png\n"))]
    {
        let status = tokio::process::Command::new("mkfifo").arg(manifest.path(file)).status().await.unwrap();
        assert!(status.success());
        assert_rejected(&manifest, "is not a file").await;
    }
}

#[tokio::test]
async fn rejects_large_images_and_manifests() {
    let image = integration("main.ts", "icon: large.png\n");
    std::fs::File::create(image.path("large.png")).unwrap().set_len(1 << 30).unwrap();
    assert_rejected(&image, "1048576 KiB").await;
    let manifest = integration("main.ts", "");
    let file = std::fs::File::options().append(true).open(manifest.path("gitbook-manifest.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    assert_rejected(&manifest, "104857600 bytes").await;
}

/// The program reads the image size from the header and allocates no memory for pixels.
#[tokio::test]
async fn a_huge_image_header_allocates_no_memory() {
    let mut image = png(2, 2);
    image[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let finished = check(&integration("main.ts", "icon: huge.png\n").file("huge.png", image)).await;
    assert!(finished.code.is_some_and(|code| code < 3), "{}", finished.log());
}

#[tokio::test]
async fn handles_many_folders_and_import_cycles() {
    let repository = repository().integration("hello");
    for number in 0..10_000 {
        std::fs::create_dir_all(repository.path(&format!("f{}/{number}", number % 100))).unwrap();
    }
    assert_eq!(check(&repository).await.output("name"), "hello");
    let cycle = integration("main.ts", "")
        .file("main.ts", "import other from './other';\nexport default other;\n")
        .file("other.ts", "import main from './main';\nexport default main;\n");
    assert_eq!(check(&cycle).await.code, Some(0));
}
