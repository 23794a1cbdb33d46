//! Faults that replace the regular response.

use serde_json::Value;

use crate::call::Call;
use crate::response::{Answer, Content};

/// A fault for the next matching request.
///
/// The pattern is a part of the path with its query; a pattern with a final `$` must match the end of the
/// path without the query.
#[derive(Clone, Debug)]
pub struct Fault {
    method: String,
    pattern: String,
    skipped: usize,
    times: usize,
    after_effect: bool,
    checked: bool,
    outcome: Outcome,
}

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answer(Answer),
    Hang,
    Close,
}

/// A fault that applies to the current request.
pub(crate) struct TriggeredFault {
    pub(crate) outcome: Outcome,
    pub(crate) after_effect: bool,
    pub(crate) checked: bool,
}

impl Fault {
    /// Fails one request, by default with status 500 and no body.
    pub fn on(method: &str, pattern: &str) -> Self {
        Self {
            method: method.to_owned(),
            pattern: pattern.to_owned(),
            skipped: 0,
            times: 1,
            after_effect: false,
            checked: true,
            outcome: Outcome::Answer(Answer::empty(500)),
        }
    }

    /// Fails this number of requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Fails every request.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Skips this number of requests first.
    #[must_use]
    pub fn skip(mut self, skipped: usize) -> Self {
        self.skipped = skipped;
        self
    }

    /// Applies the effect of the request; only the response is lost.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Accepts JSON that GitHub's document does not allow.
    #[must_use]
    pub fn unvalidated(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Responds with this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.answer().status = status;
        self
    }

    /// Responds with this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.answer().headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Responds with this JSON, which must be valid if GitHub's document describes the status.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.answer().content = Content::Json(body.to_string());
        self
    }

    /// Responds with this text, as a proxy would.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        self.answer().content = Content::Text(body.to_owned());
        self
    }

    /// Never responds.
    #[must_use]
    pub fn hang(mut self) -> Self {
        self.outcome = Outcome::Hang;
        self
    }

    /// Closes the connection without a response.
    #[must_use]
    pub fn close_connection(mut self) -> Self {
        self.outcome = Outcome::Close;
        self
    }

    /// Returns the response, and replaces any other outcome by one.
    fn answer(&mut self) -> &mut Answer {
        if !matches!(self.outcome, Outcome::Answer(_)) {
            self.outcome = Outcome::Answer(Answer::empty(500));
        }
        match &mut self.outcome {
            Outcome::Answer(answer) => answer,
            Outcome::Hang | Outcome::Close => unreachable!("the outcome was made an answer above"),
        }
    }

    fn trigger(&mut self, call: &Call) -> Option<TriggeredFault> {
        if self.times == 0 || !call.matches(&self.method, &self.pattern) {
            return None;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return None;
        }
        self.times -= 1;
        let (outcome, after_effect, checked) = (self.outcome.clone(), self.after_effect, self.checked);
        Some(TriggeredFault { outcome, after_effect, checked })
    }
}

/// Returns the first matching fault.
pub(crate) fn trigger(faults: &mut [Fault], call: &Call) -> Option<TriggeredFault> {
    faults.iter_mut().find_map(|fault| fault.trigger(call))
}
