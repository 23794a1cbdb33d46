//! A repository for what is read from files: one for each thread, which goes with it.

use std::path::{Path, PathBuf};

/// A folder with a repository in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let thread = format!("{:?}", std::thread::current().id());
        let number: String = thread.chars().filter(char::is_ascii_digit).collect();
        let name = format!("gitbook-deploy-fuzzed-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // So that nothing above is taken for a part of the repository.
        std::fs::create_dir_all(folder.join(".git")).expect("a folder can be made");
        std::fs::write(folder.join("script.js"), "export default 1;\n").expect("a file can be written");
        Self(dunce::canonicalize(folder).expect("the folder is there"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

thread_local! {
    static FOLDER: Folder = Folder::new();
}

/// Writes a file of the repository and gives the repository's folder to who reads it.
pub(super) fn with_file<T>(name: &str, content: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with(|Folder(folder)| {
        std::fs::write(folder.join(name), content).expect("a file can be written");
        read(folder)
    })
}
