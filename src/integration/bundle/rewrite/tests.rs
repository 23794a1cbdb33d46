//! The text that each rule makes of a pattern, and of near misses.

use rolldown_ecmascript::EcmaCompiler;

use oxc::span::SourceType;

use super::{Corrections, rewrite, sloppy};
use crate::integration::bundle::tsconfig::CompilerOptions;

/// Returns a text after all rules, or the messages of the refusals.
fn rewritten(path: &str, source: &str, settings: &CompilerOptions) -> String {
    let source_type = SourceType::from_path(path).unwrap().with_module(true);
    let ast = EcmaCompiler::parse(path, source.to_owned(), source_type).unwrap();
    match rewrite(ast, path, settings, &Corrections::default()).unwrap() {
        Ok(rewritten) => rewritten.ast.source().to_string(),
        Err((_, refusals)) => {
            refusals.into_iter().map(|refusal| format!("refused: {}", refusal.message)).collect()
        }
    }
}

#[track_caller]
fn javascript(source: &str, expected: &str) {
    assert_eq!(rewritten("a.js", source, &CompilerOptions::default()), expected, "{source}");
}

#[track_caller]
fn typescript(source: &str, expected: &str) {
    assert_eq!(rewritten("a.ts", source, &CompilerOptions::default()), expected, "{source}");
}

/// Fields are defined rather than assigned.
#[track_caller]
fn defining(source: &str, expected: &str) {
    assert_eq!(rewritten("a.ts", source, &CompilerOptions::defining_fields()), expected, "{source}");
}

#[test]
fn commonjs_is_recognised() {
    javascript("a(module.require('b'))", "a(require('b'))");
    javascript("a(module['require']('b'), module.require)", "a(require('b'), module.require)");
    javascript("function a(module) { module.require('b') }", "function a(module) { module.require('b') }");
    javascript("var exports, a = 1, module = module || {};", "var a = 1;module = module || {};");
    javascript("{ let exports = 1; exports.a = 2 }", "{ let exports = 1; exports.a = 2 }");
    javascript("eval('exports.a = 1')", "eval('exports.a = 1')\nexports, module;");
    javascript("(function (a) {})(this)", "(function (a) {})(this)\nexports, module;");
    javascript("a(function () { return this })", "a(function () { return this })");
    javascript("export default this", "export default this");
}

#[test]
fn functions_in_blocks_are_hoisted_in_sloppy_code() {
    javascript("{ function f() { f() } } f()", "{var f = f$; function f$() { f$() } } f()");
    javascript("{ function f() {} a = {f} }", "{var f = f$; function f$() {} a = {f: f$} }");
    javascript("function f() {} { function f() {} }", "function f() {} {f = f$; function f$() {} }");
    for near_miss in [
        "'use strict'; { function f() {} }",
        "export {}; { function f() {} }",
        "let f; { function f() {} }",
        "function a(f) { { function f() {} } }",
        "class A { a() { { function f() {} } } }",
        "{ async function f() {} function* g() {} }",
        "function f() {} f()",
    ] {
        javascript(near_miss, near_miss);
    }
}

#[test]
fn a_variable_of_the_name_that_a_catch_binds_is_hoisted() {
    javascript(
        "export default () => { try {} catch (e) { var e = 1, x; } }",
        "export default () => { try {} catch (e) { e = 1; } \n;var e, x;}",
    );
    javascript("try {} catch (e) { for (var e in a); }", "try {} catch (e) { for (e in a); }\n;var e;");
    let near_miss = "try {} catch (e) { var f = 1; a(() => { var e }) }";
    javascript(near_miss, near_miss);
}

#[test]
fn computed_keys_are_texts() {
    javascript(
        "class A { [-1] = 1; [1 - 2]() {} ['a'] = 2 }",
        "class A { [`${-1}`] = 1; [`${1 - 2}`]() {} ['a'] = 2 }",
    );
    javascript("a = { [-0]() {} }", "a = { [`${-0}`]() {} }");
    javascript(
        "class A { b = () => class { [this.c] } }",
        "class A { b = () => ((this$) => class { [this$.c] })(this) }",
    );
    typescript("class A { [a] = 1; 'b c'() {} }", "class A { [a] = 1; ['b c']() {} }");
    let near_miss = "class A { b() { return class { [this.c] } } }";
    javascript(near_miss, near_miss);
    javascript(
        "class A { static { class B { [this.c] } } }",
        "refused: `this` in a computed key of a class inside another class is not supported here",
    );
}

#[test]
fn a_case_uses_its_own_names_only() {
    let refused = |name: &str| format!("refused: `{name}` is declared in another `case` of this `switch`");
    javascript("switch (1) { case 0: let a; case 1: a = 2 }", &refused("a"));
    javascript("switch (b) { case 0: const a = 1; default: c(a) }", &refused("a"));
    for near_miss in [
        "switch (b) { case 0: let a; case 1: a = 2 }",
        "switch (1) { case 0: { let a } case 1: a }",
        "switch (1) { case 0: let a = 1; c(a) }",
        "let a; switch (1) { case 0: a = 1; case 1: c(a) }",
    ] {
        javascript(near_miss, near_miss);
    }
}

#[test]
fn exports_of_namespaces_are_their_properties() {
    typescript(
        "namespace A { export let a = 1; a++; b({a}) }",
        "namespace A { export let a = 1; A.a++; b({a: A.a}) }",
    );
    typescript(
        "namespace A { export const a = 1 } namespace A { b(a) }",
        "namespace A { export const a = 1 } namespace A { b(A.a) }",
    );
    typescript("namespace A.B { } namespace A { b(B) }", "namespace A.B { } namespace A { b(A.B) }");
    typescript(
        "namespace A { export enum B { X } } namespace A { export enum B { Y = X + 1, Z = Y } }",
        "refused: the enum `A.B` is declared in several parts of its namespace",
    );
    for near_miss in [
        "enum B { X } enum B { Y = X }",
        "namespace A { export enum B { X } export enum B { Y = X } }",
        "namespace A { export const a = 1; b(a) }",
        "namespace A { export let a = 1; { let a = 2; b(a) } }",
        "namespace A { let a = 1 } namespace A { b(a) }",
        "namespace A { export type T = 1; let t: T }",
    ] {
        typescript(near_miss, near_miss);
    }
}

#[test]
fn initializers_follow_every_super() {
    typescript(
        "class A extends B { constructor(private a) { const b = super() } }",
        "class A extends B { constructor(a) { const b = (super(), this.a = a, this) } }",
    );
    typescript(
        "class A extends B { c = 1; constructor() { if (a) super(1); else super(2) } }",
        "class A extends B {  constructor() { if (a) void (super(1), this.c = 1, this); else void (super(2), this.c = 1, this) } }",
    );
    typescript(
        "let a; class A { b = a; constructor(a) {} }",
        "let a; class A {  constructor(a) {this.#init$();} ;#init$() { this.b = a; }}",
    );
    defining(
        "class A { b = this.a; constructor(private a) {} }",
        "class A {a; b; constructor(a) {this.a = a, this.b = this.a;} }",
    );
    for near_miss in [
        "class A extends B { c = 1; constructor(private a) { super(); } }",
        "class A { b = this.a; constructor(private a) {} }",
        "class A extends B { constructor(a) { const b = super() } }",
    ] {
        typescript(near_miss, near_miss);
    }
}

#[test]
fn keys_that_depend_on_the_function_stay_in_the_class() {
    typescript(
        "async () => class { a = 1; [await b]() {} static c = 2; d?: 1 }",
        "async () => class {constructor() { this.a = 1; }  [await b]() {} static { this.c = 2; };  }",
    );
    let refused = "refused: the computed key of this field cannot be compiled";
    typescript("async () => class { [await b] = 1 }", refused);
    defining("async () => class { [await b] = 1 }", "async () => class { [await b] = 1 }");
    typescript("class A { a = 1; [b]() {} }", "class A { a = 1; [b]() {} }");
}

#[test]
fn decorators_of_static_members_come_last() {
    typescript(
        "class A { @a static b = 1; @c d() {} }",
        "class A { static { this.b = 1; }; @c d() {} ;@a static b;}",
    );
    typescript("class A { @a static b() {} @c d() {} }", "class A {  @c d() {} ;@a static b() {}}");
    typescript("class A { @a 'b' = 1 }", "class A { @a b = 1 }");
    typescript(
        "class A { @a 'b-c' = 1 }",
        "refused: a decorated field with a quoted name is not supported here",
    );
    typescript(
        "class A { @a [b] = 1 }",
        "refused: a decorated field with a computed key is not supported here",
    );
    defining(
        "class A { @a static b = 1; @c d() {} }",
        "refused: a decorated static member is not supported here",
    );
    defining("class A { @c d() {} @a static b = 1 }", "class A { @c d() {} @a static b = 1 }");
}

#[test]
fn modules_of_types_are_evaluated_as_by_esbuild() {
    typescript("import {} from 'a'; import 'b'; a()", " import 'b'; a()");
    typescript("export { type A } from 'a'", "import 'a';export { type A } from 'a'");
    for near_miss in
        ["export type { A } from 'a'", "export { type A, b } from 'a'", "import { type A } from 'a'"]
    {
        typescript(near_miss, near_miss);
    }
}

#[test]
fn a_key_goes_before_spreads_of_literals() {
    let check = |source: &str, expected: &str| {
        assert_eq!(rewritten("a.tsx", source, &CompilerOptions::default()), expected);
    };
    check("<a b {...{ c: 1 }} key='d' e/>", "<a key='d' b {...{ c: 1 }}  e/>");
    for near_miss in ["<a {...b} key='d'/>", "<a key='d' {...{ c: 1 }}/>", "<a {...{ c: 1 }}/>"] {
        check(near_miss, near_miss);
    }
}

#[test]
fn lines_stay_where_they_are() {
    typescript(
        "let a; class A {\n b =\n a;\n constructor(a) {}\n}\nc",
        "let a; class A {\n \n\n constructor(a) {this.#init$();}\n;#init$() { this.b = a; }}\nc",
    );
}

#[test]
fn a_variable_that_a_parameter_reads_before_it_is_declared_is_no_other_one() {
    javascript(
        "export let a; function b() { function c(d = a) {} let a = {a} }",
        "export let a; function b() { function c(d = a$late$$) {} let a$late$$ = {a: a$late$$} }",
    );
    javascript(
        "export let a; () => { (b = () => a) => b; var {a, ...c} = d; ({a} = c) }",
        "export let a; () => { (b = () => a$late$$) => b; var {a: a$late$$, ...c} = d; ({a: a$late$$} = c) }",
    );
    for near_miss in [
        "export {}; (b = a) => b; let a;",
        "export let a; function b() { let a; (c = a) => c }",
        "export let a; function b(c = a) { let a }",
        "export let a; function b() { (c = a) => { let a } }",
        "export let a; function b() { (c, d = c) => { let a } }",
        "export let a; function b() { () => a; let a }",
    ] {
        javascript(near_miss, near_miss);
    }
    typescript(
        "let a; namespace A { function b(c = a) {} export const a = 1 }",
        "let a; namespace A { function b(c = A.a) {} export const a = 1 }",
    );
}

#[test]
fn literal_names_behind_a_computed_field_are_computed() {
    typescript("class A { [a] = 1; 70() {} get 'b'() {} }", "class A { [a] = 1; [70]() {} get ['b']() {} }");
    typescript("class A { a = 1; 70() {} 'b'() {} }", "class A { a = 1; 70() {} 'b'() {} }");
}

#[test]
fn a_default_export_is_not_the_module() {
    let with_default = "exports.__esModule = true; exports.default = {}; ";
    javascript(
        &format!("{with_default}exports.a = exports['b'] = 1"),
        "var exports$ = exports; exports.__esModule = true; exports.default = {}; exports$.a = exports$['b'] = 1",
    );
    for near_miss in ["(function (exports) { exports.a = 1 })({})", "a(exports.a)", "module.exports.a = 1"] {
        let near_miss = format!("{with_default}{near_miss}");
        javascript(&near_miss, &near_miss);
    }
    javascript("exports.a = exports.default = 1", "exports.a = exports.default = 1");
}

#[test]
fn a_field_may_read_what_an_outer_class_has_set() {
    defining(
        "class A extends B { b = [this.b]; c; constructor(private a) { super() } }",
        "class A extends B {a;   constructor(a) { void (super(), this.a = a, \
         Object.defineProperty(this, 'b', { value: [this.b], writable: true, enumerable: true, configurable: true }), \
         Object.defineProperty(this, 'c', { value: void 0, writable: true, enumerable: true, configurable: true }), this) } }",
    );
    defining(
        "class A { b = (this, 1) ; constructor(private a) {} }",
        "class A {a; b; constructor(a) {this.a = a, this.b = (this, 1);} }",
    );
}

#[test]
fn sloppy_code_becomes_strict() {
    let check =
        |source: &str, expected: Option<&str>| assert_eq!(sloppy(source).as_deref(), expected, "{source}");
    check("if (a) function f() {}", Some("if (a) {function f() {}}"));
    check("x: function f() {}", Some("function f() {}"));
    check("for (var a = 1 in b);", Some("var a = 1;for (var a in b);"));
    check("a(010, 08.5, 0, 0x10, '\\01')", Some("a(8, 8.5, 0, 0x10, \"\\u0001\")"));
    check("function f() { 1 } function f() { 2 }", Some(" function f() { 2 }"));
    check("var public = 1; a({public})", Some("var public$ = 1; a({public: public$})"));
    check("function a() {} var a = 1, b; c()", Some("function a() {} a = 1, b; c()\nvar b;"));
    check("var { public, static = 1 } = a", Some("var { public: public$, static: static$ = 1 } = a"));
    check("function a() {} for (var a in b);", Some("function a() {} for (a in b);"));
    check("function a() {} for (var a = 0; ;);", Some("function a() {} for (a = 0; ;);"));
    check("function a() {} for (var [a, b] of c);", Some("function a() {} for ([a, b] of c);\nvar b;"));
    check("function a() {} var {a} = b", Some("function a() {} void 0,({a} = b)"));
    check(
        "function a() { function b() {} for (var b, c;;); }",
        Some("function a() { function b() {} for (b, c;;); \nvar c;}"),
    );
    check(
        "function a() { function b() {} { var b = 1 } }",
        Some("function a() { function b() {} { b = 1 } }"),
    );
    check("const = 1", None);
}
