//! Tests symbolic links to devices, which a branch of the repository may contain.

use std::os::unix::fs::symlink;

use super::bundle_prepared_files;

#[test]
fn rejects_a_package_json_that_is_a_device() {
    let check = |link: &str, import: &str| {
        let main = format!("import '{import}'; import 'p'; export default {{}};");
        let files = [
            ("main.ts", main.as_str()),
            ("tsconfig.json", r#"{"compilerOptions": {"paths": {"@/*": ["./lib/*"]}}}"#),
            ("a/index.js", ""),
            ("lib/b/index.js", ""),
            ("node_modules/p/index.js", ""),
        ];
        let bundled = bundle_prepared_files(&files, |root| symlink("/dev/null", root.join(link)).unwrap());
        let problems: Vec<_> = bundled.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(problems, [format!("{link}: `package.json` is not a file")], "{import}");
    };
    check("package.json", "./a");
    check("a/package.json", "./a");
    check("node_modules/p/package.json", "./a");
    check("lib/package.json", "@/b");
    check("lib/b/package.json", "@/b");
}

#[test]
fn reads_a_package_json_that_is_a_link_to_a_file() {
    let files = [
        ("main.ts", "import p from 'p'; export default p;"),
        ("p.json", r#"{"main": "q.js"}"#),
        ("node_modules/p/q.js", "export default 'q';"),
    ];
    let link = |root: &std::path::Path| {
        symlink(root.join("p.json"), root.join("node_modules/p/package.json")).unwrap();
    };
    assert!(bundle_prepared_files(&files, link).unwrap().script.contains("`q`"));
}
