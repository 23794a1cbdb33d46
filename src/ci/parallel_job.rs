//! One of several machines that run the same job.

use crate::environment::Environment;

/// One of several machines that run the same job at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParallelJob {
    /// Which one, from 1.
    pub index: usize,
    /// How many there are.
    pub total: usize,
    /// Whether the others may do something else, of which the system tells nothing.
    pub others_may_differ: bool,
}

impl ParallelJob {
    /// The node that two variables tell, the first of which counts from `first`.
    pub(super) fn of(environment: &Environment, [index, total]: [&str; 2], first: usize) -> Option<Self> {
        let number = |variable| environment.get(variable)?.parse::<usize>().ok();
        let index = number(index)?.checked_sub(first)?.checked_add(1)?;
        let node = Self { index, total: number(total)?, others_may_differ: false };
        (node.total > 1 && node.index <= node.total).then_some(node)
    }
}
