//! What a marked text looks like: colours, the time zone, and lines that fit.

use anstyle::{AnsiColor, Effects, Style};
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthChar;

use crate::{
    agent::{Clock as _, SystemClock},
    cli::render::{Clock, Mark, Tone},
    model::{Span, Timestamp},
};

use super::stream::Stream;

/// Nobody reads a column that is narrower.
const COLUMNS_MIN: usize = 40;
/// The longest word that counts as a sign before what a line says, such as `->`.
const SIGN: usize = 2;
/// How much deeper a line goes on that has no columns.
const DEEPER: usize = 4;

/// How texts are shown.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Face {
    /// Whether tones are colours.
    pub(in crate::cli) is_coloured: bool,
    /// How many columns there are; `None` leaves lines as they are.
    pub(in crate::cli) columns: Option<usize>,
    /// Where times are local.
    pub(in crate::cli) zone: TimeZone,
    /// What is ago is so before this.
    pub(in crate::cli) now: Timestamp,
}

/// A letter and why it stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Letter {
    letter: char,
    tone: Option<Tone>,
}

impl Face {
    /// What suits a stream of this process.
    pub(super) fn of(stream: Stream, zone: TimeZone) -> Self {
        Self {
            is_coloured: stream.is_coloured(),
            columns: stream.columns(),
            zone,
            now: SystemClock.now(),
        }
    }

    /// The text as it is shown.
    pub(in crate::cli) fn lay(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            self.line(&mut out, line);
            out.push_str(end);
        }
        out
    }

    fn line(&self, out: &mut String, line: &str) {
        let letters = self.letters(line);
        for (place, row) in self.rows(&letters).into_iter().enumerate() {
            if place > 0 {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n(' ', row.indent));
            self.paint(out, row.letters);
        }
    }

    /// The letters that show, with times written out.
    fn letters(&self, line: &str) -> Vec<Letter> {
        // Nothing that stands behind a mark without an end is lost.
        let unclosed = |open: Option<(Clock, String)>| {
            let text = open.map(|(_, text)| text).unwrap_or_default();
            text.chars().collect::<Vec<_>>().into_iter()
        };
        let (mut shown, mut tone, mut clock) = (Vec::with_capacity(line.len()), None, None);
        for letter in line.chars() {
            match (Mark::of(letter), &mut clock) {
                (Some(Mark::Clock(new)), _) => {
                    let open = clock.replace((new, String::new()));
                    shown.extend(unclosed(open).map(|letter| Letter { letter, tone }));
                }
                (Some(Mark::Tone(new)), _) => tone = Some(new),
                (Some(Mark::End), _) => match clock.take() {
                    Some((clock, micros)) => {
                        let text = self.time(clock, &micros);
                        shown.extend(text.chars().map(|letter| Letter { letter, tone }));
                    }
                    None => tone = None,
                },
                (None, Some((_, micros))) => micros.push(letter),
                (None, None) => shown.push(Letter { letter, tone }),
            }
        }
        shown.extend(unclosed(clock).map(|letter| Letter { letter, tone }));
        shown
    }

    fn time(&self, clock: Clock, micros: &str) -> String {
        let Ok(micros) = micros.parse() else { return micros.to_owned() };
        let time = Timestamp::from_micros(micros);
        match clock {
            Clock::Age if time > self.now => {
                format!("in {}", Span(self.now.until(time).as_secs()))
            }
            Clock::Age => format!("{} ago", Span(time.until(self.now).as_secs())),
            Clock::Full => match jiff::Timestamp::from_microsecond(micros) {
                Ok(time) if self.zone == TimeZone::UTC => {
                    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
                }
                Ok(time) => {
                    time.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
                }
                Err(_) => time.to_string(),
            },
        }
    }

    /// The rows that a line takes.
    fn rows<'l>(&self, line: &'l [Letter]) -> Vec<Row<'l>> {
        let Some(columns) = self.columns.map(|it| it.max(COLUMNS_MIN)) else {
            return vec![Row { indent: 0, letters: line }];
        };
        let (mut rows, mut left, mut indent) = (Vec::new(), line, 0);
        let deeper = hang(line, columns);
        while let Some(end) = fold(left, columns - indent, if rows.is_empty() { deeper } else { 0 })
        {
            rows.push(Row { indent, letters: trimmed_end(&left[..end]) });
            left = trimmed_start(&left[end..]);
            indent = deeper;
        }
        rows.push(Row { indent, letters: left });
        rows
    }

    fn paint(&self, out: &mut String, letters: &[Letter]) {
        let mut now = None;
        for Letter { letter, tone } in letters {
            if self.is_coloured && now != *tone {
                self.turn(out, now, *tone);
                now = *tone;
            }
            out.push(*letter);
        }
        self.turn(out, now, None);
    }

    /// From one tone to another.
    fn turn(&self, out: &mut String, from: Option<Tone>, to: Option<Tone>) {
        if let Some(from) = from {
            out.push_str(&style(from).render_reset().to_string());
        }
        if let Some(to) = to {
            out.push_str(&style(to).render().to_string());
        }
    }
}

const fn style(tone: Tone) -> Style {
    match tone {
        Tone::Bad => AnsiColor::Red.on_default().effects(Effects::BOLD),
        Tone::Odd => AnsiColor::Yellow.on_default(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Faint => Style::new().effects(Effects::DIMMED),
        Tone::Head => Style::new().effects(Effects::BOLD),
    }
}

/// A part of a line that is a line of the terminal.
struct Row<'l> {
    indent: usize,
    letters: &'l [Letter],
}

/// Where a line that is too long for so many columns is folded: behind the last word that fits. A word that fits nowhere
/// stays whole, so that it can be copied; nothing is folded left of `from`, as that would not gain room. Spaces at the end
/// need none.
fn fold(line: &[Letter], columns: usize, from: usize) -> Option<usize> {
    let (line, mut width, mut last) = (trimmed_end(line), 0, None);
    for (at, Letter { letter, .. }) in line.iter().enumerate() {
        if *letter == ' ' && at > from && line[..at].iter().any(|it| it.letter != ' ') {
            last = Some(at);
            if width > columns {
                return last;
            }
        }
        width += letter.width().unwrap_or(0);
        if width > columns && last.is_some() {
            return last;
        }
    }
    None
}

/// How deep a line goes on: beneath the last of its columns that begins in two fifths of the width, where columns are what two
/// spaces part; else behind its sign or label; else a little deeper than it began.
fn hang(line: &[Letter], columns: usize) -> usize {
    let is_space = |at: usize| line.get(at).is_some_and(|it| it.letter == ' ');
    let begun = line.iter().take_while(|it| it.letter == ' ').count();
    let starts =
        (begun + 1..line.len()).filter(|at| !is_space(*at) && is_space(at - 1) && is_space(at - 2));
    if let Some(last) = starts.take_while(|at| *at <= columns * 2 / 5).last() {
        return last;
    }
    let word = line[begun..].iter().take_while(|it| it.letter != ' ');
    let (length, last) = (word.clone().count(), word.last().map(|it| it.letter));
    let is_label = last == Some(':') && begun + length < columns / 3;
    let deeper = if length <= SIGN || is_label { length + 1 } else { DEEPER };
    (begun + deeper).min(columns / 2)
}

fn trimmed_end(line: &[Letter]) -> &[Letter] {
    let end = line.iter().rposition(|it| it.letter != ' ').map_or(0, |at| at + 1);
    &line[..end]
}

fn trimmed_start(line: &[Letter]) -> &[Letter] {
    let begin = line.iter().position(|it| it.letter != ' ').unwrap_or(line.len());
    &line[begin..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::{
        bad,
        marks::{Ago, At, faint},
    };

    fn face(columns: Option<usize>) -> Face {
        Face {
            is_coloured: false,
            columns,
            zone: TimeZone::fixed(jiff::tz::offset(2)),
            now: Timestamp::from_seconds(1_000_000),
        }
    }

    #[test]
    fn long_lines_go_on_beneath_their_last_column() {
        let wide = face(Some(40));
        for (line, shown) in [
            ("short", "short"),
            (
                "Withheld:   the policy of this one does not name it",
                "Withheld:   the policy of this one does\n            not name it",
            ),
            (
                "  ! exposed: a value of which there is more to say",
                "  ! exposed: a value of which there is\n    more to say",
            ),
            (
                "warning: what may not be meant, and is long",
                "warning: what may not be meant, and is\n         long",
            ),
            (
                "  + sent  ip-dst  198.51.100.7 and then some more",
                "  + sent  ip-dst  198.51.100.7 and then\n          some more",
            ),
            (
                "Attribute:  0123456789012345678901234567890123456789",
                "Attribute:  0123456789012345678901234567890123456789",
            ),
            (
                "0123456789012345678901234567890123 [no]: ",
                "0123456789012345678901234567890123 [no]: ",
            ),
            ("日本語日本語日本語 日本語日本語日本語", "日本語日本語日本語 日本語日本語日本語"),
            (
                "日本語日本語日本語日 日本語日本語日本語日",
                "日本語日本語日本語日\n    日本語日本語日本語日",
            ),
        ] {
            assert_eq!(wide.lay(line), shown);
        }
        assert_eq!(face(None).lay("x ".repeat(99).trim_end()), "x ".repeat(99).trim_end());
    }

    #[test]
    fn colours_take_no_room_and_end_with_each_row() {
        let text = format!("{} {}\n", bad("exposed"), faint("a b"));
        assert_eq!(face(Some(40)).lay(&text), "exposed a b\n");
        let coloured = Face { is_coloured: true, ..face(Some(40)) };
        let shown = "\u{1b}[1m\u{1b}[31mexposed\u{1b}[0m \u{1b}[2ma b\u{1b}[0m\n";
        assert_eq!(coloured.lay(&text), shown);
        let long = format!("{}", bad("word ".repeat(12).trim_end().to_owned()));
        for row in coloured.lay(&long).lines() {
            assert_eq!(row.matches("\u{1b}[31m").count(), row.matches("\u{1b}[0m").count());
        }
    }

    #[test]
    fn times_are_local_and_long_ago() {
        let (then, later) = (Timestamp::from_micros(7_000_001), Timestamp::from_seconds(1_000_300));
        let text = format!("{} ({}), {}", At(then), Ago(then), Ago(later));
        assert_eq!(face(None).lay(&text), "1970-01-01 02:00:07 +02:00 (11 d ago), in 5 min");
        let utc = Face { zone: TimeZone::UTC, ..face(None) };
        assert_eq!(utc.lay(&At(then).to_string()), "1970-01-01 00:00:07 UTC");
        let never = Timestamp::from_micros(i64::MAX);
        assert_eq!(utc.lay(&At(never).to_string()), never.to_string());
    }

    #[test]
    fn marks_that_make_no_sense_do_no_harm() {
        let text = format!("a\u{fdd7}b\u{fdd5}x\u{fdd7}c\u{fdd0}d\n{}", At(Timestamp::default()));
        assert_eq!(face(None).lay(&text), "abxcd\n1970-01-01 02:00:00 +02:00");
        assert_eq!(face(None).lay("a\u{fdd5}b\u{fdd6}1\u{fdd5}c\u{fdd4}d"), "ab1cd");
    }
}
