//! Scripts that the bundler cannot survive.

use super::publishing;
use crate::support::repository;

/// Checks that a script which nests too deeply is an error of its own file, with outputs.
#[tokio::test]
async fn a_file_that_nests_too_deeply_is_named() {
    let deep = [
        format!("export default {}{};", "[".repeat(100_000), "]".repeat(100_000)),
        format!("export default {}1{};", "(".repeat(100_000), ")".repeat(100_000)),
        format!("export default a{};", ".b(c)".repeat(200_000)),
        format!("export default {}1;", "!".repeat(200_000)),
        format!("export type A = {}1{};", "B<".repeat(100_000), ">".repeat(100_000)),
    ];
    for text in deep {
        let repository = repository()
            .manifest(".", "hello", "")
            .file("main.ts", "import './deep'; export default {};")
            .file("deep.ts", text);
        insta::allow_duplicates! {
            insta::assert_snapshot!(publishing(&repository).await, @"");
        }
    }
}

/// Checks that the other integrations of a run are told of all the same.
#[tokio::test]
async fn one_script_that_crashes_hides_no_problem_of_another() {
    let deep = format!("export default {}{};", "[".repeat(100_000), "]".repeat(100_000));
    let repository = repository()
        .manifest("a", "a", "")
        .file("a/main.ts", deep)
        .manifest("b", "b", "")
        .file("b/main.ts", "import './none';")
        .manifest("c", "c", "")
        .file("c/main.ts", "export default 1;");
    insta::assert_snapshot!(publishing(&repository).await, @"");
}
