//! Marks in a text for people: what stands out, and points in time. What becomes of them is decided where the text is
//! shown, as only there it is known whether there is colour, and which time zone is local.
//!
//! They are noncharacters, which Unicode gives to programs for themselves; [`Clean`](super::Clean) escapes those of others.

use std::fmt::{self, Write};

use crate::{history::Outcome, model::Timestamp};

/// Why a part of a text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Tone {
    /// Somebody has to do something.
    Bad,
    /// Not all is as it was wanted.
    Odd,
    /// All is well.
    Good,
    /// For looking up, not for reading.
    Faint,
    /// Begins a part.
    Head,
}

/// What shows of a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Clock {
    /// Date, time and offset.
    Full,
    /// How long ago it was.
    Age,
}

const TONES: [(char, Tone); 5] = [
    ('\u{fdd0}', Tone::Bad),
    ('\u{fdd1}', Tone::Odd),
    ('\u{fdd2}', Tone::Good),
    ('\u{fdd3}', Tone::Faint),
    ('\u{fdd4}', Tone::Head),
];
const CLOCKS: [(char, Clock); 2] = [('\u{fdd5}', Clock::Full), ('\u{fdd6}', Clock::Age)];
const END: char = '\u{fdd7}';

/// What a letter is in a marked text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Mark {
    /// The text up to the next [`Mark::End`] has this tone.
    Tone(Tone),
    /// Microseconds up to the next [`Mark::End`].
    Clock(Clock),
    /// The end of either.
    End,
}

impl Mark {
    /// The mark that a letter is, if it is one.
    pub(in crate::cli) fn of(letter: char) -> Option<Self> {
        let tone = TONES.iter().find(|(mark, _)| *mark == letter).map(|(_, it)| Self::Tone(*it));
        let clock = || CLOCKS.iter().find(|(mark, _)| *mark == letter);
        tone.or_else(|| clock().map(|(_, it)| Self::Clock(*it)))
            .or_else(|| (letter == END).then_some(Self::End))
    }
}

/// A text that stands out.
pub(in crate::cli) struct Toned<T>(pub(in crate::cli) Option<Tone>, pub(in crate::cli) T);

impl<T: fmt::Display> fmt::Display for Toned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(tone) = self.0 else { return self.1.fmt(f) };
        let (open, _) = TONES.iter().find(|(_, it)| *it == tone).expect("each has a mark");
        f.write_char(*open)?;
        self.1.fmt(f)?;
        f.write_char(END)
    }
}

/// Somebody has to do something.
pub(in crate::cli) const fn bad<T>(text: T) -> Toned<T> {
    Toned(Some(Tone::Bad), text)
}

/// Not all is as it was wanted.
pub(in crate::cli) const fn odd<T>(text: T) -> Toned<T> {
    Toned(Some(Tone::Odd), text)
}

/// For looking up, not for reading.
pub(in crate::cli) const fn faint<T>(text: T) -> Toned<T> {
    Toned(Some(Tone::Faint), text)
}

/// Begins a part.
pub(in crate::cli) const fn head<T>(text: T) -> Toned<T> {
    Toned(Some(Tone::Head), text)
}

/// How a run ended.
pub(in crate::cli) const fn outcome(outcome: Outcome) -> Toned<&'static str> {
    let tone = match outcome {
        Outcome::Done => Tone::Good,
        Outcome::Failed => Tone::Bad,
        Outcome::Partial | Outcome::Interrupted | Outcome::Unfinished => Tone::Odd,
    };
    Toned(Some(tone), outcome.name())
}

/// A word for a state: most have no tone.
pub(in crate::cli) fn state<T>(word: &str, text: T) -> Toned<T> {
    let tone = match word {
        "exposed" | "rejected" => Some(Tone::Bad),
        "withheld" | "held" | "blocked" | "pending" | "drifted" => Some(Tone::Odd),
        _ => None,
    };
    Toned(tone, text)
}

/// A point in time.
pub(in crate::cli) struct At(pub(in crate::cli) Timestamp);

/// A point in time by how long ago it was.
pub(in crate::cli) struct Ago(pub(in crate::cli) Timestamp);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{END}", CLOCKS[0].0, self.0.micros())
    }
}

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{END}", CLOCKS[1].0, self.0.micros())
    }
}
