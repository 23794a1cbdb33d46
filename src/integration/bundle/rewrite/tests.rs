//! Tests each rule with its pattern and with similar code that must stay unchanged.

use rolldown_ecmascript::EcmaCompiler;

use oxc::span::SourceType;

use super::{Corrections, apply_rules, to_strict};
use crate::integration::bundle::tsconfig::CompilerOptions;

/// Returns a source text after all rules have edited it, or the messages about its unsupported patterns.
fn rewritten_source(path: &str, source: &str, settings: &CompilerOptions) -> String {
    let source_type = SourceType::from_path(path).unwrap().with_module(true);
    let ast = EcmaCompiler::parse(path, source.to_owned(), source_type).unwrap();
    match apply_rules(ast, path, settings, &Corrections::default()).unwrap() {
        Ok(rewritten) => rewritten.ast.source().to_string(),
        Err((_, unsupported)) => unsupported
            .into_iter()
            .map(|unsupported| format!("unsupported: {}", unsupported.message))
            .collect(),
    }
}

#[track_caller]
fn check_javascript(source: &str, expected: &str) {
    assert_eq!(rewritten_source("a.js", source, &CompilerOptions::default()), expected, "{source}");
}

#[track_caller]
fn check_typescript(source: &str, expected: &str) {
    assert_eq!(rewritten_source("a.ts", source, &CompilerOptions::default()), expected, "{source}");
}

/// Checks the rewritten TypeScript for `useDefineForClassFields`, which defines class fields instead of assigning them.
#[track_caller]
fn check_typescript_with_defined_fields(source: &str, expected: &str) {
    assert_eq!(
        rewritten_source("a.ts", source, &CompilerOptions::with_defined_fields()),
        expected,
        "{source}"
    );
}

#[test]
fn rewrites_commonjs_patterns() {
    check_javascript("a(module.require('b'))", "a(require('b'))");
    check_javascript("a(module['require']('b'), module.require)", "a(require('b'), module.require)");
    check_javascript(
        "function a(module) { module.require('b') }",
        "function a(module) { module.require('b') }",
    );
    check_javascript("var exports, a = 1, module = module || {};", "var a = 1;module = module || {};");
    check_javascript("{ let exports = 1; exports.a = 2 }", "{ let exports = 1; exports.a = 2 }");
    check_javascript("eval('exports.a = 1')", "eval('exports.a = 1')\nexports, module;");
    check_javascript("(function (a) {})(this)", "(function (a) {})(this)\nexports, module;");
    check_javascript("a(function () { return this })", "a(function () { return this })");
    check_javascript("export default this", "export default this");
}

#[test]
fn hoists_functions_declared_in_blocks_in_sloppy_code() {
    check_javascript("{ function f() { f() } } f()", "{var f = f$; function f$() { f$() } } f()");
    check_javascript("{ function f() {} a = {f} }", "{var f = f$; function f$() {} a = {f: f$} }");
    check_javascript("function f() {} { function f() {} }", "function f() {} {f = f$; function f$() {} }");
    for unaffected in [
        "'use strict'; { function f() {} }",
        "export {}; { function f() {} }",
        "let f; { function f() {} }",
        "function a(f) { { function f() {} } }",
        "class A { a() { { function f() {} } } }",
        "{ async function f() {} function* g() {} }",
        "function f() {} f()",
    ] {
        check_javascript(unaffected, unaffected);
    }
}

#[test]
fn hoists_a_var_with_the_name_of_a_catch_binding() {
    check_javascript(
        "export default () => { try {} catch (e) { var e = 1, x; } }",
        "export default () => { try {} catch (e) { e = 1; } \n;var e, x;}",
    );
    check_javascript("try {} catch (e) { for (var e in a); }", "try {} catch (e) { for (e in a); }\n;var e;");
    let unaffected = "try {} catch (e) { var f = 1; a(() => { var e }) }";
    check_javascript(unaffected, unaffected);
}

#[test]
fn rewrites_numeric_keys_and_keys_with_this() {
    check_javascript(
        "class A { [-1] = 1; [1 - 2]() {} ['a'] = 2 }",
        "class A { [`${-1}`] = 1; [`${1 - 2}`]() {} ['a'] = 2 }",
    );
    check_javascript("a = { [-0]() {} }", "a = { [`${-0}`]() {} }");
    check_javascript(
        "class A { b = () => class { [this.c] } }",
        "class A { b = () => ((this$) => class { [this$.c] })(this) }",
    );
    check_typescript("class A { [a] = 1; 'b c'() {} }", "class A { [a] = 1; ['b c']() {} }");
    check_typescript(
        "class A { [a] = 1; 'constructor'() {} static 'constructor'() {} }",
        "class A { [a] = 1; 'constructor'() {} static ['constructor']() {} }",
    );
    let unaffected = "class A { b() { return class { [this.c] } } }";
    check_javascript(unaffected, unaffected);
    check_javascript(
        "class A { static { class B { [this.c] } } }",
        "unsupported: `this` in a computed key of a class inside another class is not supported",
    );
}

#[test]
fn rejects_uses_of_names_declared_in_another_case() {
    let unsupported = |name: &str| {
        format!(
            "unsupported: `{name}` is used here but declared in another `case` of this `switch`, which is not supported"
        )
    };
    check_javascript("switch (1) { case 0: let a; case 1: a = 2 }", &unsupported("a"));
    check_javascript("switch (b) { case 0: const a = 1; default: c(a) }", &unsupported("a"));
    for unaffected in [
        "switch (b) { case 0: let a; case 1: a = 2 }",
        "switch (1) { case 0: { let a } case 1: a }",
        "switch (1) { case 0: let a = 1; c(a) }",
        "let a; switch (1) { case 0: a = 1; case 1: c(a) }",
    ] {
        check_javascript(unaffected, unaffected);
    }
}

#[test]
fn adds_the_namespace_prefix_to_exported_names() {
    check_typescript(
        "namespace A { export let a = 1; a++; b({a}) }",
        "namespace A { export let a = 1; A.a++; b({a: A.a}) }",
    );
    check_typescript(
        "namespace A { export const a = 1 } namespace A { b(a) }",
        "namespace A { export const a = 1 } namespace A { b(A.a) }",
    );
    check_typescript("namespace A.B { } namespace A { b(B) }", "namespace A.B { } namespace A { b(A.B) }");
    check_typescript(
        "namespace A { export enum B { X } } namespace A { export enum B { Y = X + 1, Z = Y } }",
        "unsupported: the enum `A.B` is declared in several `namespace` blocks",
    );
    for unaffected in [
        "enum B { X } enum B { Y = X }",
        "namespace A { export enum B { X } export enum B { Y = X } }",
        "namespace A { export const a = 1; b(a) }",
        "namespace A { export let a = 1; { let a = 2; b(a) } }",
        "namespace A { let a = 1 } namespace A { b(a) }",
        "namespace A { export type T = 1; let t: T }",
    ] {
        check_typescript(unaffected, unaffected);
    }
}

#[test]
fn inserts_initializers_after_every_super_call() {
    check_typescript(
        "class A extends B { constructor(private a) { const b = super() } }",
        "class A extends B { constructor(a) { const b = (super(), this.a = a, this) } }",
    );
    check_typescript(
        "class A extends B { c = 1; constructor() { if (a) super(1); else super(2) } }",
        "class A extends B {  constructor() { if (a) void (super(1), this.c = 1, this); else void (super(2), this.c = 1, this) } }",
    );
    check_typescript(
        "let a; class A { b = a; constructor(a) {} }",
        "let a; class A {  constructor(a) {this.#init$();} ;#init$() { this.b = a; }}",
    );
    check_typescript_with_defined_fields(
        "class A { b = this.a; constructor(private a) {} }",
        "class A {a; b; constructor(a) {this.a = a, this.b = this.a;} }",
    );
    for unaffected in [
        "class A extends B { c = 1; constructor(private a) { super(); } }",
        "class A { b = this.a; constructor(private a) {} }",
        "class A extends B { constructor(a) { const b = super() } }",
    ] {
        check_typescript(unaffected, unaffected);
    }
}

#[test]
fn keeps_computed_keys_with_await_in_the_class_body() {
    check_typescript(
        "async () => class { a = 1; [await b]() {} static c = 2; d?: 1 }",
        "async () => class {constructor() { this.a = 1; }  [await b]() {} static { this.c = 2; };  }",
    );
    let unsupported = "unsupported: the computed key of this field cannot be compiled";
    check_typescript("async () => class { [await b] = 1 }", unsupported);
    check_typescript_with_defined_fields(
        "async () => class { [await b] = 1 }",
        "async () => class { [await b] = 1 }",
    );
    check_typescript("class A { a = 1; [b]() {} }", "class A { a = 1; [b]() {} }");
}

#[test]
fn moves_decorated_static_members_to_the_end_of_the_class() {
    check_typescript(
        "class A { @a static b = 1; @c d() {} }",
        "class A { static { this.b = 1; }; @c d() {} ;@a static b;}",
    );
    check_typescript("class A { @a static b() {} @c d() {} }", "class A {  @c d() {} ;@a static b() {}}");
    check_typescript("class A { @a 'b' = 1 }", "class A { @a b = 1 }");
    check_typescript(
        "class A { @a 'b-c' = 1 }",
        "unsupported: a decorated field with a quoted name is not supported",
    );
    check_typescript(
        "class A { @a [b] = 1 }",
        "unsupported: a decorated field with a computed key is not supported",
    );
    check_typescript_with_defined_fields(
        "class A { @a static b = 1; @c d() {} }",
        "unsupported: a decorated static member is not supported in this position",
    );
    check_typescript_with_defined_fields(
        "class A { @c d() {} @a static b = 1 }",
        "class A { @c d() {} @a static b = 1 }",
    );
}

#[test]
fn imports_modules_from_which_only_types_are_re_exported() {
    check_typescript("import {} from 'a'; import 'b'; a()", " import 'b'; a()");
    check_typescript("export { type A } from 'a'", "import 'a';export { type A } from 'a'");
    for unaffected in
        ["export type { A } from 'a'", "export { type A, b } from 'a'", "import { type A } from 'a'"]
    {
        check_typescript(unaffected, unaffected);
    }
}

#[test]
fn moves_a_jsx_key_before_spread_object_literals() {
    let check = |source: &str, expected: &str| {
        assert_eq!(rewritten_source("a.tsx", source, &CompilerOptions::default()), expected);
    };
    check("<a b {...{ c: 1 }} key='d' e/>", "<a key='d' b {...{ c: 1 }}  e/>");
    for unaffected in ["<a {...b} key='d'/>", "<a key='d' {...{ c: 1 }}/>", "<a {...{ c: 1 }}/>"] {
        check(unaffected, unaffected);
    }
}

#[test]
fn keeps_line_numbers_after_removed_fields() {
    check_typescript(
        "let a; class A {\n b =\n a;\n constructor(a) {}\n}\nc",
        "let a; class A {\n \n\n constructor(a) {this.#init$();}\n;#init$() { this.b = a; }}\nc",
    );
}

#[test]
fn renames_a_variable_that_a_parameter_reads_before_its_declaration() {
    check_javascript(
        "export let a; function b() { function c(d = a) {} let a = {a} }",
        "export let a; function b() { function c(d = a$late$$) {} let a$late$$ = {a: a$late$$} }",
    );
    check_javascript(
        "export let a; () => { (b = () => a) => b; var {a, ...c} = d; ({a} = c) }",
        "export let a; () => { (b = () => a$late$$) => b; var {a: a$late$$, ...c} = d; ({a: a$late$$} = c) }",
    );
    for unaffected in [
        "export {}; (b = a) => b; let a;",
        "export let a; function b() { let a; (c = a) => c }",
        "export let a; function b(c = a) { let a }",
        "export let a; function b() { (c = a) => { let a } }",
        "export let a; function b() { (c, d = c) => { let a } }",
        "export let a; function b() { () => a; let a }",
    ] {
        check_javascript(unaffected, unaffected);
    }
    check_typescript(
        "let a; namespace A { function b(c = a) {} export const a = 1 }",
        "let a; namespace A { function b(c = A.a) {} export const a = 1 }",
    );
}

#[test]
fn adds_brackets_to_literal_method_names_in_classes_with_a_computed_field() {
    check_typescript(
        "class A { [a] = 1; 70() {} get 'b'() {} }",
        "class A { [a] = 1; [70]() {} get ['b']() {} }",
    );
    check_typescript("class A { a = 1; 70() {} 'b'() {} }", "class A { a = 1; 70() {} 'b'() {} }");
}

#[test]
fn renames_exports_in_commonjs_modules_with_a_default_export() {
    let with_default = "exports.__esModule = true; exports.default = {}; ";
    check_javascript(
        &format!("{with_default}exports.a = exports['b'] = 1"),
        "var exports$ = exports; exports.__esModule = true; exports.default = {}; exports$.a = exports$['b'] = 1",
    );
    for unaffected in ["(function (exports) { exports.a = 1 })({})", "a(exports.a)", "module.exports.a = 1"] {
        let unaffected = format!("{with_default}{unaffected}");
        check_javascript(&unaffected, &unaffected);
    }
    check_javascript("exports.a = exports.default = 1", "exports.a = exports.default = 1");
}

#[test]
fn evaluates_initializers_before_defining_their_fields() {
    check_typescript_with_defined_fields(
        "class A extends B { b = [this.b]; c; constructor(private a) { super() } }",
        "class A extends B {a;   constructor(a) { void (super(), this.a = a, \
         Object.defineProperty(this, 'b', { value: [this.b], writable: true, enumerable: true, configurable: true }), \
         Object.defineProperty(this, 'c', { value: void 0, writable: true, enumerable: true, configurable: true }), this) } }",
    );
    check_typescript_with_defined_fields(
        "class A { b = (this, 1) ; constructor(private a) {} }",
        "class A {a; b; constructor(a) {this.a = a, this.b = (this, 1);} }",
    );
}

#[test]
fn converts_sloppy_code_to_strict_code() {
    let check =
        |source: &str, expected: Option<&str>| assert_eq!(to_strict(source).as_deref(), expected, "{source}");
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
