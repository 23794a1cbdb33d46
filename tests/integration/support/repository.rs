//! A temporary repository of integrations.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary folder with a `.git` folder.
pub(crate) struct Repository(TempDir);

/// Creates an empty repository.
pub(crate) fn repository() -> Repository {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    Repository(folder)
}

impl Repository {
    /// Writes a file.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Writes a small integration with the name of its folder.
    pub(crate) fn integration(self, folder: &str) -> Self {
        self.manifest(folder, folder, "")
    }

    /// Writes a small integration. `more` is added to the manifest, beginning with line 6.
    pub(crate) fn manifest(self, folder: &str, name: &str, more: &str) -> Self {
        let manifest = format!(
            "name: {name}\ntitle: Hello\norganization: acme\nscript: main.ts\nscopes: [space:content:read]\n{more}"
        );
        self.file(&format!("{folder}/gitbook-manifest.yaml"), manifest).file(
            &format!("{folder}/main.ts"),
            "export default { fetch: () => new Response(\"hi\" as string) };\n",
        )
    }

    /// Writes an executable shell script.
    #[cfg(unix)]
    pub(crate) fn program(self, path: &str, script: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let repository = self.file(path, format!("#!/bin/sh\n{script}\n"));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(repository.path(path), executable).unwrap();
        repository
    }

    /// Returns a value for `PATH` that begins with a folder of this repository.
    #[cfg(unix)]
    pub(crate) fn path_variable(&self, folder: &str) -> String {
        format!("{}:/usr/local/bin:/usr/bin:/bin", self.path(folder).display())
    }

    /// Returns the absolute path of a file or folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        dunce::canonicalize(self.0.path()).unwrap().join(path)
    }

    /// Returns the relative paths of all files, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        let root = self.path("");
        let mut found: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"))
            .collect();
        found.sort();
        found
    }
}

impl AsRef<Path> for Repository {
    fn as_ref(&self) -> &Path {
        self.0.path()
    }
}

/// Returns a script of about 2 KiB plus `more` bytes. Minification does not shorten this part of it.
pub(crate) fn script(more: usize) -> String {
    format!("console.log('{}');\nexport default {{}};\n", "x".repeat(2048 + more))
}

/// Returns a gray PNG image.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; (width * height) as usize]).unwrap();
    writer.finish().unwrap();
    bytes
}
