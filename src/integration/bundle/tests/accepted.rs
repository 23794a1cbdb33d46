//! Tests that the bundler accepts unusual input that `@gitbook/cli` also accepts.

use super::{TestFiles, bundled_script, check, check_default_export};

#[test]
fn resolves_imports_with_a_query_or_a_hash() {
    let main = "import a from './a.raw.js?raw'; import b from './b#c'; import d from './b?e'; console.log(b, d); export default a;";
    let files = [("main.ts", main), ("a.raw.js", "text"), ("b.ts", "export default {};")];
    let script = bundled_script(&files);
    assert!(script.contains("`text`") && script.contains("console.log({},{})"), "{script}");
    check_default_export(
        &[
            ("main.ts", "import a from './a?b.js'; export default a;"),
            ("a?b.js", "export default 'of that name'"),
        ],
        "`of that name`",
    );
}

#[test]
fn accepts_re_exported_types_without_the_type_keyword() {
    let files: TestFiles<'_> = &[
        ("main.ts", "import { value, T } from './middle'; let t: T; export default value;"),
        ("middle.ts", "import { T as U } from './types'; export { U }; export { T, value } from './types';"),
        ("types.ts", "export type T = 1; export const value = 2;"),
    ];
    check_default_export(files, "2");
}

#[test]
fn reads_a_commonjs_default_by_the_rules_of_each_importer() {
    let greet =
        "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = () => 'hi';";
    let files = [
        (
            "main.ts",
            "import greet from 'greet'; import { type } from 'user'; export default [greet(), type];",
        ),
        ("node_modules/greet/index.js", greet),
        ("node_modules/user/package.json", r#"{"type": "module"}"#),
        ("node_modules/user/index.js", "import greet from 'greet'; export const type = greet.default();"),
    ];
    let script = bundled_script(&files);
    assert_eq!(script.matches(",1)").count(), 1, "one of two imports reads `default` as Node does: {script}");
    // A module with `__esModule` and without `default`.
    let files =
        [("main.ts", "import a from './a.cjs'; export default a;"), ("a.cjs", "exports.__esModule = true;")];
    assert!(!bundled_script(&files).contains("hasOwnProperty.call(e,`default`)"));
}

#[test]
fn imports_undefined_for_a_missing_name_of_a_module_without_exports() {
    check(
        &[
            ("main.ts", "import './first.js';\nimport { name } from './second.js';\nlog(name);"),
            ("first.js", "log(1);"),
            ("second.js", "log(2);"),
        ],
        "log(1),log(2);var e;log(e);",
    );
}

#[test]
fn evaluates_a_circular_commonjs_module_at_its_import() {
    let script = bundled_script(&[
        ("main.ts", "import { one } from './first.cjs';\nimport './last.js';\nlog(one);"),
        ("first.cjs", "require('./second.js'); log(1); exports.one = 1;"),
        ("second.js", "import { one } from './first.cjs';\nexport const two = () => one;"),
        ("last.js", "log(2);"),
    ]);
    let start = script.rsplit("function ").next().unwrap_or_default();
    assert_eq!(start, "o(){return(o=e(()=>{a=r(),i(),log(a.one)}))()}o();", "{script}");
}

#[test]
fn evaluates_commonjs_modules_in_import_order() {
    let script = bundled_script(&[
        (
            "main.ts",
            "import { one } from './first.cjs';\nimport { two } from './second.cjs';\nlog(one, two);",
        ),
        ("first.cjs", "log(1); exports.one = require('./second.cjs');"),
        ("second.cjs", "log(2); exports.two = 2;"),
    ]);
    let start = script.rsplit("function ").next().unwrap_or_default();
    assert_eq!(start, "o(){return(o=e(()=>{i=r(),a=n(),log(i.one,a.two)}))()}o();", "{script}");
}

#[test]
fn turns_require_of_a_built_in_node_module_into_an_import() {
    let files = [
        ("main.ts", "import a from 'a'; export default a;"),
        ("node_modules/a/index.js", "module.exports = require('node:path').join('a', 'b');"),
    ];
    let script = bundled_script(&files);
    assert!(script.contains("from\"node:path\"") && !script.contains("require(`node:"), "{script}");
}

#[test]
fn applies_the_tsconfig_of_each_folder() {
    let class = "export class A { a = 1; b?: string }";
    let files = [
        (
            "main.ts",
            "import { A } from './assigned/a'; import { A as B } from './defined/a'; import { A as C } from 'c'; export default [A, B, C];",
        ),
        ("assigned/a.ts", class),
        ("defined/a.ts", class),
        ("defined/tsconfig.json", r#"{"compilerOptions": {"useDefineForClassFields": true}}"#),
        ("node_modules/c/index.js", "export class A { a = 1; b }"),
    ];
    let script = bundled_script(&files);
    assert!(script.contains("constructor(){this.a=1}") && script.matches("{a=1;b}").count() == 2, "{script}");
}

#[test]
fn merges_options_of_extended_files() {
    let files = [
        ("main.tsx", "export default <a/>;"),
        ("main.ts", "import a from './main.tsx'; export default a;"),
        ("tsconfig.json", r#"{"extends": ["./one", "./two.json"]}"#),
        ("one.json", r#"{"extends": "./zero.json", "compilerOptions": {"jsxFactory": "one"}}"#),
        ("two.json", r#"{"compilerOptions": {"jsxFactory": "two"}}"#),
        ("zero.json", r#"{"compilerOptions": {"jsx": "react", "jsxFactory": "zero"}}"#),
    ];
    check_default_export(&files, "two(`a`,null)");
}
