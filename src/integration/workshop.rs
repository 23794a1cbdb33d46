//! What all integrations of a run are packaged with.

mod shelf;
mod threads;

pub(super) use shelf::Kept;
pub(super) use threads::Threads;
pub(crate) use threads::processors;

use shelf::Shelf;

/// Where scripts are bundled, and where they wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Workshop {
    pub(super) shelf: Shelf,
    pub(super) threads: Threads,
}
