//! The log: tracing's events as lines for people, GitHub's runner or machines.

use std::fmt;
use std::io::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::escape;
use super::printer::Printer;
use super::section::Line;
use crate::ci::Runner;
use crate::config::LogFormat;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::environment::Environment;

/// A dispatcher that writes events to the printer, as `RUST_LOG` or `RUNNER_DEBUG` want it.
///
/// The second part is what is wrong with `RUST_LOG`, for which `info` then stands in.
pub(crate) fn dispatch(environment: &Environment, printer: &Printer) -> (Dispatch, Option<Diagnostic>) {
    let debug = Runner::from_environment(environment).is_debug;
    let default = if debug { "gitbook_deploy=debug,info" } else { "info" };
    let (filter, problem) = match environment.get("RUST_LOG").map(EnvFilter::try_new) {
        None => (EnvFilter::new(default), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => {
            let message = format!("no filter: {error}");
            let hint =
                "accepted: a level such as `debug`, or `target=level` pairs, comma separated".to_owned();
            let problem = Diagnostic::error(SourceLocation::variable("RUST_LOG"), message).hint(hint);
            (EnvFilter::new(default), Some(problem))
        }
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines(printer.clone()))
        .event_format(Format(printer.clone()))
        .finish();
    (Dispatch::new(subscriber), problem)
}

/// Makes the writers that tracing's lines go to: a warning is no part of a section.
struct Lines(Printer);

struct Writing<'a>(&'a Printer, Line);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Writing<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Writing(&self.0, Line::Stands)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        let folds = *metadata.level() >= Level::INFO;
        Writing(&self.0, if folds { Line::Folds } else { Line::Stands })
    }
}

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&String::from_utf8_lossy(bytes), self.1);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Format(Printer);

impl<S, N> FormatEvent<S, N> for Format
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
        let mut fields = Fields::default();
        event.record(&mut fields);
        let fields = fields.redacted(&self.0);
        let level = *event.metadata().level();
        match self.0.format() {
            LogFormat::Text => writeln!(writer, "{}: {}", word(level), escape::line(&fields.text())),
            LogFormat::GitHub => match level {
                Level::ERROR if self.0.annotates(Severity::Error) => {
                    writeln!(writer, "::error::{}", escape::command_data(&fields.text()))
                }
                Level::WARN if self.0.annotates(Severity::Warning) => {
                    writeln!(writer, "::warning::{}", escape::command_data(&fields.text()))
                }
                Level::ERROR | Level::WARN => {
                    writeln!(writer, "{}: {}", word(level), escape::line(&fields.text()))
                }
                Level::INFO => writeln!(writer, "{}", escape::line(&fields.text())),
                _ => writeln!(writer, "::debug::{}", escape::command_data(&fields.text())),
            },
            LogFormat::Json => {
                let mut object = serde_json::Map::new();
                object.insert("level".to_owned(), level.as_str().into());
                object.insert("message".to_owned(), fields.message.into());
                object.extend(fields.others);
                writeln!(writer, "{}", escape::json_line(&serde_json::Value::Object(object).to_string()))
            }
        }
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// An event's message and its fields.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(String, serde_json::Value)>,
}

impl Fields {
    /// Without secrets, which could not be found once they are escaped.
    fn redacted(self, printer: &Printer) -> Self {
        let others = self.others.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, printer.redacted(&text).into()),
            value => (name, value),
        });
        Self { message: printer.redacted(&self.message), others: others.collect() }
    }

    /// The message, with the fields behind it.
    fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.others {
            // Text with a blank in it is quoted, as JSON does it.
            let plain = value.as_str().filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
            let value = plain.map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&format!(" {name}={value}"));
        }
        text
    }

    fn add(&mut self, field: &Field, value: serde_json::Value) {
        match (field.name(), value) {
            ("message", serde_json::Value::String(message)) => self.message = message,
            (name, value) => self.others.push((name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
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
