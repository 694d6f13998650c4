//! Small words that several renderings share.
//!
//! Titles, values and MISP's words were written by others: control characters in them are shown, never
//! sent to the terminal.

use std::fmt::{self, Write};

use super::marks::{Mark, state};
use crate::{
    model::{Count, steers},
    plan::{AttributeTally, Effect},
};

pub(in crate::cli) use crate::model::{Bytes, Span, spoken};

/// Writes to a text, which never fails.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($arg:tt)*) => {{
        let written = writeln!($out, $($arg)*);
        debug_assert!(written.is_ok(), "a text takes everything");
    }};
}
pub(in crate::cli) use line;

/// Attributes by result, and the transitions after them; all that were planned is no result.
pub(super) fn attribute_counts(tally: &AttributeTally) -> Vec<(&'static str, u64)> {
    tally.named().into_iter().filter(|(name, _)| *name != "planned").collect()
}

/// `+` MISP gained it, `=` it was there, `~` it is another thing now, `!` it is not as it should be,
/// `.` nothing was sent.
pub(super) const fn sign(effect: Effect) -> char {
    match effect {
        Effect::Gained => '+',
        Effect::There => '=',
        Effect::Other => '~',
        Effect::Wrong => '!',
        Effect::Nothing => '.',
    }
}

/// How many more of something there are, and what shows them; nothing where there are none.
pub(super) fn more(out: &mut String, hidden: usize, what: &str, whole: &str) {
    if hidden > 0 {
        let count = Count(hidden as u64);
        line!(out, "  … {count} more {what}: `{}`", Clean(whole));
    }
}

/// What there is of, with its numbers; `none` if there is nothing.
pub(in crate::cli) fn counts(all: &[(&'static str, u64)]) -> String {
    let some = all.iter().filter(|(_, count)| *count > 0);
    let texts: Vec<String> = some.map(|(word, count)| format!("{count} {word}")).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// The same, with what needs a look marked.
pub(super) fn states(all: &[(&'static str, u64)]) -> String {
    let some = all.iter().filter(|(_, count)| *count > 0);
    let texts: Vec<String> =
        some.map(|(word, count)| state(word, format_args!("{count} {word}")).to_string()).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// A text of others: what could steer a terminal, turn the direction of writing, or pass for a mark of ours is escaped.
pub(in crate::cli) struct Clean<'t>(pub(in crate::cli) &'t str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match Mark::of(c) {
            Some(_) => write!(f, "{}", c.escape_default()),
            None => write_visibly(f, c),
        })
    }
}

/// Most characters of a title that are shown.
const TITLE_CHARS_MAX: usize = 200;

/// A title, or its beginning where it is very long: the whole stands in JSON.
pub(in crate::cli) struct Title<'t>(pub(in crate::cli) &'t str);

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(TITLE_CHARS_MAX) {
            Some((end, _)) => write!(f, "{}…", Clean(&self.0[..end])),
            None => Clean(self.0).fmt(f),
        }
    }
}

/// A text of others with lines of its own: as [`Clean`], but those stay.
pub(in crate::cli) struct CleanLines<T>(pub(in crate::cli) T);

impl<T: fmt::Display> fmt::Display for CleanLines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        for (place, line) in text.split('\n').enumerate() {
            if place > 0 {
                f.write_char('\n')?;
            }
            Clean(line).fmt(f)?;
        }
        Ok(())
    }
}

/// All that is printed for people passes through here: as [`Clean`], but its lines and marks stay.
pub(in crate::cli) struct Lines<T>(pub(in crate::cli) T);

impl<T: fmt::Display> fmt::Display for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Visibly(f), "{}", self.0)
    }
}

struct Visibly<'w, 'f>(&'w mut fmt::Formatter<'f>);

impl fmt::Write for Visibly<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '\n' => self.0.write_char(c),
            _ => write_visibly(self.0, c),
        })
    }
}

fn write_visibly(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    if steers(c) { write!(f, "{}", c.escape_default()) } else { f.write_char(c) }
}

#[cfg(test)]
mod tests {
    use super::{TITLE_CHARS_MAX, Title};

    #[test]
    fn a_title_without_end_is_shown_shortened() {
        for count in [0, 1, TITLE_CHARS_MAX] {
            assert_eq!(Title(&"ü".repeat(count)).to_string(), "ü".repeat(count));
        }
        let shown = Title(&"ü".repeat(60_000)).to_string();
        assert_eq!(shown, format!("{}…", "ü".repeat(TITLE_CHARS_MAX)));
    }
}
