//! Where scripts wait to be sent: in memory as long as they are few, then in a temporary file without a name.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use crate::integration::body::SourceChanged;

/// So many bytes of scripts stay in memory, which is more than all scripts of nearly every repository.
const IN_MEMORY: usize = 16 * 1024 * 1024;

/// All that is kept.
#[derive(Debug, Default)]
pub(crate) struct ScriptCache(Mutex<CacheContent>);

#[derive(Debug, Default)]
struct CacheContent {
    in_memory: usize,
    file: Option<Arc<Mutex<File>>>,
    /// Where there is no room for files, everything stays in memory.
    is_memory_only: bool,
}

/// A script that is kept.
#[derive(Debug)]
pub(crate) enum CachedScript {
    InMemory(String),
    InFile { file: Arc<Mutex<File>>, at: u64, length: usize },
}

impl ScriptCache {
    /// Keeps a script. It holds no secret: those are no part of it.
    pub(crate) fn keep(&self, script: String) -> CachedScript {
        let mut content = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if content.in_memory + script.len() > IN_MEMORY && !content.is_memory_only {
            match content.append(&script) {
                Ok(kept) => return kept,
                Err(error) => {
                    tracing::debug!("there is no temporary file for scripts, they stay in memory: {error}");
                    content.is_memory_only = true;
                }
            }
        }
        content.in_memory += script.len();
        CachedScript::InMemory(script)
    }
}

impl CacheContent {
    fn append(&mut self, script: &str) -> std::io::Result<CachedScript> {
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(Mutex::new(tempfile::tempfile()?)))),
        };
        let at = {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let at = file.seek(SeekFrom::End(0))?;
            file.write_all(script.as_bytes())?;
            at
        };
        Ok(CachedScript::InFile { file, at, length: script.len() })
    }
}

impl CachedScript {
    /// The length of the script in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::InMemory(script) => script.len(),
            Self::InFile { length, .. } => *length,
        }
    }

    /// The script.
    pub(crate) fn text(&self) -> Result<Cow<'_, str>, SourceChanged> {
        match self {
            Self::InMemory(script) => Ok(script.into()),
            Self::InFile { file, at, length } => read(file, *at, *length).map(Cow::Owned).map_err(|error| {
                SourceChanged::Unreadable("the temporary file of scripts".to_owned(), error)
            }),
        }
    }
}

fn read(file: &Mutex<File>, at: u64, length: usize) -> std::io::Result<String> {
    let mut bytes = vec![0; length];
    {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
    }
    String::from_utf8(bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::{CachedScript, ScriptCache};

    #[test]
    fn what_is_too_much_for_memory_is_read_again() {
        let script_cache = ScriptCache::default();
        let scripts = ["a".repeat(16_777_216), "ä\n".repeat(1000), "c".to_owned(), String::new()];
        let kept: Vec<_> = scripts.iter().map(|script| script_cache.keep(script.clone())).collect();
        let is_in_file: Vec<_> =
            kept.iter().map(|kept| matches!(kept, CachedScript::InFile { .. })).collect();
        assert_eq!(is_in_file, [false, true, true, false]);
        for (kept, script) in kept.iter().zip(&scripts).rev() {
            assert!(kept.len() == script.len() && kept.text().unwrap() == *script);
        }
    }
}
