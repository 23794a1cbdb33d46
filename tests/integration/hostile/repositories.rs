//! Repositories that lead elsewhere or are out of all proportion: refused or handled, and nothing outside is read.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use crate::support::{Ended, Repository, deployment, png, repository};

/// What stands in a file outside, which must be seen nowhere.
const OUTSIDE: &str = "outsiders_only";

/// A folder with what lies outside, and a repository beside it.
fn outside() -> Repository {
    repository().file("script.ts", format!("export default '{OUTSIDE}';\n")).file("image.png", png(2, 2))
}

fn integration(script: &str, more: &str) -> Repository {
    let manifest =
        format!("name: hello\ntitle: Hello\norganization: acme\nscopes: []\nscript: {script}\n{more}");
    repository().file("gitbook-manifest.yaml", manifest).file("main.ts", "export default {};\n")
}

async fn checked(repository: &Repository) -> Ended {
    let started = Instant::now();
    let ended = deployment().variable("GITBOOK_MODE", "check").folder(repository).runs().await;
    // A pipe or device that was opened would never end; what is large is not read.
    assert!(started.elapsed() < Duration::from_secs(40), "{}", ended.log());
    assert!(!ended.everything().contains(OUTSIDE), "{}", ended.log());
    ended
}

async fn refused(repository: &Repository, why: &str) {
    let ended = checked(repository).await;
    assert_eq!(ended.code, Some(2), "{}", ended.log());
    assert!(ended.stderr.contains(why), "no `{why}` in {}", ended.log());
}

#[tokio::test]
async fn nothing_outside_the_repository_is_read() {
    let (elsewhere, why) = (outside(), "lies outside the repository");
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

/// Links to folders above and to the root are not gone through.
#[tokio::test]
async fn no_folder_outside_is_searched() {
    let elsewhere = repository().integration("hello");
    let repository = repository().file("README.md", "");
    symlink(elsewhere.path(""), repository.path("there")).unwrap();
    symlink("/", repository.path("root")).unwrap();
    symlink("..", repository.path("up")).unwrap();
    refused(&repository, "holds no manifest").await;
}

#[tokio::test]
async fn no_manifest_behind_a_link_out_of_the_repository_is_read() {
    let elsewhere = repository().manifest("p", "hello", "").file("p/.git/HEAD", "");
    let repository = repository().file(".git/HEAD", "");
    symlink(elsewhere.path("p"), repository.path("p")).unwrap();
    for named in ["p", "p/gitbook-manifest.yaml"] {
        let run = deployment().variable("GITBOOK_MODE", "check").variable("GITBOOK_INTEGRATIONS", named);
        let ended = run.folder(&repository).runs().await;
        assert_eq!(ended.code, Some(2), "{}", ended.log());
        assert!(ended.stderr.contains("lies outside the repository"), "{}", ended.log());
    }
}

#[tokio::test]
async fn no_device_is_read_in_place_of_a_gitignore_or_package_json() {
    for (file, why) in
        [(".gitignore", "`.gitignore` is not read"), ("package.json", "`package.json` is not a file")]
    {
        let repository = repository().manifest("a", "hello", "");
        symlink("/dev/zero", repository.path(file)).unwrap();
        refused(&repository, why).await;
    }
}

#[tokio::test]
async fn no_pipe_is_waited_for() {
    for (file, manifest) in
        [("pipe.ts", integration("pipe.ts", "")), ("pipe.png", integration("main.ts", "icon: pipe.png\n"))]
    {
        let made = tokio::process::Command::new("mkfifo").arg(manifest.path(file)).status().await.unwrap();
        assert!(made.success());
        refused(&manifest, "is not a file").await;
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let image = integration("main.ts", "icon: large.png\n");
    std::fs::File::create(image.path("large.png")).unwrap().set_len(1 << 30).unwrap();
    refused(&image, "has 1048576 KiB, 250 are the most").await;
    let manifest = integration("main.ts", "");
    let file = std::fs::File::options().append(true).open(manifest.path("gitbook-manifest.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    refused(&manifest, "104857600 bytes, 1 MiB is the most").await;
}

/// An image's header is believed, and its pixels are never made room for.
#[tokio::test]
async fn an_image_that_claims_to_be_huge_takes_no_room() {
    let mut image = png(2, 2);
    image[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let ended = checked(&integration("main.ts", "icon: huge.png\n").file("huge.png", image)).await;
    assert!(ended.code.is_some_and(|code| code < 3), "{}", ended.log());
}

#[tokio::test]
async fn folders_without_number_and_circles_are_gone_through() {
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
