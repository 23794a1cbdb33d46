//! Scripts that crash the bundler.

use super::log_of_publishing;
use crate::support::repository;

/// The error names the nested file, not the file that imports it.
#[tokio::test]
async fn reports_a_script_with_too_deep_nesting() {
    let deep = [
        format!("export default {}{};", "[".repeat(100_000), "]".repeat(100_000)),
        format!("export default a{};", ".b(c)".repeat(100_000)),
    ];
    for script in deep {
        let repository = repository()
            .manifest(".", "hello", "")
            .file("main.ts", "import './deep'; export default {};")
            .file("deep.ts", script);
        let log = log_of_publishing(&repository).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(log, @"
            exit 2
            error: the code is nested too deeply for the bundler
            --> deep.ts
             = hint: split the nested expression, or import large data as JSON or as the text of a `.raw.js` file
            error: invalid integrations: 1 error in 1 file; nothing was published or deleted
            ");
        }
    }
}

#[tokio::test]
async fn a_bundler_crash_does_not_hide_errors_of_other_integrations() {
    let deep = format!("export default {}{};", "[".repeat(100_000), "]".repeat(100_000));
    let repository = repository()
        .manifest("a", "a", "")
        .file("a/main.ts", deep)
        .manifest("b", "b", "")
        .file("b/main.ts", "import './none';")
        .manifest("c", "c", "")
        .file("c/main.ts", "export default 1;");
    insta::assert_snapshot!(log_of_publishing(&repository).await, @"
    exit 2
    error: the code is nested too deeply for the bundler
    --> a/main.ts
     = hint: split the nested expression, or import large data as JSON or as the text of a `.raw.js` file
    error: `./none` cannot be imported: no such file
     --> b/main.ts:1:8
      |
    1 | import './none';
      |        ^^^^^^^^
      |
      = hint: check the path; if a build creates the file, run the build before this step
    error: invalid integrations: 2 errors in 2 files; nothing was published or deleted
    ");
}
