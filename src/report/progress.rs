//! The progress bar on a terminal. It disappears when the work is done.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape;
use crate::config::LogFormat;
use crate::environment::Environment;

/// The template of the bar, without colors.
const TEMPLATE: &str = "{spinner} {prefix} [{bar:20}] {pos}/{len} {wide_msg}";

/// The interval between two frames of the spinner.
const SPINNER_INTERVAL: Duration = Duration::from_millis(100);

/// The progress bar of the current phase. Draws nothing if the log is not a terminal.
#[derive(Debug, Default)]
pub(super) struct Progress {
    screen: Option<MultiProgress>,
    bar: Option<ProgressBar>,
    /// The items in progress, in the order of their start.
    active: Vec<String>,
}

impl Progress {
    /// Creates a progress bar. It draws nothing in CI, where the log would contain every frame of the bar, and in formats other
    /// than text.
    pub(super) fn new(
        screen: Option<ProgressDrawTarget>,
        format: LogFormat,
        environment: &Environment,
    ) -> Self {
        let is_interactive = format == LogFormat::Text && LogFormat::detect(environment) == LogFormat::Text;
        // A hidden draw target means that the terminal cannot move the cursor.
        let screen = screen.filter(|screen| is_interactive && !screen.is_hidden());
        Self { screen: screen.map(MultiProgress::with_draw_target), ..Self::default() }
    }

    /// Starts a phase, and shows a new bar for its items.
    pub(super) fn start_phase(&mut self, action: &str, items: usize) {
        self.end_phase();
        let Some(screen) = self.screen.as_ref().filter(|_| items > 0) else { return };
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(u64::try_from(items).unwrap_or(u64::MAX));
        let bar = bar.with_style(style.tick_chars("|/-\\ ").progress_chars("=> "));
        let bar = screen.add(bar.with_prefix(action.to_owned()));
        bar.enable_steady_tick(SPINNER_INTERVAL);
        self.bar = Some(bar);
    }

    /// Ends the phase, and removes its bar.
    pub(super) fn end_phase(&mut self) {
        self.active.clear();
        if let (Some(screen), Some(bar)) = (&self.screen, self.bar.take()) {
            bar.finish_and_clear();
            screen.remove(&bar);
        }
    }

    /// Shows that an item is in progress.
    pub(super) fn start_item(&mut self, name: &str) {
        self.active.push(escape::inside_log_line(name));
        self.update();
    }

    /// Counts a finished item, and no longer shows it.
    pub(super) fn finish_item(&mut self, name: &str) {
        let name = escape::inside_log_line(name);
        if let Some(index) = self.active.iter().position(|known| *known == name) {
            self.active.remove(index);
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        self.update();
    }

    fn update(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.active.join(", "));
        }
    }

    /// Hides the bar while `write` runs, so that its lines appear above the bar.
    pub(super) fn print_above(&self, write: impl FnOnce()) {
        match self.screen.as_ref().filter(|_| self.bar.is_some()) {
            Some(screen) => screen.suspend(write),
            None => write(),
        }
    }
}
