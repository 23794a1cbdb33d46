//! Faults: responses and connection errors that replace the regular response.

use serde_json::Value;

use crate::call::Call;
use crate::response::{Answer, Content};

/// A fault for the next matching request.
///
/// A pattern matches if the path with its query contains it. A pattern with a final `$` matches the end of the path without
/// the query.
#[derive(Clone, Debug)]
pub struct Fault {
    method: String,
    pattern: String,
    skipped: usize,
    times: usize,
    after_effect: bool,
    validated: bool,
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
    pub(crate) validated: bool,
}

impl Fault {
    /// Creates a fault for one request, by default with status 500 and no body.
    pub fn on(method: &str, pattern: &str) -> Self {
        Self {
            method: method.to_owned(),
            pattern: pattern.to_owned(),
            skipped: 0,
            times: 1,
            after_effect: false,
            validated: true,
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

    /// Lets the request take effect; the fault replaces only the response.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Sends the JSON of this fault without validation against GitHub's OpenAPI document.
    #[must_use]
    pub fn unvalidated(mut self) -> Self {
        self.validated = false;
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

    /// Responds with this JSON. It is validated if GitHub's OpenAPI document has a schema for the status.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.answer().content = Content::Json(body.to_string());
        self
    }

    /// Responds with this text instead of JSON, like an error page of a proxy.
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

    /// Returns the response of the fault. Replaces the outcomes `Hang` and `Close` by an empty response with status 500.
    fn answer(&mut self) -> &mut Answer {
        if !matches!(self.outcome, Outcome::Answer(_)) {
            self.outcome = Outcome::Answer(Answer::empty(500));
        }
        match &mut self.outcome {
            Outcome::Answer(answer) => answer,
            Outcome::Hang | Outcome::Close => unreachable!("the outcome was replaced by a response above"),
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
        let (outcome, after_effect, validated) = (self.outcome.clone(), self.after_effect, self.validated);
        Some(TriggeredFault { outcome, after_effect, validated })
    }
}

/// Returns the first matching fault.
pub(crate) fn trigger(faults: &mut [Fault], call: &Call) -> Option<TriggeredFault> {
    faults.iter_mut().find_map(|fault| fault.trigger(call))
}
