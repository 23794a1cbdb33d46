//! What patterns select, in repositories made up for each.

use super::{Checkout, discover};
use crate::diagnostic::display_path;

/// A repository of five manifests, two of which nobody wants.
fn repository() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    for folder in ["b/two", "a", "b/one", "b/one/nested", "node_modules/x", "b/ignored"] {
        let folder = temp.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("gitbook-manifest.yaml"), "").unwrap();
    }
    std::fs::create_dir(temp.path().join("empty")).unwrap();
    std::fs::write(temp.path().join(".gitignore"), "ignored\n").unwrap();
    for file in ["other.yaml", "third.yml", "package.json"] {
        std::fs::write(temp.path().join("b/two").join(file), "").unwrap();
    }
    temp
}

fn check(patterns: &[&str], expected: Result<&[&str], &str>) {
    let temp = repository();
    let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let found = discover(&patterns, temp.path())
        .map(|sources| sources.iter().map(|s| display_path(&s.shown)).collect::<Vec<_>>())
        .map_err(|incomplete| {
            incomplete.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        });
    let expected = expected.map_err(str::to_owned).map(|paths| {
        let manifest = |path: &&str| {
            if path.ends_with(".yaml") || path.ends_with(".yml") {
                (*path).to_owned()
            } else {
                format!("{path}/gitbook-manifest.yaml")
            }
        };
        paths.iter().map(manifest).collect::<Vec<_>>()
    });
    assert_eq!(found, expected, "{patterns:?}");
}

#[test]
fn a_folder_is_its_manifest_or_all_below_it() {
    check(&["a"], Ok(&["a"]));
    check(&["./b/one/"], Ok(&["b/one"]));
    check(&["b"], Ok(&["b/one", "b/one/nested", "b/two"]));
    check(&["."], Ok(&["a", "b/one", "b/one/nested", "b/two"]));
}

#[test]
fn what_is_ignored_above_the_repository_is_found() {
    let found = |git: bool| {
        let temp = repository();
        let folder = temp.path().join("b");
        std::fs::write(temp.path().join(".gitignore"), "*\n").unwrap();
        if git {
            std::fs::create_dir(folder.join(".git")).unwrap();
            std::fs::write(folder.join(".gitignore"), "one\n").unwrap();
        }
        let sources = discover(&[".".to_owned()], &folder).unwrap_or_default();
        sources.iter().map(|source| display_path(&source.shown)).collect::<Vec<_>>()
    };
    assert_eq!(found(true), ["ignored/gitbook-manifest.yaml", "two/gitbook-manifest.yaml"]);
    assert_eq!(found(false), [""; 0]);
}

#[test]
fn a_manifest_may_have_any_name() {
    check(&["b/two/other.yaml"], Ok(&["b/two/other.yaml"]));
}

/// Checks the manifests that patterns select among these files, and the problems.
#[track_caller]
fn check_files(files: &[&str], patterns: &[&str], selected: &[&str], problems: &[&str]) {
    let temp = tempfile::tempdir().unwrap();
    for file in files {
        let path = temp.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let (found, told) = match discover(&patterns, temp.path()) {
        Ok(found) => (found, Vec::new()),
        Err(incomplete) => (incomplete.found, incomplete.problems),
    };
    let told: Vec<_> = told.iter().map(ToString::to_string).collect();
    let found: Vec<_> = found.iter().map(|source| display_path(&source.shown)).collect();
    assert_eq!(
        (found, told),
        (selected.iter().map(|&p| p.into()).collect(), problems.iter().map(|&p| p.into()).collect())
    );
}

#[test]
fn a_manifest_with_the_extension_yml_is_to_be_renamed() {
    let problem =
        |path: &str| format!("{path}: no manifest is read from a file that is named `gitbook-manifest.yml`");
    let (yaml, yml) = ("a/gitbook-manifest.yaml", "b/gitbook-manifest.yml");
    check_files(&[yml], &["b"], &[], &[&problem(yml)]);
    check_files(&[yml], &["."], &[], &[&problem(yml)]);
    check_files(&["gitbook-manifest.yml"], &["."], &[], &[&problem("gitbook-manifest.yml")]);
    check_files(&[yaml, yml], &["."], &[yaml], &[&problem(yml)]);
    check_files(&[yaml, yml], &["*"], &[yaml], &[&problem(yml)]);
    check_files(&[yaml, yml], &["a"], &[yaml], &[]);
}

#[test]
fn a_manifest_with_the_extension_yml_is_read_if_it_is_named() {
    let (yaml, yml) = ("a/gitbook-manifest.yaml", "b/gitbook-manifest.yml");
    check_files(&[yaml, yml], &[yml], &[yml], &[]);
    check_files(&[yaml, yml], &["b/*.yml"], &[yml], &[]);
    check_files(&[yaml, yml], &[".", yml], &[yaml, yml], &[]);
    check_files(&[yaml, yml], &[yml, "."], &[yaml, yml], &[]);
    check_files(&[yaml, yml], &[".", "!b"], &[yaml], &[]);
    // Beside a manifest it is somebody else's file.
    check_files(&[yaml, "a/gitbook-manifest.yml"], &["."], &[yaml], &[]);
    check_files(&[yaml, "node_modules/x/gitbook-manifest.yml"], &["."], &[yaml], &[]);
    check_files(&[yaml, "b/manifest.yml"], &["."], &[yaml], &[]);
}

#[test]
fn a_glob_selects_folders_or_manifests() {
    check(&["b/*"], Ok(&["b/one", "b/two"]));
    check(&["**/one"], Ok(&["b/one"]));
    check(&["b/**/gitbook-manifest.yaml"], Ok(&["b/one", "b/one/nested", "b/two"]));
    check(&["{a,b/two}"], Ok(&["a", "b/two"]));
    // A folder without a manifest of its own is searched, however it was named.
    check(&["*"], Ok(&["a", "b/one", "b/one/nested", "b/two"]));
}

#[cfg(windows)]
#[test]
fn windows_own_separator_is_one() {
    check(&["b\\two", ".\\b\\one\\"], Ok(&["b/one", "b/two"]));
    check(&["b\\*"], Ok(&["b/one", "b/two"]));
    check(&["b\\*\\gitbook-manifest.yaml"], Ok(&["b/one", "b/two"]));
    check(&["*\\one\\"], Ok(&["b/one"]));
}

#[test]
fn a_glob_of_folders_takes_no_other_yaml() {
    check(&["b/two/*"], Ok(&["b/two"]));
    check(&["b/two/*.yaml"], Ok(&["b/two/gitbook-manifest.yaml", "b/two/other.yaml"]));
    check(&["b/two/*.yml"], Ok(&["b/two/third.yml"]));
    check(&["b/two/*.json"], Err("GITBOOK_INTEGRATIONS: `b/two/*.json` holds no manifest"));
}

#[test]
fn each_is_selected_once() {
    check(&["b/two", "a", "b/*"], Ok(&["a", "b/one", "b/two"]));
    check(&["a", "b/../a"], Ok(&["a"]));
}

#[cfg(unix)]
#[test]
fn they_come_in_the_order_of_their_names_wherever_they_lie() {
    let temp = repository();
    std::os::unix::fs::symlink(temp.path().join("b/two"), temp.path().join("0")).unwrap();
    let found = discover(&["a".to_owned(), "0".to_owned()], temp.path()).unwrap();
    let found: Vec<_> = found.iter().map(|source| display_path(&source.shown)).collect();
    assert_eq!(found, ["0/gitbook-manifest.yaml", "a/gitbook-manifest.yaml"]);
}

#[test]
fn a_repository_is_whole_from_its_root_on() {
    let temp = repository();
    let check = |folder: &str, expected: bool| {
        let started_in = &temp.path().join(folder);
        let checkout = Checkout { started_in, workspace: None };
        assert_eq!(super::is_whole_repository(checkout), expected, "{folder}");
    };
    check("", true);
    std::fs::create_dir(temp.path().join(".git")).unwrap();
    check("", true);
    check("b", false);
    check("none", false);
}

#[test]
fn a_pattern_without_a_match_is_an_error() {
    let variable = "GITBOOK_INTEGRATIONS";
    check(&["a", "nowhere"], Err(&format!("{variable}: `nowhere` does not exist")));
    check(&["empty"], Err(&format!("{variable}: `empty` holds no manifest")));
    check(&["x/*"], Err(&format!("{variable}: `x/*` holds no manifest")));
    check(
        &["b/[x"],
        Err(&format!("{variable}: `b/[x` is not a glob: unclosed character class; missing ']'")),
    );
}

#[test]
fn an_exclusion_takes_away_what_it_covers() {
    check(&["**/gitbook-manifest.yaml", "!b/one"], Ok(&["a", "b/two"]));
    check(&["!b/one/nested/", "b"], Ok(&["b/one", "b/two"]));
    check(&["b", "!b/two/gitbook-manifest.yaml"], Ok(&["b/one", "b/one/nested"]));
    check(&["b", "! ./b/../b/two"], Ok(&["b/one", "b/one/nested"]));
    check(&["b/*", "!b/o*"], Ok(&["b/two"]));
    check(&["b", "!b/*/nested"], Ok(&["b/one", "b/two"]));
    check(&[".", "!**/{nested,two}"], Ok(&["a", "b/one"]));
    check(&["b/two/*.yaml", "!**/other.yaml"], Ok(&["b/two"]));
    check(&["b/../a", "b/one", "!a*/"], Ok(&["b/one"]));
}

#[test]
fn without_other_patterns_all_is_selected_but_what_is_excluded() {
    check(&["!b"], Ok(&["a"]));
    check(&["!b/one", "!a"], Ok(&["b/two"]));
}

#[test]
fn an_exclusion_in_vain_is_an_error() {
    let vain = |pattern: &str| format!("GITBOOK_INTEGRATIONS: `{pattern}` excludes nothing");
    for pattern in ["!b/on", "!empty", "!", "!!", "!.gitignore", "!x/*", "!node_modules/x", "!a/main.ts"] {
        check(&["b", pattern], Err(&vain(pattern)));
    }
    check(&["b/one", "!b/two"], Err(&vain("!b/two")));
    check(
        &["b", "!b/["],
        Err("GITBOOK_INTEGRATIONS: `!b/[` is not a glob: unclosed character class; missing ']'"),
    );
    // What is not found is the one mistake, which must not be told twice.
    check(&["x", "!x/y"], Err("GITBOOK_INTEGRATIONS: `x` does not exist"));
    let nothing = "GITBOOK_INTEGRATIONS: everything that is selected is excluded, too";
    check(&["b", "!b"], Err(nothing));
    check(&["!*"], Err(nothing));
}

#[cfg(unix)]
#[test]
fn what_is_excluded_is_so_in_whatever_way_it_is_reached() {
    let temp = repository();
    std::os::unix::fs::symlink("b", temp.path().join("link")).unwrap();
    let found = |patterns: &[&str]| {
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let sources = discover(&patterns, temp.path()).unwrap();
        sources.iter().map(|source| display_path(&source.shown)).collect::<Vec<_>>()
    };
    assert_eq!(found(&["a", "link/two", "!b"]), ["a/gitbook-manifest.yaml"]);
    assert_eq!(found(&["a", "b", "!link"]), ["a/gitbook-manifest.yaml"]);
    assert_eq!(found(&["a", "link/two", "!b/t*"]), ["a/gitbook-manifest.yaml"]);
}

#[test]
fn what_others_bring_along_is_not_left_out() {
    let check = |files: &[&str], patterns: &[&str], expected: bool| {
        let temp = tempfile::tempdir().unwrap();
        for file in files {
            let path = temp.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let patterns: Vec<_> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let checkout = Checkout { started_in: temp.path(), workspace: None };
        assert_eq!(super::leaves_out(&patterns, checkout), expected, "{files:?} {patterns:?}");
    };
    check(&["a/gitbook-manifest.yaml"], &["a"], false);
    let two = ["a/gitbook-manifest.yaml", "b/gitbook-manifest.yaml"];
    check(&two, &["a"], true);
    check(&two, &["a", "b"], false);
    check(&two, &["*"], false);
    check(&two, &["!a"], true);
    let tool = ["a/gitbook-manifest.yaml", "tools/x/.git/HEAD", "tools/x/examples/y/gitbook-manifest.yaml"];
    check(&tool, &["a"], false);
}
