//! Stores bundled scripts until they are sent: in memory up to a limit, then in an unnamed temporary file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use crate::integration::source_changed::SourceChanged;

/// The maximum total size of the scripts in memory, in bytes. Few repositories exceed this limit.
const MAX_BYTES_IN_MEMORY: usize = 16 * 1024 * 1024;

/// The bundled scripts of a run.
#[derive(Debug, Default)]
pub(crate) struct ScriptCache(Mutex<CacheContent>);

#[derive(Debug, Default)]
struct CacheContent {
    bytes_in_memory: usize,
    file: Option<Arc<Mutex<File>>>,
    /// True after the temporary file could not be written. All further scripts then stay in memory.
    is_memory_only: bool,
}

/// A stored script.
#[derive(Debug)]
pub(crate) enum CachedScript {
    InMemory(String),
    InFile { file: Arc<Mutex<File>>, offset: u64, length: usize },
}

impl ScriptCache {
    /// Stores a script. Scripts contain no secrets, so storing them in a file is safe.
    pub(crate) fn store(&self, script: String) -> CachedScript {
        let mut content = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if content.bytes_in_memory + script.len() > MAX_BYTES_IN_MEMORY && !content.is_memory_only {
            match content.append(&script) {
                Ok(cached) => return cached,
                Err(error) => {
                    tracing::debug!("keeping scripts in memory: could not write a temporary file: {error}");
                    content.is_memory_only = true;
                }
            }
        }
        content.bytes_in_memory += script.len();
        CachedScript::InMemory(script)
    }
}

impl CacheContent {
    fn append(&mut self, script: &str) -> std::io::Result<CachedScript> {
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(Mutex::new(tempfile::tempfile()?)))),
        };
        let offset = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let offset = file.seek(SeekFrom::End(0))?;
            file.write_all(script.as_bytes())?;
            offset
        };
        Ok(CachedScript::InFile { file, offset, length: script.len() })
    }
}

impl CachedScript {
    /// Returns the size of the script in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::InMemory(script) => script.len(),
            Self::InFile { length, .. } => *length,
        }
    }

    /// Returns the script. Reads it from the temporary file if necessary.
    pub(crate) fn text(&self) -> Result<Cow<'_, str>, SourceChanged> {
        match self {
            Self::InMemory(script) => Ok(script.into()),
            Self::InFile { file, offset, length } => {
                let text = read_from_file(file, *offset, *length).map(Cow::Owned);
                text.map_err(|error| {
                    SourceChanged::Unreadable("the temporary file for scripts".to_owned(), error)
                })
            }
        }
    }
}

fn read_from_file(file: &Mutex<File>, offset: u64, length: usize) -> std::io::Result<String> {
    let mut bytes = vec![0; length];
    {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut bytes)?;
    }
    String::from_utf8(bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::{CachedScript, ScriptCache};

    #[test]
    fn scripts_over_the_memory_limit_are_stored_in_a_file() {
        let script_cache = ScriptCache::default();
        let scripts = ["a".repeat(16_777_216), "ä\n".repeat(1000), "c".to_owned(), String::new()];
        let cached: Vec<_> = scripts.iter().map(|script| script_cache.store(script.clone())).collect();
        let is_in_file: Vec<_> =
            cached.iter().map(|cached| matches!(cached, CachedScript::InFile { .. })).collect();
        assert_eq!(is_in_file, [false, true, true, false]);
        for (cached, script) in cached.iter().zip(&scripts).rev() {
            assert!(cached.len() == script.len() && cached.text().unwrap() == *script);
        }
    }
}
