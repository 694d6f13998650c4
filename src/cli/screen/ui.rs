//! The only place that writes to standard output and standard error.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

use crate::cli::{
    ErrorAnswer, Report,
    render::{CleanLines, Lines, Toned, bad, head, odd},
};

use jiff::tz::TimeZone;

use super::{Face, Reader, Stream, pager::Pager, reader::local_zone};

/// Data for programs and people on one stream, talk on the other.
pub struct Ui {
    data: Box<dyn Write>,
    talk: Box<dyn Write>,
    /// Whether they are those of the process.
    is_standard: bool,
    /// How data for people and talk are shown; nothing where another process shows them.
    faces: Option<Faces>,
    /// What shows long answers, where somebody at a terminal reads them.
    pager: Option<Pager>,
    /// Why times are not local.
    odd_zone: Option<String>,
}

struct Faces {
    data: Face,
    talk: Face,
}

impl fmt::Debug for Ui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ui")
    }
}

impl Ui {
    /// Standard output and standard error, with times in the local zone or in UTC.
    #[must_use]
    pub fn standard(utc: bool) -> Self {
        let (zone, odd_zone) = match if utc { Ok(TimeZone::UTC) } else { local_zone() } {
            Ok(zone) => (zone, None),
            Err(why) => (TimeZone::UTC, Some(why)),
        };
        let face = |stream| Face::of(stream, zone.clone());
        let faces = Faces { data: face(Stream::Data), talk: face(Stream::Talk) };
        let (data, talk) = (Box::new(io::stdout()), Box::new(io::stderr()));
        Self { data, talk, is_standard: true, faces: Some(faces), pager: None, odd_zone }
    }

    /// Two streams to somebody who decides what marked texts look like: marks stay in what goes there.
    #[must_use]
    pub fn marked(data: Box<dyn Write>, talk: Box<dyn Write>) -> Self {
        Self { data, talk, is_standard: false, faces: None, pager: None, odd_zone: None }
    }

    /// Two streams that look like this.
    #[cfg(test)]
    pub(in crate::cli) fn with_face(
        data: Box<dyn Write>,
        talk: Box<dyn Write>,
        face: Face,
    ) -> Self {
        let faces = Some(Faces { data: face.clone(), talk: face });
        Self { faces, ..Self::marked(data, talk) }
    }

    /// From now on what is longer than the terminal goes through a pager.
    pub(in crate::cli) fn page(&mut self) {
        let is_read = self.is_standard && Stream::Data.is_terminal();
        self.pager = is_read.then(Pager::chosen).flatten();
    }

    /// Why times are not local; the first time that this is asked.
    pub(in crate::cli) const fn odd_zone(&mut self) -> Option<String> {
        self.odd_zone.take()
    }

    /// Who reads its answers.
    pub(in crate::cli) fn reader(&self) -> Reader {
        let zone = self.faces.as_ref().map_or(TimeZone::UTC, |faces| faces.data.zone.clone());
        Reader { is_at_terminal: self.is_standard && Stream::Data.is_terminal(), zone }
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
        let text = Lines(text).to_string();
        let Some(Faces { data: face, .. }) = &self.faces else { return self.data(&text) };
        let shown = face.lay(&text);
        let is_long = Stream::Data.lines().is_none_or(|lines| shown.lines().count() >= lines);
        if let Some(pager) = self.pager.as_ref().filter(|_| is_long) {
            let is_coloured = face.is_coloured && (pager.is_less() || Stream::is_colour_forced());
            let paged = Face { is_coloured, ..face.clone() }.lay(&text);
            if pager.show(&paged) {
                return Ok(());
            }
        }
        self.data(&shown)
    }

    /// Writes a text for people and programs, such as TOML: what could steer a terminal is escaped, and lines stay whole.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn document(&mut self, text: &str) -> io::Result<()> {
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

    /// Writes data for programs that another process printed, as they are.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn pass_on(&mut self, data: &[u8]) -> io::Result<()> {
        self.data.write_all(data)?;
        self.data.flush()
    }

    /// Says lines that another process said.
    pub fn pass_on_talk(&mut self, talk: &str) {
        self.utter(talk);
    }

    /// Says what is being done.
    pub fn say(&mut self, text: impl fmt::Display) {
        self.talk(None, text);
    }

    /// Says which command comes next.
    pub(in crate::cli) fn guide(&mut self, text: impl fmt::Display) {
        self.talk(Some(head("next:")), text);
    }

    /// Asks: what is answered stands behind it.
    pub fn ask(&mut self, question: impl fmt::Display) {
        self.utter(&CleanLines(question).to_string());
        drop(self.talk.flush());
    }

    /// Says what may not be meant.
    pub fn warn(&mut self, text: impl fmt::Display) {
        self.talk(Some(odd("warning:")), text);
    }

    /// Says why it stopped; each line of a list of errors gets the word before it.
    pub fn error(&mut self, text: impl fmt::Display) {
        for line in text.to_string().lines() {
            self.talk(Some(bad("error:")), line);
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

    /// The text may quote others: what marks there are stand before it.
    fn talk(&mut self, before: Option<Toned<&str>>, text: impl fmt::Display) {
        let before = before.map(|word| format!("{word} ")).unwrap_or_default();
        self.utter(&format!("{before}{}\n", CleanLines(text)));
    }

    /// A reader of the talk that went away is no reason to stop the work.
    fn utter(&mut self, text: &str) {
        let text = Lines(text).to_string();
        let shown = self.faces.as_ref().map(|faces| faces.talk.lay(&text));
        drop(self.talk.write_all(shown.unwrap_or(text).as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::Timestamp;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn words_of_others_hide_nothing_that_stands_behind_them() {
        let talk = Kept::default();
        let zone = TimeZone::UTC;
        let face = Face { is_coloured: false, columns: None, zone, now: Timestamp::default() };
        let mut ui = Ui::with_face(Box::new(io::sink()), Box::new(talk.clone()), face);
        for mark in '\u{fdd0}'..='\u{fdd7}' {
            let text = format!("it says {mark}7; do this\n  and that");
            ui.warn(&text);
            ui.error(&text);
            ui.say(&text);
            ui.ask(&text);
            let shown = String::from_utf8(std::mem::take(&mut *talk.0.lock().unwrap())).unwrap();
            let escaped = text.replace(mark, &mark.escape_default().to_string());
            let error = escaped.replace('\n', "\nerror: ");
            assert_eq!(shown, format!("warning: {escaped}\nerror: {error}\n{escaped}\n{escaped}"));
        }
    }
}
