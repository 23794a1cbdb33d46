//! A temporary repository for each thread, for inputs that the program reads from files.

use std::path::{Path, PathBuf};

/// A temporary repository. Dropping it deletes the folder.
struct TemporaryRepository(PathBuf);

impl TemporaryRepository {
    fn new() -> Self {
        let thread = format!("{:?}", std::thread::current().id());
        let number: String = thread.chars().filter(char::is_ascii_digit).collect();
        let name = format!("gitbook-deploy-fuzzing-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // The folder `.git` marks the repository root, so the program does not search parent folders.
        std::fs::create_dir_all(folder.join(".git")).expect("the temporary folder is writable");
        std::fs::write(folder.join("script.js"), "export default 1;\n")
            .expect("the temporary folder is writable");
        Self(dunce::canonicalize(folder).expect("the folder exists"))
    }
}

impl Drop for TemporaryRepository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static FOLDER: TemporaryRepository = TemporaryRepository::new();
}

/// Writes a file into the thread's repository and calls `read` with the folder.
pub(super) fn with_file<T>(name: &str, content: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with(|TemporaryRepository(folder)| {
        std::fs::write(folder.join(name), content).expect("the temporary folder is writable");
        read(folder)
    })
}
