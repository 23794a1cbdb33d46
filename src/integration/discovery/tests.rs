//! Tests of the patterns in `GITBOOK_INTEGRATIONS`.

use super::{Checkout, discover};
use crate::diagnostic::display_path;

/// Returns a repository with six manifests. Git ignores one of them, and another is in `node_modules`.
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
        .map(|sources| sources.iter().map(|s| display_path(&s.display_path)).collect::<Vec<_>>())
        .map_err(|error| error.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
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
fn a_folder_selects_its_own_manifest_or_all_manifests_below_it() {
    check(&["a"], Ok(&["a"]));
    check(&["./b/one/"], Ok(&["b/one"]));
    check(&["b"], Ok(&["b/one", "b/one/nested", "b/two"]));
    check(&["."], Ok(&["a", "b/one", "b/one/nested", "b/two"]));
}

#[test]
fn a_gitignore_above_the_repository_has_no_effect() {
    let found = |git: bool| {
        let temp = repository();
        let folder = temp.path().join("b");
        std::fs::write(temp.path().join(".gitignore"), "*\n").unwrap();
        if git {
            std::fs::create_dir(folder.join(".git")).unwrap();
            std::fs::write(folder.join(".gitignore"), "one\n").unwrap();
        }
        let sources = discover(&[".".to_owned()], &folder).unwrap_or_default();
        sources.iter().map(|source| display_path(&source.display_path)).collect::<Vec<_>>()
    };
    assert_eq!(found(true), ["ignored/gitbook-manifest.yaml", "two/gitbook-manifest.yaml"]);
    assert_eq!(found(false), [""; 0]);
}

#[test]
fn an_explicit_path_may_have_any_name() {
    check(&["b/two/other.yaml"], Ok(&["b/two/other.yaml"]));
}

/// Checks the manifests that `patterns` select among `files`, and the problems.
#[track_caller]
fn check_files(files: &[&str], patterns: &[&str], selected: &[&str], problems: &[&str]) {
    let temp = tempfile::tempdir().unwrap();
    for file in files {
        let path = temp.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let (found, messages) = match discover(&patterns, temp.path()) {
        Ok(found) => (found, Vec::new()),
        Err(error) => (error.manifests, error.problems),
    };
    let messages: Vec<_> = messages.iter().map(ToString::to_string).collect();
    let found: Vec<_> = found.iter().map(|source| display_path(&source.display_path)).collect();
    assert_eq!(
        (found, messages),
        (selected.iter().map(|&p| p.into()).collect(), problems.iter().map(|&p| p.into()).collect())
    );
}

#[test]
fn a_manifest_with_the_extension_yml_is_rejected() {
    let problem = |path: &str| format!("{path}: `gitbook-manifest.yml` is not a valid manifest name");
    let (yaml, yml) = ("a/gitbook-manifest.yaml", "b/gitbook-manifest.yml");
    check_files(&[yml], &["b"], &[], &[&problem(yml)]);
    check_files(&[yml], &["."], &[], &[&problem(yml)]);
    check_files(&["gitbook-manifest.yml"], &["."], &[], &[&problem("gitbook-manifest.yml")]);
    check_files(&[yaml, yml], &["."], &[yaml], &[&problem(yml)]);
    check_files(&[yaml, yml], &["*"], &[yaml], &[&problem(yml)]);
    check_files(&[yaml, yml], &["a"], &[yaml], &[]);
}

#[test]
fn a_manifest_with_the_extension_yml_can_be_selected_explicitly() {
    let (yaml, yml) = ("a/gitbook-manifest.yaml", "b/gitbook-manifest.yml");
    check_files(&[yaml, yml], &[yml], &[yml], &[]);
    check_files(&[yaml, yml], &["b/*.yml"], &[yml], &[]);
    check_files(&[yaml, yml], &[".", yml], &[yaml, yml], &[]);
    check_files(&[yaml, yml], &[yml, "."], &[yaml, yml], &[]);
    check_files(&[yaml, yml], &[".", "!b"], &[yaml], &[]);
    // Beside a manifest with the correct name, the misnamed file is ignored.
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
    // A folder without its own manifest is searched even if a glob matches it.
    check(&["*"], Ok(&["a", "b/one", "b/one/nested", "b/two"]));
}

#[cfg(windows)]
#[test]
fn backslashes_separate_folders_on_windows() {
    check(&["b\\two", ".\\b\\one\\"], Ok(&["b/one", "b/two"]));
    check(&["b\\*"], Ok(&["b/one", "b/two"]));
    check(&["b\\*\\gitbook-manifest.yaml"], Ok(&["b/one", "b/two"]));
    check(&["*\\one\\"], Ok(&["b/one"]));
}

#[test]
fn a_glob_without_extension_ignores_other_yaml_files() {
    check(&["b/two/*"], Ok(&["b/two"]));
    check(&["b/two/*.yaml"], Ok(&["b/two/gitbook-manifest.yaml", "b/two/other.yaml"]));
    check(&["b/two/*.yml"], Ok(&["b/two/third.yml"]));
    check(&["b/two/*.json"], Err("GITBOOK_INTEGRATIONS: `b/two/*.json` contains no manifest"));
}

#[test]
fn overlapping_patterns_select_each_manifest_once() {
    check(&["b/two", "a", "b/*"], Ok(&["a", "b/one", "b/two"]));
    check(&["a", "b/../a"], Ok(&["a"]));
}

#[cfg(unix)]
#[test]
fn manifests_are_sorted_by_path_before_links_are_resolved() {
    let temp = repository();
    std::os::unix::fs::symlink(temp.path().join("b/two"), temp.path().join("0")).unwrap();
    let found = discover(&["a".to_owned(), "0".to_owned()], temp.path()).unwrap();
    let found: Vec<_> = found.iter().map(|source| display_path(&source.display_path)).collect();
    assert_eq!(found, ["0/gitbook-manifest.yaml", "a/gitbook-manifest.yaml"]);
}

#[test]
fn a_subfolder_is_not_the_whole_repository() {
    let temp = repository();
    let check = |folder: &str, expected: bool| {
        let working_directory = &temp.path().join(folder);
        let checkout = Checkout { working_directory, workspace: None };
        assert_eq!(super::is_at_repository_root(checkout), expected, "{folder}");
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
    check(&["empty"], Err(&format!("{variable}: `empty` contains no manifest")));
    check(&["x/*"], Err(&format!("{variable}: `x/*` contains no manifest")));
    check(
        &["b/[x"],
        Err(&format!("{variable}: `b/[x` is not a valid glob: unclosed character class; missing ']'")),
    );
}

#[test]
fn an_exclusion_removes_the_manifests_below_it() {
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
fn exclusions_alone_apply_to_the_whole_folder() {
    check(&["!b"], Ok(&["a"]));
    check(&["!b/one", "!a"], Ok(&["b/two"]));
}

#[test]
fn an_exclusion_without_effect_is_an_error() {
    let no_effect = |pattern: &str| format!("GITBOOK_INTEGRATIONS: `{pattern}` excludes nothing");
    for pattern in ["!b/on", "!empty", "!", "!!", "!.gitignore", "!x/*", "!node_modules/x", "!a/main.ts"] {
        check(&["b", pattern], Err(&no_effect(pattern)));
    }
    check(&["b/one", "!b/two"], Err(&no_effect("!b/two")));
    check(
        &["b", "!b/["],
        Err("GITBOOK_INTEGRATIONS: `!b/[` is not a valid glob: unclosed character class; missing ']'"),
    );
    // The misspelled pattern is reported, but not the exclusion below it.
    check(&["x", "!x/y"], Err("GITBOOK_INTEGRATIONS: `x` does not exist"));
    let nothing = "GITBOOK_INTEGRATIONS: all selected integrations are excluded";
    check(&["b", "!b"], Err(nothing));
    check(&["!*"], Err(nothing));
}

#[cfg(unix)]
#[test]
fn exclusions_apply_through_links() {
    let temp = repository();
    std::os::unix::fs::symlink("b", temp.path().join("link")).unwrap();
    let found = |patterns: &[&str]| {
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let sources = discover(&patterns, temp.path()).unwrap();
        sources.iter().map(|source| display_path(&source.display_path)).collect::<Vec<_>>()
    };
    assert_eq!(found(&["a", "link/two", "!b"]), ["a/gitbook-manifest.yaml"]);
    assert_eq!(found(&["a", "b", "!link"]), ["a/gitbook-manifest.yaml"]);
    assert_eq!(found(&["a", "link/two", "!b/t*"]), ["a/gitbook-manifest.yaml"]);
}

#[test]
fn finds_unselected_manifests_outside_nested_repositories() {
    let check = |files: &[&str], patterns: &[&str], expected: bool| {
        let temp = tempfile::tempdir().unwrap();
        for file in files {
            let path = temp.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let patterns: Vec<_> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let checkout = Checkout { working_directory: temp.path(), workspace: None };
        assert_eq!(
            super::leaves_manifests_unselected(&patterns, checkout),
            expected,
            "{files:?} {patterns:?}"
        );
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
