//! MISP's CSV: texts in quotes with inner quotes doubled, numbers bare, one empty line at the end.

use crate::remote::json::NotMisp;

/// The cells of one row.
pub(crate) type CsvRow = Vec<String>;

/// Reads all rows, each with exactly `width` cells.
///
/// # Errors
/// If the text is cut off, or is no CSV of that width.
pub(crate) fn rows(text: &str, width: usize) -> Result<Vec<CsvRow>, NotMisp> {
    let mut rows = Vec::new();
    let mut rest = text;
    // Only the empty line tells the end from a cut between two rows.
    while rest != "\n" {
        if rest.is_empty() {
            return Err(NotMisp::cut("the CSV does not end with an empty line: it was cut off"));
        }
        let (row, after) = row(rest)?;
        if row.len() != width {
            return Err(NotMisp::new(format!("a CSV row has {} cells, not {width}", row.len())));
        }
        rows.push(row);
        rest = after;
    }
    Ok(rows)
}

fn row(text: &str) -> Result<(CsvRow, &str), NotMisp> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = cell(rest)?;
        cells.push(cell);
        match after.as_bytes().first() {
            Some(b',') => rest = &after[1..],
            Some(b'\n') => return Ok((cells, &after[1..])),
            _ => return Err(NotMisp::new("a CSV cell is followed by neither comma nor line end")),
        }
    }
}

fn cell(text: &str) -> Result<(String, &str), NotMisp> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut cell = String::new();
    loop {
        let Some(end) = rest.find('"') else {
            return Err(NotMisp::cut("a quoted CSV cell does not end: it was cut off"));
        };
        cell.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                cell.push('"');
                rest = after;
            }
            None => return Ok((cell, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_line_ends_inside_cells() {
        let text = "\"a\",0,1700000000\n\"say \"\"x\"\", or\ny\",1,2\n\n";
        let rows = rows(text, 3).unwrap();
        assert_eq!(rows[0], ["a", "0", "1700000000"]);
        assert_eq!(rows[1], ["say \"x\", or\ny", "1", "2"]);
    }

    #[test]
    fn nothing_at_all_is_an_empty_line() {
        assert_eq!(rows("\n", 3), Ok(Vec::new()));
    }

    #[test]
    fn what_was_cut_off_is_no_answer() {
        let whole = "\"a\",0,17\n\"say \"\"b\"\"\",1,18\n\n";
        assert!(rows(whole, 3).is_ok());
        for end in 0..whole.len() {
            assert!(rows(&whole[..end], 3).is_err(), "{:?}", &whole[..end]);
        }
        for text in ["\"a\",0\n\n", "\"a\"x\n\n", "\n\n"] {
            assert!(rows(text, 3).is_err(), "{text:?}");
        }
    }
}
