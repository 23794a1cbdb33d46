//! Checks the first words of comments and the names of types.

use std::collections::BTreeMap;

use crate::rules::{files, production};

/// Relative words. A comment should begin with a verb or a noun instead.
const RELATIVE_WORDS: [&str; 9] =
    ["what", "whose", "which", "whether", "where", "how", "that", "who", "whoever"];

/// Words that are skipped at the beginning of a comment to find a relative word.
const FILLERS: [&str; 6] = ["this", "these", "it", "is", "are", "just"];

/// The maximum percentage of comments that begin with a relative word.
const MAX_RELATIVE_OPENINGS: usize = 3;

#[test]
fn comments_begin_with_a_verb_or_a_noun() {
    let (mut count, mut relative) = (0, Vec::new());
    for folder in ["src", "tests"] {
        for source in files(folder) {
            for (line, opening) in openings(&source.text) {
                count += 1;
                if is_relative(opening) {
                    relative.push(format!("{folder}/{}:{line}: {opening}", source.path()));
                }
            }
        }
    }
    let found = relative.len();
    let examples: Vec<_> = relative.into_iter().step_by(found.div_ceil(20).max(1)).collect();
    assert!(
        found * 100 <= count * MAX_RELATIVE_OPENINGS,
        "{found} of {count} comments begin with a relative word; the limit is {MAX_RELATIVE_OPENINGS} %:\n{}",
        examples.join("\n")
    );
}

#[test]
fn no_two_types_have_the_same_name() {
    let mut paths_by_name = BTreeMap::<_, Vec<_>>::new();
    for source in production() {
        for name in types(&source.text) {
            paths_by_name.entry(name.to_owned()).or_default().push(source.path());
        }
    }
    paths_by_name.retain(|_, paths| paths.len() > 1);
    assert!(paths_by_name.is_empty(), "types with the same name: {paths_by_name:#?}");
}

/// Returns the line number and the text of the first line of each comment. Doc comments and plain comments count separately.
fn openings(text: &str) -> Vec<(usize, &str)> {
    let mut previous = "";
    let mut openings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let marker = ["//!", "///", "//"].into_iter().find(|marker| line.starts_with(marker)).unwrap_or("");
        if !marker.is_empty() && marker != previous {
            openings.push((index + 1, line[marker.len()..].trim_start()));
        }
        previous = marker;
    }
    openings
}

/// Returns true if a comment begins with a relative word, also after fillers, as in "This is what".
fn is_relative(opening: &str) -> bool {
    let words = opening.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
    let mut words = words.skip_while(|word| FILLERS.contains(&word.as_str()));
    words.next().is_some_and(|word| RELATIVE_WORDS.contains(&word.as_str()))
}

/// Returns the names of the types that a file declares. Indented types are associated types or belong to a function.
fn types(text: &str) -> Vec<&str> {
    let names = text.lines().filter_map(|line| {
        let line = match line.strip_prefix("pub") {
            Some(rest) => rest.trim_start_matches(|c| c != ' ').trim_start(),
            None => line,
        };
        let keywords = ["struct ", "enum ", "trait ", "type "];
        let rest = keywords.iter().find_map(|keyword| line.strip_prefix(keyword))?;
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    });
    names.collect()
}

#[test]
fn finds_comment_openings_and_type_names() {
    let text = "//! Where.\n\n/// Reads a.\n/// What follows.\nfn a() {\n    // That is b.\n}\npub(crate) struct B<T>(T);\nenum C {}\n";
    assert_eq!(openings(text), [(1, "Where."), (3, "Reads a."), (6, "That is b.")]);
    let relative: Vec<_> = openings(text).into_iter().filter(|(_, opening)| is_relative(opening)).collect();
    assert_eq!(relative.len(), 2);
    assert!(is_relative("This is what") && !is_relative("This returns what"));
    assert_eq!(types(text), ["B", "C"]);
}
