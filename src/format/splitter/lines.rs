//! Objects one a line: a line that is damaged costs only itself.

use std::io::Read;

use super::{Splitter, Visitor, cursor::Line, signs::Nature};
use crate::{
    format::{FormatError, apart::lost::Scan},
    model::Symbol,
};

/// Endings of the names of files with an object a line, and those that may follow them.
const ENDINGS: [&str; 2] = [".ndjson", ".jsonl"];
const PACKED: [&str; 2] = [".gz", ".zst"];

/// Whether a file has an object a line, by its name.
pub(super) fn are_in(file: &Symbol) -> bool {
    let name = file.as_str().to_ascii_lowercase();
    let unpacked = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    ENDINGS.iter().any(|ending| unpacked.ends_with(ending))
}

impl<R: Read, V: Visitor> Splitter<'_, R, V> {
    /// Leaves out the line that comes next, from here on, if it holds no whole object; whether it does. An object may go
    /// on behind the line, as those that are written for people do, and a package as well.
    pub(super) fn leave_damaged_line(&mut self, first: u8) -> Result<bool, FormatError> {
        let most = self.limits.object_bytes_max;
        let what = match (first, self.cursor.look_at_line()?) {
            (b'[', _) => return Ok(false),
            (b'{', _) if matches!(self.nature(), Ok(Nature::Package)) => return Ok(false),
            (_, Line::TooLong) => format!("is longer than {most} bytes"),
            (b'{', Line::Whole) => match self.nature() {
                Ok(Nature::Unknown) if self.has_sound => "says nowhere what it is".to_owned(),
                Ok(_) => return Ok(false),
                Err(FormatError::NotJson { what, .. }) => format!("is no JSON: {what}"),
                Err(error) => return Err(error),
            },
            (b'{', Line::Cut { next: None | Some(b'{') }) => {
                "breaks off in the middle of an object".to_owned()
            }
            (b'{', Line::Cut { .. }) => return Ok(false),
            _ => "holds something that is no object".to_owned(),
        };
        let line = self.cursor.line();
        let mut scan = Scan::default();
        self.cursor.pass_line(|piece| scan.see(piece))?;
        self.leave_out("", 0, scan, &format!("line {line} {what}"));
        Ok(true)
    }
}
