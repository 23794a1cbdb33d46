//! Images, scripts and secrets that the program rejects.

use super::{log_of_publishing, log_of_publishing_with_fields, log_of_rejected_run};
use crate::support::{RecordedRequests as _, deployment, gitbook, png, repository};

#[tokio::test]
async fn rejects_a_missing_image() {
    insta::assert_snapshot!(log_of_publishing_with_fields("icon: none.png\npreviewImages: [nowhere/none.png]\n").await, @"
    exit 2
    error: could not read the icon `none.png`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:6:7
      |
    6 | icon: none.png
      |       ^^^^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: could not read the preview image `nowhere/none.png`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:7:17
      |
    7 | previewImages: [nowhere/none.png]
      |                 ^^^^^^^^^^^^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: invalid integrations: 2 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_large_image() {
    let mut large = png(2, 2);
    large.resize(250 * 1024 + 1, 0);
    let repository = repository().manifest(".", "hello", "icon: large.png\n").file("large.png", large);
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: the icon `large.png` is 251 KiB; the limit is 250 KiB
     --> gitbook-manifest.yaml:6:7
      |
    6 | icon: large.png
      |       ^^^^^^^^^
      |
      = hint: reduce its dimensions, or compress it with a tool such as oxipng or pngquant
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_an_image_that_is_not_a_png() {
    let more = "icon: photo.png\npreviewImages: [photo.jpg]\n";
    let repository =
        repository().manifest(".", "hello", more).file("photo.png", "\u{ff}JFIF").file("photo.jpg", "");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: the icon `photo.png` is not a PNG image: invalid PNG signature
     --> gitbook-manifest.yaml:6:7
      |
    6 | icon: photo.png
      |       ^^^^^^^^^
      |
      = hint: export the image as PNG
    error: the preview image `photo.jpg` does not end in `.png`
     --> gitbook-manifest.yaml:7:17
      |
    7 | previewImages: [photo.jpg]
      |                 ^^^^^^^^^
      |
      = hint: convert the image to PNG; GitBook accepts no other format
    error: invalid integrations: 2 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_missing_script() {
    let manifest = "name: hello\ntitle: Hello\norganization: acme\nscopes: []\nscript: none.ts\n";
    insta::assert_snapshot!(log_of_publishing(&repository().file("gitbook-manifest.yaml", manifest)).await, @"
    exit 2
    error: could not read the script `none.ts`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:5:9
      |
    5 | script: none.ts
      |         ^^^^^^^
      |
      = hint: write the path relative to the folder of the manifest
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_missing_import() {
    let script = "import { a } from './none';\nimport b from './nowhere';\nexport default { a, b };\n";
    let repository = repository().manifest(".", "hello", "").file("main.ts", script);
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: `./none` cannot be imported: no such file
     --> main.ts:1:19
      |
    1 | import { a } from './none';
      |                   ^^^^^^^^
      |
      = hint: check the path; if a build creates the file, run the build before this step
    error: `./nowhere` cannot be imported: no such file
     --> main.ts:2:15
      |
    2 | import b from './nowhere';
      |               ^^^^^^^^^^^
      |
      = hint: check the path; if a build creates the file, run the build before this step
    error: invalid integrations: 2 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_missing_package() {
    let script = "import b from 'a-package';\nimport c from '@scope/c/d';\nexport default { b, c };\n";
    let repository = repository().manifest(".", "hello", "").file("main.ts", script);
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: `a-package` cannot be imported: the package `a-package` is not installed
     --> main.ts:1:15
      |
    1 | import b from 'a-package';
      |               ^^^^^^^^^^^
      |
      = hint: check the name, or add a `package.json` with `a-package` as a dependency and install it before this step
    error: `@scope/c/d` cannot be imported: the package `@scope/c` is not installed
     --> main.ts:2:15
      |
    2 | import c from '@scope/c/d';
      |               ^^^^^^^^^^^^
      |
      = hint: check the name, or add a `package.json` with `@scope/c` as a dependency and install it before this step
    error: invalid integrations: 2 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_syntax_error() {
    let script = "export default {\n  fetch() {\n    const = 1;\n  },\n};\n";
    let repository = repository().manifest(".", "hello", "").file("main.ts", script);
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: unexpected token
     --> main.ts:3:11
      |
    3 |     const = 1;
      |           ^
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn error_locations_ignore_crlf_and_byte_order_marks() {
    let manifest = "name: hello\ntitle: Hello\nvisibilty: public\nscript: main.ts\nscopes: 1\n";
    let script = "export default {\n  fetch() {\n    const = 1;\n  },\n};\n";
    let log = async |byte_order_mark: &str, line_end: &str| {
        let encode = |text: &str| format!("{byte_order_mark}{}", text.replace('\n', line_end));
        let repository = repository().file("gitbook-manifest.yaml", encode(manifest));
        log_of_publishing(&repository.file("main.ts", encode(script))).await
    };
    let on_linux = log("", "\n").await;
    for location in ["gitbook-manifest.yaml:3:1", "gitbook-manifest.yaml:5:9", "main.ts:3:11"] {
        assert!(on_linux.contains(&format!("--> {location}\n")), "{on_linux}");
    }
    assert_eq!(log("\u{feff}", "\r\n").await, on_linux);
}

#[tokio::test]
async fn rejects_secrets_with_a_missing_variable_or_invalid_expression() {
    let more =
        "secrets:\n  KEY: ${{ env.API_KEY }}\n  OTHER: ${{ secrets.OTHER }}\n  THIRD: \"$ {{ env.X }}\"\n";
    insta::assert_snapshot!(log_of_publishing_with_fields(more).await, @r#"
    exit 2
    error: `secrets.KEY` uses `API_KEY`, which is unset or empty
     --> gitbook-manifest.yaml:7:8
      |
    7 |   KEY: ${{ env.API_KEY }}
      |        ^^^^^^^^^^^^^^^^^^
      |
      = hint: pass `API_KEY` from the secrets of the CI system to this step
    error: `secrets.OTHER` contains an unsupported expression
     --> gitbook-manifest.yaml:8:10
      |
    8 |   OTHER: ${{ secrets.OTHER }}
      |          ^^^^^^^^^^^^^^^^^^^^
      |
      = hint: use `${{ env.NAME }}` or `${{ op://vault/item/field }}`
    error: `secrets.THIRD` contains `$ {{`, which is not an expression
     --> gitbook-manifest.yaml:9:10
      |
    9 |   THIRD: "$ {{ env.X }}"
      |          ^^^^^^^^^^^^^^^
      |
      = hint: use `${{ env.NAME }}` or `${{ op://vault/item/field }}`
    error: invalid integrations: 3 errors in 1 file; nothing was published or deleted
    "#);
}

#[tokio::test]
async fn rejects_a_path_outside_the_repository() {
    let outside = repository().file("icon.png", png(2, 2)).file("main.ts", "");
    let name = outside.path("").file_name().unwrap().to_str().unwrap().to_owned();
    let manifest = format!(
        "name: hello\ntitle: Hello\norganization: acme\nscopes: []\nscript: ../{name}/main.ts\nicon: ../{name}/icon.png\n"
    );
    let repository = repository().file("gitbook-manifest.yaml", manifest);
    insta::assert_snapshot!(log_of_publishing(&repository).await.replace(&name, "<outside>"), @"
    exit 2
    error: the script `../<outside>/main.ts` is outside the repository
     --> gitbook-manifest.yaml:5:9
      |
    5 | script: ../<outside>/main.ts
      |         ^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: move the file into the repository
    error: the icon `../<outside>/icon.png` is outside the repository
     --> gitbook-manifest.yaml:6:7
      |
    6 | icon: ../<outside>/icon.png
      |       ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: move the file into the repository
    error: invalid integrations: 2 errors in 1 file; nothing was published or deleted
    ");
}

#[cfg(unix)]
#[tokio::test]
async fn rejects_a_link_outside_the_repository() {
    let outside = repository().file("icon.png", png(2, 2)).file("main.ts", "");
    let repository = repository().manifest(".", "hello", "icon: icon.png\n");
    std::fs::remove_file(repository.path("main.ts")).unwrap();
    for file in ["icon.png", "main.ts"] {
        std::os::unix::fs::symlink(outside.path(file), repository.path(file)).unwrap();
    }
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: the script `main.ts` is outside the repository
     --> gitbook-manifest.yaml:4:9
      |
    4 | script: main.ts
      |         ^^^^^^^
      |
      = hint: move the file into the repository
    error: the icon `icon.png` is outside the repository
     --> gitbook-manifest.yaml:6:7
      |
    6 | icon: icon.png
      |       ^^^^^^^^
      |
      = hint: move the file into the repository
    error: invalid integrations: 2 errors in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_a_built_script_that_is_not_utf8() {
    let repository = repository().manifest(".", "hello", "").file("main.ts", [0xff, 0xfe, 0xfd]);
    let run = deployment().publish().variable("GITBOOK_BUNDLE", "false");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository).await, @"
    exit 2
    error: could not read the script `main.ts`: stream did not contain valid UTF-8
     --> gitbook-manifest.yaml:4:9
      |
    4 | script: main.ts
      |         ^^^^^^^
      |
      = hint: set `script` to the built script, as UTF-8 text, or remove `GITBOOK_BUNDLE=false`
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_an_import_outside_the_repository() {
    let outside = repository().file("secret.raw.js", "hush");
    let name = outside.path("").file_name().unwrap().to_str().unwrap().to_owned();
    let script = format!("import text from '../{name}/secret.raw.js';\nexport default text;\n");
    let repository = repository().manifest(".", "hello", "").file("main.ts", script);
    let log = log_of_publishing(&repository).await.replace(outside.path("").to_str().unwrap(), "<outside>/");
    let log = log.replace(&name, "<outside>");
    insta::assert_snapshot!(log, @"
    exit 2
    error: `<outside>/secret.raw.js` cannot be imported: it is outside the repository
     --> main.ts:1:18
      |
    1 | import text from '../<outside>/secret.raw.js';
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: move the file into the repository of the integration
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn rejects_invalid_json_imports() {
    let script = "import data from './data.json';\nexport default data;\n";
    let repository =
        repository().manifest(".", "hello", "").file("main.ts", script).file("data.json", "{\n  \"a\":\n");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @r#"
    exit 2
    error: EOF while parsing a value at line 3 column 0
     --> data.json:3:1
      |
    2 |   "a":
      |       ^
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    "#);
}

#[tokio::test]
async fn rejects_an_empty_script() {
    let repository = repository().manifest(".", "hello", "").file("main.ts", "\n");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: the script `main.ts` is empty
     --> gitbook-manifest.yaml:4:9
      |
    4 | script: main.ts
      |         ^^^^^^^
      |
      = hint: check the build step, and set `script` to the script of the integration
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
    let built = deployment().publish().variable("GITBOOK_BUNDLE", "false");
    assert!(log_of_rejected_run(built, &repository).await.contains("`main.ts`"));
}

#[tokio::test]
async fn rejects_an_invalid_tsconfig() {
    let repository =
        repository().manifest(".", "hello", "").file("tsconfig.json", "{\n  \"extends\": ,\n}\n");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: `tsconfig.json` is not valid: expected value
     --> tsconfig.json:3:1
      |
    3 | }
      | ^
      |
      = hint: correct the syntax; comments and trailing commas are allowed
    error: invalid integrations: 1 error in 1 file; nothing was published or deleted
    ");
}

#[tokio::test]
async fn suggests_a_similar_file() {
    let repository = repository()
        .manifest(".", "hello", "icon: assets/icno.png\n")
        .file("assets/icon.png", png(2, 2))
        .file("src/index.tsx", "export default {};\n");
    let run = deployment().publish().variable("GITBOOK_SCRIPT", "./scr/index.tsx");
    insta::assert_snapshot!(log_of_rejected_run(run, &repository).await, @"
    exit 2
    error: GITBOOK_SCRIPT: could not read the script `./scr/index.tsx`: No such file or directory (os error 2)
     hint: did you mean `./src/index.tsx`?
    error: could not read the icon `assets/icno.png`: No such file or directory (os error 2)
     --> gitbook-manifest.yaml:6:7
      |
    6 | icon: assets/icno.png
      |       ^^^^^^^^^^^^^^^
      |
      = hint: did you mean `./assets/icon.png`?
    error: invalid integrations: 2 errors in 1 file and 1 variable; nothing was published or deleted
    ");
}

#[tokio::test]
async fn never_uses_the_file_system_root_as_the_repository() {
    let repository = repository().manifest("apps/hello", "hello", "");
    std::fs::remove_dir(repository.path(".git")).unwrap();
    let repository = repository.file("shared.ts", "export default {};\n");
    let run = deployment().publish().variable("GITBOOK_SCRIPT", "../../shared.ts");
    let run = run.variable("GITLAB_CI", "true").variable("CI_PROJECT_DIR", "/");
    let server = gitbook().await;
    let finished = run.with_endpoint(&server.uri()).folder(repository.path("apps/hello")).run().await;
    assert_eq!((finished.code, server.requests().await.len()), (Some(2), 0), "{finished:#?}");
    assert!(finished.log().contains("`../../shared.ts`"), "{finished:#?}");
}
