//! The only place that writes to standard output and standard error.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

use crate::cli::{ErrorAnswer, Report, render::Lines};

/// Data for programs and people on one stream, talk on the other.
pub struct Ui {
    data: Box<dyn Write>,
    talk: Box<dyn Write>,
    /// Whether they are those of the process.
    is_standard: bool,
}

impl fmt::Debug for Ui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ui")
    }
}

impl Ui {
    /// Standard output and standard error.
    #[must_use]
    pub fn standard() -> Self {
        Self { data: Box::new(io::stdout()), talk: Box::new(io::stderr()), is_standard: true }
    }

    /// Two other streams.
    #[must_use]
    pub fn new(data: Box<dyn Write>, talk: Box<dyn Write>) -> Self {
        Self { data, talk, is_standard: false }
    }

    /// Whether somebody at a terminal hears the talk and can answer.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.is_standard && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Writes an answer for people: what could steer a terminal or hide text is escaped.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.data(&Lines(text).to_string())
    }

    /// Writes an answer for programs, as it is; a newline is added where it has none.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        self.data.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            self.data.write_all(b"\n")?;
        }
        self.data.flush()
    }

    /// Where data goes, for what is not a text in memory.
    pub fn stream(&mut self) -> &mut dyn Write {
        &mut *self.data
    }

    /// Writes one JSON value as a line.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.data(&serde_json::to_string(value)?)
    }

    /// Writes data that another process printed, as they are: it escaped what had to be.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn pass_on(&mut self, data: &[u8]) -> io::Result<()> {
        self.data.write_all(data)?;
        self.data.flush()
    }

    /// Writes what another process said, as it is.
    pub fn pass_on_talk(&mut self, talk: &[u8]) {
        drop(self.talk.write_all(talk));
    }

    /// Says what is being done or what comes next.
    pub fn say(&mut self, text: impl fmt::Display) {
        self.talk(format_args!("{text}"));
    }

    /// Asks: what is answered stands behind it.
    pub fn ask(&mut self, question: impl fmt::Display) {
        drop(write!(self.talk, "{}", Lines(question)));
        drop(self.talk.flush());
    }

    /// Says what may not be meant.
    pub fn warn(&mut self, text: impl fmt::Display) {
        self.talk(format_args!("warning: {text}"));
    }

    /// Says why it stopped; each line of a list of errors gets the word before it.
    pub fn error(&mut self, text: impl fmt::Display) {
        for line in text.to_string().lines() {
            self.talk(format_args!("error: {line}"));
        }
    }

    /// Says why it stopped, to people, and where `as_json` says so to programs as well.
    pub fn report(&mut self, report: &Report, as_json: bool) {
        self.error(report);
        if as_json {
            self.error_as_json(report);
        }
    }

    /// Ends the answer with an error. Where nobody takes it, the exit code says enough.
    pub fn error_as_json(&mut self, report: &Report) {
        drop(self.json(&ErrorAnswer { report }));
    }

    /// A reader of the talk that went away is no reason to stop the work.
    fn talk(&mut self, text: fmt::Arguments<'_>) {
        drop(writeln!(self.talk, "{}", Lines(text)));
    }
}
