//! The position of this machine among those that run the same job.

use crate::environment::Environment;

/// The position of this machine among those that run the same job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParallelJob {
    /// The index, from 1.
    pub index: usize,
    /// The number of machines.
    pub total: usize,
    /// True if the other machines may have a different task instead of a share of the same one.
    pub others_may_differ: bool,
}

impl ParallelJob {
    /// Reads the position from two variables. Indices start at `first`.
    pub(super) fn from_variables(
        environment: &Environment,
        [index, total]: [&str; 2],
        first: usize,
    ) -> Option<Self> {
        let number = |variable| environment.get(variable)?.parse::<usize>().ok();
        let index = number(index)?.checked_sub(first)?.checked_add(1)?;
        let job = Self { index, total: number(total)?, others_may_differ: false };
        (job.total > 1 && job.index <= job.total).then_some(job)
    }
}
