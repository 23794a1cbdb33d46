//! What all integrations of a run are packaged with.

mod processes;
mod shelf;
mod threads;

pub(crate) use processes::{ARGUMENT, Processes};
pub(super) use processes::{Answer, End};
pub(super) use shelf::Kept;
pub(super) use threads::Threads;
pub(crate) use threads::processors;
pub(super) use threads::with_large_stack;

use std::path::PathBuf;

use shelf::Shelf;

/// Where scripts are bundled, and where they wait to be sent.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(super) shelf: Shelf,
    pub(super) threads: Threads,
    pub(crate) processes: Processes,
}

impl Workshop {
    /// Bundles in processes of a program, or in this one if there is none or it cannot be started.
    pub(crate) fn new(program: Option<PathBuf>) -> Self {
        Self { shelf: Shelf::default(), threads: Threads::default(), processes: Processes::new(program) }
    }
}

impl Default for Workshop {
    fn default() -> Self {
        Self::new(None)
    }
}
