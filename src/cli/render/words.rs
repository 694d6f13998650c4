//! Small words that several renderings share.
//!
//! Titles, values and MISP's words were written by others: control characters in them are shown, never
//! sent to the terminal.

use std::fmt::{self, Write};

use crate::{
    model::is_invisible,
    plan::{AttributeTally, Effect},
};

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

/// A name in an answer for programs, as people read it: `no_misp_type` is "no MISP type".
pub(in crate::cli) fn spoken(name: &str) -> String {
    name.replace('_', " ").replace("misp", "MISP")
}

/// What there is of, with its numbers; `none` if there is nothing.
pub(in crate::cli) fn counts(all: &[(&'static str, u64)]) -> String {
    let some = all.iter().filter(|(_, count)| *count > 0);
    let texts: Vec<String> = some.map(|(word, count)| format!("{count} {word}")).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// So many seconds, in the largest unit of which there are two.
pub(in crate::cli) struct Span(pub(in crate::cli) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
        let unit = UNITS.into_iter().find(|(seconds, _)| self.0 >= 2 * seconds);
        let (seconds, unit) = unit.unwrap_or((1, "s"));
        write!(f, "{} {unit}", self.0 / seconds)
    }
}

/// A number of bytes, to three digits or so.
pub(in crate::cli) struct Bytes(pub(in crate::cli) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1_000 => return write!(f, "{} B", self.0),
            1_000..1_000_000 => (1_000, "kB"),
            1_000_000..1_000_000_000 => (1_000_000, "MB"),
            _ => (1_000_000_000, "GB"),
        };
        write!(f, "{}.{} {name}", self.0 / unit, self.0 % unit * 10 / unit)
    }
}

/// A text of others: what could steer a terminal or turn the direction of writing is escaped.
pub(in crate::cli) struct Clean<'t>(pub(in crate::cli) &'t str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            write_visibly(f, c)?;
        }
        Ok(())
    }
}

/// All that is printed for people passes through here: as [`Clean`], but its lines stay.
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
    let ends_a_line = matches!(c, '\u{2028}' | '\u{2029}');
    if c.is_control() || is_invisible(c) || ends_a_line {
        write!(f, "{}", c.escape_default())
    } else {
        f.write_char(c)
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        let shown = [0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(|it| Span(it).to_string());
        assert_eq!(shown, ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"]);
    }
}
