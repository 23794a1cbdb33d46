//! What a person at a terminal sees of work that goes on: one line, which is gone when the work is done.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape;
use crate::config::LogFormat;
use crate::environment::Environment;

/// How it looks, cut to the width of the terminal. There are no colours that `NO_COLOR` would have to take away.
const LINE: &str = "{spinner} {prefix} [{bar:20}] {pos}/{len} {wide_msg}";

/// So often it turns, which shows that the program is alive.
const TURN: Duration = Duration::from_millis(100);

/// The line, or nothing where nobody would see it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    screen: Option<MultiProgress>,
    phase: Option<ProgressBar>,
    /// What is being worked on, in the order in which it was begun.
    at_work: Vec<String>,
}

impl Progress {
    /// Where a person reads the log: a machine, and a CI system that shows the log of a terminal, would keep each turn.
    pub(super) fn new(
        screen: Option<ProgressDrawTarget>,
        format: LogFormat,
        environment: &Environment,
    ) -> Self {
        let has_reader = format == LogFormat::Text && LogFormat::detect(environment) == LogFormat::Text;
        // A terminal that can't move its cursor is hidden already.
        let screen = screen.filter(|screen| has_reader && !screen.is_hidden());
        Self { screen: screen.map(MultiProgress::with_draw_target), ..Self::default() }
    }

    /// A phase begins, of so many items.
    pub(super) fn begin(&mut self, doing: &str, items: usize) {
        self.end();
        let Some(screen) = self.screen.as_ref().filter(|_| items > 0) else { return };
        let style = ProgressStyle::with_template(LINE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(u64::try_from(items).unwrap_or(u64::MAX));
        let bar = bar.with_style(style.tick_chars("|/-\\ ").progress_chars("=> "));
        let bar = screen.add(bar.with_prefix(doing.to_owned()));
        bar.enable_steady_tick(TURN);
        self.phase = Some(bar);
    }

    /// The phase is over.
    pub(super) fn end(&mut self) {
        self.at_work.clear();
        if let (Some(screen), Some(bar)) = (&self.screen, self.phase.take()) {
            bar.finish_and_clear();
            screen.remove(&bar);
        }
    }

    /// An item is begun.
    pub(super) fn starts(&mut self, name: &str) {
        self.at_work.push(escape::part_of_line(name));
        self.show();
    }

    /// An item is done, whatever came of it.
    pub(super) fn finishes(&mut self, name: &str) {
        let name = escape::part_of_line(name);
        if let Some(at) = self.at_work.iter().position(|known| *known == name) {
            self.at_work.remove(at);
        }
        if let Some(bar) = &self.phase {
            bar.inc(1);
        }
        self.show();
    }

    fn show(&self) {
        if let Some(bar) = &self.phase {
            bar.set_message(self.at_work.join(", "));
        }
    }

    /// Has something written where the line stands, and the line below it.
    pub(super) fn above(&self, write: impl FnOnce()) {
        match self.screen.as_ref().filter(|_| self.phase.is_some()) {
            Some(screen) => screen.suspend(write),
            None => write(),
        }
    }
}
