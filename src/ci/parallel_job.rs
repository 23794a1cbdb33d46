//! The position of this machine among the machines that run the same job.

use crate::environment::Environment;

/// The position of this machine among the machines that run the same job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParallelJob {
    /// The index of this machine, from 1.
    pub index: usize,
    /// The number of machines.
    pub total: usize,
    /// True if the machines may be running different tasks rather than shares of the same one.
    pub tasks_may_differ: bool,
}

impl ParallelJob {
    /// Reads the index and the total from two variables. The CI system's indices start at `first_index`. Returns `None` for a
    /// single machine.
    pub(super) fn from_variables(
        environment: &Environment,
        [index, total]: [&str; 2],
        first_index: usize,
    ) -> Option<Self> {
        let read_number = |variable| environment.get(variable)?.parse::<usize>().ok();
        let index = read_number(index)?.checked_sub(first_index)?.checked_add(1)?;
        let job = Self { index, total: read_number(total)?, tasks_may_differ: false };
        (job.total > 1 && job.index <= job.total).then_some(job)
    }
}
