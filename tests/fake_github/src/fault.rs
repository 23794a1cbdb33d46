//! Answers that a test orders instead of the right ones.

use serde_json::Value;

use crate::call::Call;
use crate::response::{Answer, Content};

/// A fault that befalls the next request that it fits.
///
/// The pattern is a part of the path with its query; one that ends in `$` has to be the end of the path without it.
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

/// A fault that has come about.
pub(crate) struct Struck {
    pub(crate) outcome: Outcome,
    pub(crate) after_effect: bool,
    pub(crate) checked: bool,
}

impl Fault {
    /// Fails one request of this kind, with status 500 and no body as long as nothing else is said.
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

    /// Fails that many requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Fails every request from now on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Lets that many requests through first.
    #[must_use]
    pub fn skip(mut self, skipped: usize) -> Self {
        self.skipped = skipped;
        self
    }

    /// Lets the request have its effect, so that only the answer is lost.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Gives JSON that GitHub's document does not allow, without that being a violation.
    #[must_use]
    pub fn unvalidated(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Answers with this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.answer().status = status;
        self
    }

    /// Answers with this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.answer().headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Answers with this JSON, which has to be right where GitHub's document describes the status.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.answer().content = Content::Json(body.to_string());
        self
    }

    /// Answers with this text, as a proxy in between would.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        self.answer().content = Content::Text(body.to_owned());
        self
    }

    /// Never answers.
    #[must_use]
    pub fn hang(mut self) -> Self {
        self.outcome = Outcome::Hang;
        self
    }

    /// Closes the connection without a word.
    #[must_use]
    pub fn close_connection(mut self) -> Self {
        self.outcome = Outcome::Close;
        self
    }

    /// A part of an answer makes the outcome one, whatever it was before.
    fn answer(&mut self) -> &mut Answer {
        if !matches!(self.outcome, Outcome::Answer(_)) {
            self.outcome = Outcome::Answer(Answer::empty(500));
        }
        match &mut self.outcome {
            Outcome::Answer(answer) => answer,
            Outcome::Hang | Outcome::Close => unreachable!("the outcome was made an answer above"),
        }
    }

    fn strike(&mut self, call: &Call) -> Option<Struck> {
        if self.times == 0 || !call.matches(&self.method, &self.pattern) {
            return None;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return None;
        }
        self.times -= 1;
        let (outcome, after_effect, checked) = (self.outcome.clone(), self.after_effect, self.checked);
        Some(Struck { outcome, after_effect, checked })
    }
}

/// The first of the faults that fits the request.
pub(crate) fn strike(faults: &mut [Fault], call: &Call) -> Option<Struck> {
    faults.iter_mut().find_map(|fault| fault.strike(call))
}
