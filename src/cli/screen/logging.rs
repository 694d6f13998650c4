//! What `-v` and `-q` say: the log, on standard error. No event in it holds a key.

use std::{
    env,
    io::{self, Write},
};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::cli::{
    args::{GlobalArgs, LogFormat},
    render::Clean,
};

/// Levels by target in the manner of `RUST_LOG`, such as `warn,misp_trickle=debug`; it goes before `-v` and `-q`.
const VARIABLE: &str = "MISP_TRICKLE_LOG";

/// What writes the log: texts of others stand in it, and what could steer a terminal or hide text is escaped.
struct Visible<W>(W);

impl<W: Write> Write for Visible<W> {
    /// An event is written at once, and ends with its only line feed.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        write!(self.0, "{}{end}", Clean(line))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Style {
    /// Beside what the verb says: only what is wrong, without times.
    Tool,
    /// All that a program says which nobody watches, with times.
    Daemon(LogFormat),
}

/// Starts the log of this process.
pub(in crate::cli) fn start(global: &GlobalArgs, style: Style) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) if style != Style::Tool => LevelFilter::INFO,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    // Of the libraries only what goes wrong: their traces are of no use to a user. What they find wrong with a
    // certificate, the error says anyway.
    let ours = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("rustls_platform_verifier", LevelFilter::OFF)
        .with_target("misp_trickle", level);
    let said = env::var(VARIABLE).ok().and_then(|text| text.parse::<Targets>().ok());
    let all = tracing_subscriber::registry().with(said.unwrap_or(ours));
    let log = fmt::layer().with_writer(|| Visible(io::stderr()));
    let log = log.with_ansi(false).with_target(false);
    // A second log in one process, as in tests, is no reason to stop.
    drop(match style {
        Style::Tool => all.with(log.without_time()).try_init(),
        Style::Daemon(LogFormat::Text) => all.with(log).try_init(),
        Style::Daemon(LogFormat::Json) => all.with(log.json().flatten_event(true)).try_init(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_cannot_steer_the_terminal_by_the_log() {
        let mut seen = Vec::new();
        let line = "WARN x \u{1b}[2J \u{202e}a\u{200b}b\u{e0041}\nWARN forged\r\u{7f} ü\n";
        Visible(&mut seen).write_all(line.as_bytes()).unwrap();
        let shown = String::from_utf8(seen).unwrap();
        assert_eq!(
            shown,
            "WARN x \\u{1b}[2J \\u{202e}a\\u{200b}b\\u{e0041}\\nWARN forged\\r\\u{7f} ü\n"
        );
    }
}
