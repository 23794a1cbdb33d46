//! Repositories with links to other places or extreme sizes: no file outside is read.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use crate::support::{Finished, Repository, deployment, png, repository};

/// The content of a file outside of the repository.
const OUTSIDE: &str = "outsiders_only";

/// Returns a folder with files outside, and a repository in it.
fn outside() -> Repository {
    repository().file("script.ts", format!("export default '{OUTSIDE}';\n")).file("image.png", png(2, 2))
}

fn integration(script: &str, more: &str) -> Repository {
    let manifest =
        format!("name: hello\ntitle: Hello\norganization: acme\nscopes: []\nscript: {script}\n{more}");
    repository().file("gitbook-manifest.yaml", manifest).file("main.ts", "export default {};\n")
}

async fn checked(repository: &Repository) -> Finished {
    let started = Instant::now();
    let finished = deployment().variable("GITBOOK_MODE", "check").folder(repository).run().await;
    // Reading a pipe or a device would never end, and reading large files would be slow.
    assert!(started.elapsed() < Duration::from_secs(40), "{}", finished.log());
    assert!(!finished.everything().contains(OUTSIDE), "{}", finished.log());
    finished
}

async fn refused(repository: &Repository, why: &str) {
    let finished = checked(repository).await;
    assert_eq!(finished.code, Some(2), "{}", finished.log());
    assert!(finished.stderr.contains(why), "no `{why}` in {}", finished.log());
}

#[tokio::test]
async fn reads_nothing_outside_the_repository() {
    let (elsewhere, why) = (outside(), "outside the repository");
    let script = elsewhere.path("script.ts");
    let image = elsewhere.path("image.png");
    for target in [script.as_path(), "/dev/zero".as_ref(), "/etc/passwd".as_ref()] {
        let linked = integration("linked.ts", "");
        symlink(target, linked.path("linked.ts")).unwrap();
        refused(&linked, why).await;
    }
    for target in [image.as_path(), "/dev/zero".as_ref()] {
        let linked = integration("main.ts", "icon: linked.png\npreviewImages: [linked.png]\n");
        symlink(target, linked.path("linked.png")).unwrap();
        refused(&linked, why).await;
    }
    let up = elsewhere.path("").file_name().unwrap().to_str().unwrap().to_owned();
    refused(&integration(&format!("../{up}/script.ts"), ""), why).await;
    refused(&integration("main.ts", &format!("icon: ../{up}/image.png\n")), why).await;
    let import = format!("export {{ default }} from '../{up}/script';\n");
    refused(&integration("main.ts", "").file("main.ts", import), why).await;
    let linked = integration("main.ts", "").file("main.ts", "export { default } from './folder/script';\n");
    symlink(elsewhere.path(""), linked.path("folder")).unwrap();
    refused(&linked, why).await;
}

/// Links to parent folders and to the root are not followed.
#[tokio::test]
async fn searches_no_folder_outside() {
    let elsewhere = repository().integration("hello");
    let repository = repository().file("README.md", "");
    symlink(elsewhere.path(""), repository.path("there")).unwrap();
    symlink("/", repository.path("root")).unwrap();
    symlink("..", repository.path("up")).unwrap();
    refused(&repository, "GITBOOK_INTEGRATIONS").await;
}

#[tokio::test]
async fn reads_no_manifest_behind_a_link_out_of_the_repository() {
    let elsewhere = repository().manifest("p", "hello", "").file("p/.git/HEAD", "");
    let repository = repository().file(".git/HEAD", "");
    symlink(elsewhere.path("p"), repository.path("p")).unwrap();
    for path in ["p", "p/gitbook-manifest.yaml"] {
        let run = deployment().variable("GITBOOK_MODE", "check").variable("GITBOOK_INTEGRATIONS", path);
        let finished = run.folder(&repository).run().await;
        assert_eq!(finished.code, Some(2), "{}", finished.log());
        assert!(finished.stderr.contains("outside the repository"), "{}", finished.log());
    }
}

#[tokio::test]
async fn reads_no_device_instead_of_a_gitignore_or_package_json() {
    for (file, why) in
        [(".gitignore", "`.gitignore` is not read"), ("package.json", "`package.json` is not a file")]
    {
        let repository = repository().manifest("a", "hello", "");
        symlink("/dev/zero", repository.path(file)).unwrap();
        refused(&repository, why).await;
    }
}

#[tokio::test]
async fn does_not_wait_for_a_pipe() {
    for (file, manifest) in
        [("pipe.ts", integration("pipe.ts", "")), ("pipe.png", integration("main.ts", "icon: pipe.png\n"))]
    {
        let made = tokio::process::Command::new("mkfifo").arg(manifest.path(file)).status().await.unwrap();
        assert!(made.success());
        refused(&manifest, "is not a file").await;
    }
}

#[tokio::test]
async fn reads_no_large_file() {
    let image = integration("main.ts", "icon: large.png\n");
    std::fs::File::create(image.path("large.png")).unwrap().set_len(1 << 30).unwrap();
    refused(&image, "1048576 KiB").await;
    let manifest = integration("main.ts", "");
    let file = std::fs::File::options().append(true).open(manifest.path("gitbook-manifest.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    refused(&manifest, "104857600 bytes").await;
}

/// The size comes from the image's header; no memory is allocated for pixels.
#[tokio::test]
async fn a_huge_image_header_allocates_no_memory() {
    let mut image = png(2, 2);
    image[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let finished = checked(&integration("main.ts", "icon: huge.png\n").file("huge.png", image)).await;
    assert!(finished.code.is_some_and(|code| code < 3), "{}", finished.log());
}

#[tokio::test]
async fn handles_many_folders_and_link_cycles() {
    let repository = repository().integration("hello");
    for number in 0..10_000 {
        std::fs::create_dir_all(repository.path(&format!("f{}/{number}", number % 100))).unwrap();
    }
    assert_eq!(checked(&repository).await.output("name"), "hello");
    let circle = integration("main.ts", "")
        .file("main.ts", "import other from './other';\nexport default other;\n")
        .file("other.ts", "import main from './main';\nexport default main;\n");
    assert_eq!(checked(&circle).await.code, Some(0));
}
