//! Tests the bundled script, the resolution of packages, and diagnostics.

mod accepted;
#[cfg(unix)]
mod archives;
mod causes;
#[cfg(unix)]
mod devices;

use std::path::Path;

use super::{Bundle, bundle};
use crate::diagnostic::Diagnostic;
use crate::integration::packaging_context::PackagingContext;

type TestFiles<'a> = &'a [(&'a str, &'a str)];

/// Bundles `main.ts` in a new repository that contains `files`.
fn bundle_files(files: TestFiles<'_>) -> Result<Bundle, Vec<Diagnostic>> {
    bundle_prepared_files(files, |_| {})
}

/// Bundles `main.ts` in a new repository that contains `files`, after `prepare` has changed the repository.
fn bundle_prepared_files(
    files: TestFiles<'_>,
    prepare: impl FnOnce(&Path),
) -> Result<Bundle, Vec<Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    let root = dunce::canonicalize(folder.path()).unwrap().join("repository");
    for (name, content) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    prepare(&root);
    futures::executor::block_on(bundle(&root.join("main.ts"), &root, &root, &PackagingContext::default()))
}

/// Bundles `main.ts`, checks that there are no warnings, and returns the bundled script.
#[track_caller]
fn bundled_script(files: TestFiles<'_>) -> String {
    let bundle = bundle_files(files).unwrap();
    assert_eq!(bundle.warnings, [], "{files:?}");
    bundle.script
}

#[track_caller]
fn check(files: TestFiles<'_>, expected: &str) {
    assert_eq!(bundled_script(files), expected, "{files:?}");
}

/// Checks that the bundled script consists only of a default export of `expected`.
#[track_caller]
fn check_default_export(files: TestFiles<'_>, expected: &str) {
    check(files, &format!("var e={expected};export{{e as default}};"));
}

/// Checks the bundler's errors or, if there are none, its warnings, each with the source line.
#[track_caller]
fn check_problems(files: TestFiles<'_>, expected: &[&str]) {
    let problems = bundle_files(files).map_or_else(|problems| problems, |bundle| bundle.warnings);
    let lines = problems.iter().map(|problem| {
        let line = problem.location.as_ref().and_then(|location| location.excerpt());
        let line = line.map(|excerpt| format!(" | {}", excerpt.text)).unwrap_or_default();
        format!("{}: {problem}{line}", problem.severity)
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[test]
fn bundles_deeply_nested_code() {
    let deep = [
        format!("export default (a) => a{};", ".b(c)".repeat(2000)),
        format!("export default (a) => {{ {}a() }};", "if (a.b) a.c(); else ".repeat(2000)),
        format!("export default (a) => {};", vec!["a.b"; 3000].join(" + ")),
        format!("export default () => {}{};", "[".repeat(1000), "]".repeat(1000)),
    ];
    for text in &deep {
        let script = bundled_script(&[("main.ts", text)]);
        assert!(script.len() > 1200, "{}", &script[..100]);
    }
}

#[test]
fn bundles_all_imports_into_one_minified_module() {
    check_default_export(
        &[("main.ts", "export default { fetch: () => new Response('hi' as string) };\n")],
        "{fetch:()=>new Response(`hi`)}",
    );
    let dynamic_import =
        [("main.ts", "export default () => import('./b');"), ("b.ts", "export const b = 'late';")];
    let script = bundled_script(&dynamic_import);
    assert!(script.contains("`late`") && !script.contains("import("), "{script}");
    // A string that is used three times is written once.
    let main = "import { a } from './a'; export default (b) => { if (b === a) return 1; if (b == a) return 2; return a; };";
    check(
        &[("main.ts", main), ("a.ts", "export const a = 'a text that is not short';")],
        "var e=`a text that is not short`,t=t=>t===e?1:t==e?2:e;export{t as default};",
    );
}

#[test]
fn keeps_syntax_up_to_es2022_and_defines_constants() {
    let text = "let a = globalThis.a; a ??= 1; export default a?.b;";
    check(&[("main.ts", text)], "var e=globalThis.a;e??=1;var t=e?.b;export{t as default};");
    check_default_export(
        &[("main.ts", "export default [process.env.NODE_ENV, MODE];")],
        "[`production`,`production`]",
    );
}

#[test]
fn keeps_imports_of_runtime_modules() {
    check(
        &[(
            "main.ts",
            "import { a } from 'node:buffer'; import b from 'cloudflare:sockets'; export { a, b };",
        )],
        "import{a as e}from\"node:buffer\";import t from\"cloudflare:sockets\";export{e as a,t as b};",
    );
}

#[test]
fn reads_files_by_their_extension() {
    let imports = "import a from './a.raw.js'; import b from './b.raw.css'; import './c'; import d from './d.json'; export default [a, b, d];";
    check_default_export(
        &[
            ("main.ts", imports),
            ("a.raw.js", "let x = 1;"),
            ("b.raw.css", "a{}"),
            ("c.css", "b{}"),
            ("d.json", "{\"k\": 1}"),
        ],
        "[`let x = 1;`,`a{}`,{k:1}]",
    );
    let scripts =
        [("a.js", "export default 'js'"), ("a.ts", "export default 'ts'"), ("a.tsx", "export default 'tsx'")];
    let main = ("main.ts", "import a from './a'; export default a;");
    check_default_export(&[main, scripts[0]], "`js`");
    check_default_export(&[main, scripts[0], scripts[1]], "`ts`");
    check_default_export(&[main, scripts[0], scripts[1], scripts[2]], "`tsx`");
}

#[test]
fn prefers_the_worker_entry_of_a_package() {
    let check = |package: &str, expected: &str| {
        let files = [
            ("main.ts", "import a from 'pkg'; export default a;"),
            ("node_modules/pkg/package.json", package),
            ("node_modules/pkg/worker.js", "export default 'worker'"),
            ("node_modules/pkg/browser.js", "export default 'browser'"),
            ("node_modules/pkg/main.js", "export default 'main'"),
        ];
        check_default_export(&files, &format!("`{expected}`"));
    };
    check(r#"{"main": "main.js", "browser": "browser.js", "worker": "worker.js"}"#, "worker");
    check(r#"{"main": "main.js", "browser": "browser.js"}"#, "browser");
    check(r#"{"main": "main.js"}"#, "main");
    // Like `@gitbook/cli`, the bundler ignores a map in `browser`.
    check(r#"{"main": "main.js", "browser": {"./main.js": "./browser.js"}}"#, "main");
    check(r#"{"exports": {"worker": "./worker.js", "browser": "./browser.js"}}"#, "worker");
    check(r#"{"exports": {"development": "./main.js", "production": "./browser.js"}}"#, "browser");
    check(r#"{"exports": {"node": "./worker.js", "default": "./main.js"}}"#, "main");
}

#[test]
fn reads_packages_but_no_other_files_above_the_repository() {
    let main = ("main.ts", "import a from 'pkg'; export default a;");
    check_default_export(&[main, ("../node_modules/pkg/index.js", "export default 'above'")], "`above`");
    let files = [("main.ts", "import a from '../a.raw.js'; export default a;"), ("../a.raw.js", "secret")];
    let problem = bundle_files(&files).unwrap_err().remove(0).to_string();
    let (before, after) = ("main.ts:1:15: `", "a.raw.js` cannot be imported: it is outside the repository");
    assert!(problem.starts_with(before) && problem.ends_with(after), "{problem}");
}

/// Returns two `tsconfig.json` texts with the compiler options `options`. The second text also extends a missing package.
fn tsconfigs_with(options: &str) -> [String; 2] {
    ["", "\"extends\": \"@tsconfig/none\", "]
        .map(|extends| format!("{{{extends}\"compilerOptions\": {{{options}}}}}"))
}

/// Bundles a script with JSX. In the result, the number in front of each element identifies the function that creates it.
fn bundle_jsx(tsconfig: &str) -> String {
    let files = [
        ("main.ts", "import a from './a'; export default a;"),
        ("a.tsx", "export default <block id=\"a\">x<></></block>;"),
        ("tsconfig.json", tsconfig),
        ("node_modules/@gitbook/runtime/jsx-runtime.js", "export const jsx = 1, jsxs = 2, Fragment = 3;"),
        ("node_modules/@gitbook/runtime/jsx-dev-runtime.js", "export const jsxDEV = 4, Fragment = 5;"),
        ("node_modules/preact/jsx-runtime.js", "export const jsx = 6, jsxs = 7, Fragment = 8;"),
    ];
    let bundle = bundle_files(&files).unwrap();
    let extends_missing_package = tsconfig.contains("extends");
    assert_eq!(bundle.warnings.len(), usize::from(extends_missing_package), "{:?}", bundle.warnings);
    bundle.script
}

#[test]
fn compiles_jsx_with_the_options_in_tsconfig() {
    let check = |options: &str, expected: &str| {
        for tsconfig in tsconfigs_with(options) {
            let script = bundle_jsx(&tsconfig);
            assert_eq!(script, format!("var e={expected};export{{e as default}};"), "{tsconfig}");
        }
    };
    check("", "2(`block`,{id:`a`,children:[`x`,1(3,{})]})");
    check("\"jsx\": \"preserve\"", "2(`block`,{id:`a`,children:[`x`,1(3,{})]})");
    let preact = "\"jsx\": \"react-jsx\", \"jsxImportSource\": \"preact\"";
    check(preact, "7(`block`,{id:`a`,children:[`x`,6(8,{})]})");
    let react = "React.createElement(`block`,{id:`a`},`x`,React.createElement(React.Fragment,null))";
    check("\"jsx\": \"react\"", react);
    let own = "\"jsx\": \"react\", \"jsxFactory\": \"h\", \"jsxFragmentFactory\": \"F\"";
    check(own, "h(`block`,{id:`a`},`x`,h(F,null))");
    for tsconfig in tsconfigs_with("\"jsx\": \"react-jsxdev\"") {
        let development = bundle_jsx(&tsconfig);
        assert!(development.contains("(`block`,") && development.contains("fileName:"), "{development}");
        // The path is relative to the repository.
        assert!(development.contains("=`a.tsx`,"), "{development}");
    }
}

#[test]
fn defines_class_fields_if_the_target_is_es2022_or_later() {
    let class = ("main.ts", "export default class { a: string; b = 1; }");
    let assigned = "class{constructor(){this.b=1}}";
    check_default_export(&[class], assigned);
    let check = |options: &str, defines: bool| {
        for tsconfig in tsconfigs_with(options) {
            let script = bundle_files(&[class, ("tsconfig.json", &tsconfig)]).unwrap().script;
            assert_eq!(!script.contains(&format!("={assigned};")), defines, "{tsconfig}: {script}");
            assert_eq!(script.contains("class{a;b=1}"), defines, "{tsconfig}: {script}");
        }
    };
    check("", false);
    check("\"target\": \"ES2021\"", false);
    check("\"target\": \"ES2022\"", true);
    check("\"target\": \"es2023\"", true);
    check("\"target\": \"ESNext\"", true);
    check("\"useDefineForClassFields\": true", true);
    check("\"target\": \"ES2022\", \"useDefineForClassFields\": false", false);
}

#[test]
fn ignores_a_tsconfig_above_the_repository() {
    let source = ("main.ts", "export default class { a?: string; b = 1; }\n");
    let options = "{\"compilerOptions\": {\"target\": \"ES2022\"}}";
    assert_eq!(bundled_script(&[source, ("../tsconfig.json", options)]), bundled_script(&[source]));
    assert_ne!(bundled_script(&[source, ("tsconfig.json", options)]), bundled_script(&[source]));
}

#[test]
fn ignores_a_package_json_above_the_repository() {
    let files = [("main.ts", "import { name } from './a.js'; log(name);"), ("a.js", "log(1);")];
    let module = r#"{"type": "module"}"#;
    let with = |path| bundle_files(&[files[0], files[1], (path, module)]).map(|bundle| bundle.script);
    assert_eq!(with("../package.json").unwrap(), bundled_script(&files));
    assert!(with("package.json").is_err(), "an ES module without exports exports no names");
}

#[test]
fn resolves_paths_if_the_extended_package_is_missing() {
    let check = |extends: &str, base: &str, warnings: &[&str]| {
        let tsconfig = format!(
            "{{{extends}\"compilerOptions\": {{{base}\"jsx\": \"react\", \"paths\": {{\"@/*\": [\"./*\"], \"bee\": [\"./b.ts\"]}}}}}}"
        );
        let files = [
            ("src/main.ts", "export { default } from '../main.ts'"),
            (
                "main.ts",
                "import a from '@/a'; import b from 'bee'; import c from 'bee/c'; export default [a, b, c];",
            ),
            ("src/a.ts", "export default 'a'"),
            ("src/b.ts", "export default 'b'"),
            ("a.ts", "export default 'top a'"),
            ("b.ts", "export default 'top b'"),
            ("node_modules/bee/c.js", "export default 'c'"),
            ("tsconfig.json", &tsconfig),
        ];
        let expected = if base.is_empty() { "[`top a`,`top b`,`c`]" } else { "[`a`,`b`,`c`]" };
        let script = bundle_files(&files).unwrap().script;
        assert_eq!(script, format!("var e={expected};export{{e as default}};"), "{tsconfig}");
        check_problems(&files, warnings);
    };
    check("", "", &[]);
    check("", "\"baseUrl\": \"src\", ", &[]);
    let extends = "\"extends\": \"@tsconfig/none\", ";
    let warning =
        "warning: tsconfig.json: `@tsconfig/none` in `extends` does not exist; its options are ignored";
    check(extends, "", &[warning]);
    check(extends, "\"baseUrl\": \"src\", ", &[warning]);
}

#[test]
fn reports_the_location_of_a_syntax_error_in_tsconfig() {
    let broken = [("main.ts", ""), ("tsconfig.json", "{\n  \"extends\": ,\n}\n")];
    check_problems(&broken, &["error: tsconfig.json:3:1: `tsconfig.json` is not valid: expected value | }"]);
}

#[test]
fn reports_the_location_of_a_syntax_error() {
    let check = |text: &str, expected: &str| {
        check_problems(&[("main.ts", text)], &[&format!("error: main.ts:{expected}")]);
    };
    check("const = 1;\n", "1:7: unexpected token | const = 1;");
    check("let a = 1;\nconst = 1;\n", "2:7: unexpected token | const = 1;");
    check("let a;\n\nlet b = '😀', c = ;\n", "3:18: unexpected token | let b = '😀', c = ;");
    check("\u{feff}const = 1;\r\n", "1:7: unexpected token | const = 1;");
    check("\u{feff}let a = 1;\r\nconst = 1;\r\n", "2:7: unexpected token | const = 1;");
    check("\u{feff}export default (", "1:17: expected `)` but found `EOF` | export default (");
    check("export default (", "1:17: expected `)` but found `EOF` | export default (");
    check_problems(
        &[("main.ts", "import a from './d/a.json'; export default a;"), ("d/a.json", "{\n  \"a\":\n")],
        &["error: d/a.json:3:1: EOF while parsing a value at line 3 column 0 |   \"a\":\n"],
    );
}

#[test]
fn reports_unresolved_imports_as_errors_and_eval_as_a_warning() {
    let text = "import { a } from './none';\nexport { b } from './nowhere';\nexport default a;\n";
    check_problems(
        &[("main.ts", text)],
        &[
            "error: main.ts:1:19: `./none` cannot be imported: no such file | import { a } from './none';",
            "error: main.ts:2:19: `./nowhere` cannot be imported: no such file | export { b } from './nowhere';",
        ],
    );
    // The compiler inserts the import of the JSX runtime, so the import has no position in the source.
    check_problems(
        &[("main.ts", "import './a';"), ("a.tsx", "export default <a/>;\nexport const b = <b/>;\n")],
        &[
            "error: a.tsx: `@gitbook/runtime/jsx-runtime` cannot be imported: the package `@gitbook/runtime` is not installed",
        ],
    );
    let problems = bundle_files(&[("main.ts", "import a from 'a-package'; export default a;")]).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "main.ts:1:15: `a-package` cannot be imported: the package `a-package` is not installed"
    );
    assert!(problems[0].hint.as_deref().is_some_and(|hint| hint.contains("package.json")), "{problems:?}");
    let files = [("main.ts", "export default eval('1');\n")];
    let warning = "warning: main.ts:1:16: use of direct `eval` in 'main.ts' is strongly discouraged as it poses security risks and may cause issues with minification | export default eval('1');";
    check_problems(&files, &[warning]);
    let bundle = bundle_files(&files).unwrap();
    assert_eq!(bundle.warnings[0].hint, None);
    assert!(bundle.script.contains("eval(`1`)"), "{}", bundle.script);
}
