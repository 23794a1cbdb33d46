//! Tests that each cause of an unresolved import is reported once, with a hint.

use super::{TestFiles, bundle_files};

/// Checks the errors of `main.ts`, each with its hint.
#[track_caller]
fn check(files: TestFiles<'_>, expected: &[(&str, &str)]) {
    let problems = bundle_files(files).unwrap_err();
    let actual: Vec<_> = problems
        .iter()
        .map(|problem| (problem.to_string(), problem.hint.clone().unwrap_or_default()))
        .collect();
    let actual: Vec<_> = actual.iter().map(|(problem, hint)| (problem.as_str(), hint.as_str())).collect();
    assert_eq!(actual, expected, "{files:?}");
}

#[test]
fn reports_missing_node_modules_once() {
    let main = ("main.ts", "import a from 'a'; import b from '@b/c/d'; import './e'; export default [a, b];");
    let other = ("e.ts", "import f from 'f'; console.log(f);");
    let commands = [
        ("package-lock.json", "npm ci"),
        ("pnpm-lock.yaml", "pnpm install --frozen-lockfile"),
        ("yarn.lock", "yarn install --immutable"),
        ("bun.lock", "bun install --frozen-lockfile"),
        ("package.json", "npm install"),
    ];
    for (file, command) in commands {
        let message =
            format!("{file}: packages are not installed: there is no `node_modules` folder next to `{file}`");
        let hint = format!("run `{command}` before this step");
        check(&[main, other, (file, "{}")], &[(&message, &hint)]);
    }
}

#[test]
fn reports_the_name_of_a_missing_package() {
    let files = [
        ("main.ts", "import a from 'a'; export default a;"),
        ("package-lock.json", "{}"),
        ("node_modules/b/index.js", ""),
    ];
    let hint = "add `a` to `dependencies` in `package.json`, and run `npm ci` before this step";
    check(&files, &[("main.ts:1:15: `a` cannot be imported: the package `a` is not installed", hint)]);
}

#[cfg(unix)]
#[test]
fn reports_an_unbuilt_workspace_package_once() {
    let package =
        |exports: &str| format!(r#"{{"name": "@acme/ui", "scripts": {{"build": "tsc"}}, {exports}}}"#);
    let package_with_main = package(r#""main": "./dist/index.js""#);
    let package_with_exports =
        package(r#""exports": {".": {"types": "./x.d.ts", "import": "./dist/index.js"}}"#);
    for json in [package_with_main, package_with_exports] {
        let files: TestFiles<'_> = &[
            ("main.ts", "import a from '@acme/ui'; import { b } from '@acme/ui'; export default [a, b];"),
            ("pnpm-lock.yaml", ""),
            ("packages/ui/package.json", &json),
        ];
        let problems = super::bundle_prepared_files(files, |root| {
            std::fs::create_dir_all(root.join("node_modules/@acme")).unwrap();
            std::os::unix::fs::symlink("../../packages/ui", root.join("node_modules/@acme/ui")).unwrap();
        });
        let problems = problems.unwrap_err();
        let message = "packages/ui/package.json: the workspace package `@acme/ui` is not built: it has no file `./dist/index.js`";
        assert_eq!((problems.len(), problems[0].to_string().as_str()), (1, message));
        let hint = "run `pnpm --filter @acme/ui run build` before this step";
        assert_eq!(problems[0].hint.as_deref(), Some(hint));
    }
}

#[test]
fn reports_an_unsupported_file_type() {
    let hint = "rename the file to `….raw.js` or `….raw.css` to import it as text";
    for extension in ["sql", "svg", "html", "png"] {
        let main = format!("import a from './a.{extension}'; export default a;");
        let message = format!(
            "main.ts:1:15: `a.{extension}` cannot be imported: `.{extension}` files are not supported"
        );
        check(&[("main.ts", &main), (&format!("a.{extension}"), "a")], &[(&message, hint)]);
    }
}

#[test]
fn reports_a_syntax_error_in_package_json() {
    let hint = "correct the file; check it for merge conflict markers";
    let conflict = ("package.json", "{\n<<<<<<< HEAD\n}");
    check(
        &[("main.ts", "import './a'; export default 1;"), ("a.ts", ""), conflict],
        &[("package.json:2:1: `package.json` is not valid JSON: key must be a string", hint)],
    );
    let broken_package = ("node_modules/a/package.json", "{\"main\": ");
    let message =
        "node_modules/a/package.json:1:9: `package.json` is not valid JSON: EOF while parsing a value";
    check(&[("main.ts", "import a from 'a'; export default a;"), broken_package], &[(message, hint)]);
}

#[test]
fn reports_a_built_in_node_module_without_the_node_prefix() {
    let hint = "import `node:path` instead";
    let message = "main.ts:1:15: `path` cannot be imported: Node's built-in modules need the prefix `node:`";
    check(&[("main.ts", "import a from 'path'; export default a;")], &[(message, hint)]);
}

#[test]
fn rejects_files_outside_the_repository() {
    let hint = "move the file into the repository of the integration";
    for (import, outside) in [
        (
            "import { A } from '../secret'; console.log(A.B);",
            ("../secret.ts", "export enum A { B = 'secret text' }"),
        ),
        (
            "import { A } from '../secret'; console.log(A);",
            ("../secret.ts", "export const A = 'secret text';"),
        ),
        ("console.log(require('../secret.json').a);", ("../secret.json", "{\"a\": \"secret text\"}")),
        ("import('../secret.txt').then(console.log);", ("../secret.txt", "secret text")),
    ] {
        let text = format!("\n{import}\nexport default 1;");
        let problems =
            bundle_files(&[("main.ts", "import './a'; export default 1;"), ("a.ts", &text), outside])
                .unwrap_err();
        let problem = problems[0].to_string();
        assert!(
            problem.starts_with("a.ts:2:") && problem.ends_with("is outside the repository"),
            "{problem}"
        );
        assert_eq!(problems[0].hint.as_deref(), Some(hint));
    }
}
