//! Input that the vendor's CLI accepts.

use super::{Files, check, exports, script};

#[test]
fn an_import_may_have_a_query_or_a_hash() {
    let main = "import a from './a.raw.js?raw'; import b from './b#c'; import d from './b?e'; console.log(b, d); export default a;";
    let files = [("main.ts", main), ("a.raw.js", "text"), ("b.ts", "export default {};")];
    let script = script(&files);
    assert!(script.contains("`text`") && script.contains("console.log({},{})"), "{script}");
    exports(
        &[
            ("main.ts", "import a from './a?b.js'; export default a;"),
            ("a?b.js", "export default 'of that name'"),
        ],
        "`of that name`",
    );
}

#[test]
fn types_may_be_exported_again_without_a_word() {
    let files: Files<'_> = &[
        ("main.ts", "import { value, T } from './middle'; let t: T; export default value;"),
        ("middle.ts", "import { T as U } from './types'; export { U }; export { T, value } from './types';"),
        ("types.ts", "export type T = 1; export const value = 2;"),
    ];
    exports(files, "2");
}

#[test]
fn a_commonjs_package_is_what_its_importer_takes_it_for() {
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
    let script = script(&files);
    assert_eq!(script.matches(",1)").count(), 1, "one of two imports is Node's: {script}");
    // Only the flag, and no default.
    let files =
        [("main.ts", "import a from './a.cjs'; export default a;"), ("a.cjs", "exports.__esModule = true;")];
    assert!(!super::script(&files).contains("hasOwnProperty.call(e,`default`)"));
}

#[test]
fn a_name_that_a_script_without_exports_lacks_is_undefined() {
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
fn a_commonjs_module_in_a_circle_starts_where_it_is_imported() {
    let script = script(&[
        ("main.ts", "import { one } from './first.cjs';\nimport './last.js';\nlog(one);"),
        ("first.cjs", "require('./second.js'); log(1); exports.one = 1;"),
        ("second.js", "import { one } from './first.cjs';\nexport const two = () => one;"),
        ("last.js", "log(2);"),
    ]);
    let start = script.rsplit("function ").next().unwrap_or_default();
    assert_eq!(start, "o(){return(o=e(()=>{a=r(),i(),log(a.one)}))()}o();", "{script}");
}

#[test]
fn commonjs_modules_start_in_the_order_of_their_imports() {
    let script = script(&[
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
fn require_of_a_module_of_node_is_an_import() {
    let files = [
        ("main.ts", "import a from 'a'; export default a;"),
        ("node_modules/a/index.js", "module.exports = require('node:path').join('a', 'b');"),
    ];
    let script = script(&files);
    assert!(script.contains("from\"node:path\"") && !script.contains("require(`node:"), "{script}");
}

#[test]
fn each_file_has_the_settings_of_its_own_folder() {
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
    let script = script(&files);
    assert!(script.contains("constructor(){this.a=1}") && script.matches("{a=1;b}").count() == 2, "{script}");
}

#[test]
fn a_base_that_extends_another_adds_its_options() {
    let files = [
        ("main.tsx", "export default <a/>;"),
        ("main.ts", "import a from './main.tsx'; export default a;"),
        ("tsconfig.json", r#"{"extends": ["./one", "./two.json"]}"#),
        ("one.json", r#"{"extends": "./zero.json", "compilerOptions": {"jsxFactory": "one"}}"#),
        ("two.json", r#"{"compilerOptions": {"jsxFactory": "two"}}"#),
        ("zero.json", r#"{"compilerOptions": {"jsx": "react", "jsxFactory": "zero"}}"#),
    ];
    exports(&files, "two(`a`,null)");
}
