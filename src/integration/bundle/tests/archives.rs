//! Tests Yarn's ZIP archives and virtual paths. A `.pnp.cjs` file enables both.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::bundle_prepared_files;

/// Returns an uncompressed ZIP archive that contains one file.
fn archive(name: &str, text: &str) -> Vec<u8> {
    let (length, text_length) = (u16::try_from(name.len()).unwrap(), u32::try_from(text.len()).unwrap());
    let number = |number: u32| number.to_le_bytes();
    // Version, flags, method, time, date and checksum, all ignored; the sizes; the lengths of the name and the extra field.
    let header =
        [&[0; 14][..], &number(text_length), &number(text_length), &length.to_le_bytes(), &[0; 2]].concat();
    let file = [&b"PK\x03\x04"[..], &header, name.as_bytes(), text.as_bytes()].concat();
    let directory = [&b"PK\x01\x02"[..], &[0; 2], &header[..], &[0; 14], name.as_bytes()].concat();
    let (start, size) = (u32::try_from(file.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    let end = [&b"PK\x05\x06"[..], &[0; 4], &[1, 0, 1, 0], &number(size), &number(start), &[0; 2]].concat();
    [file, directory, end].concat()
}

/// Checks that an import is read if `is_read` is true, and rejected otherwise. The test repository contains archives, and
/// symbolic links to a folder outside the repository.
#[track_caller]
fn check(import: &str, is_read: bool) {
    let main = format!("import a from '{import}'; export default a;");
    let files =
        [("main.ts", main.as_str()), (".pnp.cjs", "module.exports = {};"), ("src/a.json", "\"text\"")];
    let bundled = bundle_prepared_files(&files, |root| {
        let outside = root.parent().unwrap().join("outside");
        let write = |path: &Path, bytes: &[u8]| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let package_archive = archive("node_modules/a/a.json", "\"text\"");
        let other_archive = archive("x/a.json", "\"text\"");
        write(&root.join("cache/a.zip"), &package_archive);
        write(&root.join("other.zip"), &other_archive);
        write(&root.join(".git/a.zip"), &package_archive);
        write(&root.join(".git/config"), b"secret");
        write(&root.join(".git/a.json"), b"\"secret\"");
        write(&outside.join("a.zip"), &package_archive);
        write(&outside.join("other.zip"), &other_archive);
        write(&outside.join("a.json"), b"\"secret\"");
        symlink(outside.join("a.zip"), root.join("global.zip")).unwrap();
        symlink(outside.join("other.zip"), root.join("linked.zip")).unwrap();
        symlink(outside.join("a.json"), root.join("src/linked.json")).unwrap();
    });
    let result = bundled.map(|bundle| bundle.script).map_err(|problems| problems[0].to_string());
    let name = import.trim_start_matches("./").split(['?', '#']).next().unwrap();
    match result {
        Ok(script) => assert!(is_read && script.contains("text"), "{import}: {script}"),
        Err(problem) => {
            assert!(!is_read && problem.contains("is outside the repository"), "{name}: {problem}");
        }
    }
}

#[test]
fn reads_archives_of_the_repository_and_of_packages() {
    check("./cache/a.zip/node_modules/a/a.json", true);
    check("./__virtual__/a-virtual/0/cache/a.zip/node_modules/a/a.json", true);
    check("./other.zip/x/a.json", true);
    check("./__virtual__/a/0/src/a.json", true);
    check("./src/__virtual__/a/1/src/a.json", true);
    // A link to an archive outside the repository, as in Yarn's global cache.
    check("./global.zip/node_modules/a/a.json", true);
}

#[test]
fn rejects_archives_and_virtual_paths_outside_the_repository() {
    for outside in [
        "./.git/__virtual__/a/0/a.json",
        "./.git/__virtual__/a/0/config",
        "./.git/__virtual__/a/0/config?a.txt",
        "./.git/__virtual__/a/0/config#a.json",
        "./__virtual__/a/0/.git/a.json",
        "./.git/a.zip/node_modules/a/a.json",
        "./__virtual__/a/0/.git/a.zip/node_modules/a/a.json",
        "./linked.zip/x/a.json",
        "./__virtual__/a/0/src/linked.json",
    ] {
        check(outside, false);
    }
}
