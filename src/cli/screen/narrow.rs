//! A terminal for bars that is a little narrower than it is.

use std::io::{self, Write};

use indicatif::TermLike;

use super::Stream;

/// What a terminal echoes when somebody types Ctrl-C twice: behind a bar that ends at the edge it would begin a line, and
/// the bar would stay where it is.
const ECHO: usize = "^C^C".len();

/// Standard error.
#[derive(Debug)]
pub(super) struct Narrow;

/// Moves the cursor so far into the direction of this letter.
fn turn(count: usize, letter: char) -> io::Result<()> {
    if count == 0 { Ok(()) } else { write!(io::stderr(), "\x1b[{count}{letter}") }
}

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        let columns = Stream::Talk.columns().map_or(0, |columns| columns.saturating_sub(ECHO));
        u16::try_from(columns).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        turn(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        turn(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        turn(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        turn(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        writeln!(io::stderr(), "{text}")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        write!(io::stderr(), "{text}")
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
}
