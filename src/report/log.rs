//! Formats log events as text, as GitHub workflow commands or as JSON.

use std::fmt;
use std::io::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::log_section::LinePlacement;
use super::printer::Printer;
use super::{escape, size};
use crate::ci::Runner;
use crate::config::LogFormat;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::environment::Environment;

/// Returns a dispatcher that prints the events that `RUST_LOG` or `RUNNER_DEBUG` selects. If `RUST_LOG` is invalid, the
/// dispatcher ignores it, and the problem is also returned.
pub(crate) fn dispatch(environment: &Environment, printer: &Printer) -> (Dispatch, Option<Diagnostic>) {
    let debug = Runner::from_environment(environment).is_debug;
    let default = if debug { "gitbook_deploy=debug,info" } else { "info" };
    let (filter, problem) = match environment.get("RUST_LOG").map(EnvFilter::try_new) {
        None => (EnvFilter::new(default), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => {
            let message = format!("invalid log filter: {error}");
            let hint = "use a level such as `debug`, or `target=level` pairs separated by commas".to_owned();
            let problem = Diagnostic::error(SourceLocation::variable("RUST_LOG"), message).with_hint(hint);
            (EnvFilter::new(default), Some(problem))
        }
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(LogWriterFactory(printer.clone()))
        .event_format(LogFormatter(printer.clone()))
        .finish();
    (Dispatch::new(subscriber), problem)
}

/// A factory of writers for log lines. Warnings and errors are written outside of sections.
struct LogWriterFactory(Printer);

struct LogWriter<'a>(&'a Printer, LinePlacement);

impl<'a> MakeWriter<'a> for LogWriterFactory {
    type Writer = LogWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LogWriter(&self.0, LinePlacement::OutsideSection)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        let is_in_section = *metadata.level() >= Level::INFO;
        LogWriter(
            &self.0,
            if is_in_section { LinePlacement::InSection } else { LinePlacement::OutsideSection },
        )
    }
}

impl Write for LogWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&String::from_utf8_lossy(bytes), self.1);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct LogFormatter(Printer);

impl<S, N> FormatEvent<S, N> for LogFormatter
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let fields = fields.redacted(&self.0);
        let level = *event.metadata().level();
        let line = match self.0.format() {
            LogFormat::Text => text_line(level, &fields),
            LogFormat::GitHub => match level {
                Level::ERROR if self.0.reserve_annotation(Severity::Error) => {
                    format!("::error::{}", escape::command_data(&fields.sentence()))
                }
                Level::WARN if self.0.reserve_annotation(Severity::Warning) => {
                    format!("::warning::{}", escape::command_data(&fields.sentence()))
                }
                Level::ERROR | Level::WARN => text_line(level, &fields),
                Level::INFO => escape::log_line(&fields.sentence()),
                _ => format!("::debug::{}", escape::command_data(&fields.message_with_all_fields())),
            },
            LogFormat::Json => {
                let mut object = serde_json::Map::new();
                object.insert("level".to_owned(), level.as_str().into());
                object.insert("message".to_owned(), fields.message.into());
                object.extend(fields.others);
                escape::json_line(&serde_json::Value::Object(object).to_string())
            }
        };
        writeln!(writer, "{line}")
    }
}

fn text_line(level: Level, fields: &EventFields) -> String {
    let text = if level <= Level::INFO { fields.sentence() } else { fields.message_with_all_fields() };
    format!("{}: {}", level_name(level), escape::log_line(&text))
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The message of a log event and the other fields of the event.
#[derive(Default)]
struct EventFields {
    message: String,
    others: Vec<(String, serde_json::Value)>,
}

impl EventFields {
    /// Redacts all texts. The caller must escape the texts after this call, because the redactor might not recognize an escaped
    /// secret.
    fn redacted(self, printer: &Printer) -> Self {
        let others = self.others.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, printer.redact(&text).into()),
            value => (name, value),
        });
        Self { message: printer.redact(&self.message), others: others.collect() }
    }

    /// Returns the message with the details of an integration's outcome, such as `published hello v3 (71.4 KiB, 0.1 s)
    /// https://example.com`. Omits all other fields.
    fn sentence(&self) -> String {
        let size = self.number_field("script_bytes").and_then(|bytes| usize::try_from(bytes).ok());
        let size = size.map(|bytes| size::format_size(bytes, None));
        let time = self.number_field("milliseconds").map(size::format_seconds);
        let details: Vec<_> = [size, time].into_iter().flatten().collect();
        let mut sentence = self.message.clone();
        if let Some(version) = self.text_field("version") {
            sentence.push_str(&format!(" v{version}"));
        }
        if !details.is_empty() {
            sentence.push_str(&format!(" ({})", details.join(", ")));
        }
        if let Some(note) = self.text_field("note") {
            sentence.push_str(&format!(": {note}"));
        }
        if let Some(url) = self.text_field("url") {
            sentence.push_str(&format!(" {url}"));
        }
        sentence
    }

    /// Returns the message with all fields, for debugging.
    fn message_with_all_fields(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.others {
            // An empty text and a text with white space are quoted as in JSON.
            let plain = value.as_str().filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
            let value = plain.map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&format!(" {name}={value}"));
        }
        text
    }

    fn field_value(&self, name: &str) -> Option<&serde_json::Value> {
        self.others.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn text_field(&self, name: &str) -> Option<&str> {
        self.field_value(name).and_then(serde_json::Value::as_str)
    }

    fn number_field(&self, name: &str) -> Option<u64> {
        self.field_value(name).and_then(serde_json::Value::as_u64)
    }

    fn add(&mut self, field: &Field, value: serde_json::Value) {
        match (field.name(), value) {
            ("message", serde_json::Value::String(message)) => self.message = message,
            (name, value) => self.others.push((name.to_owned(), value)),
        }
    }
}

impl Visit for EventFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::EventFields;

    #[test]
    fn formats_the_results_of_an_integration_as_a_sentence() {
        let check = |message: &str, fields: Value, expected: &str| {
            let others = fields.as_object().unwrap().clone().into_iter().collect();
            assert_eq!(EventFields { message: message.to_owned(), others }.sentence(), expected);
        };
        check(
            "published hello",
            json!({"version": "3", "script_bytes": 73_152, "milliseconds": 149, "url": "https://example.com"}),
            "published hello v3 (71.4 KiB, 0.1 s) https://example.com",
        );
        check("deleted hello", json!({"milliseconds": 50}), "deleted hello (0.1 s)");
        check(
            "skipped hello",
            json!({"note": "the branch was closed", "other": 1}),
            "skipped hello: the branch was closed",
        );
    }
}
