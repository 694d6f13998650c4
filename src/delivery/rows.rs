//! MISP's own list of an event's attributes, predicted: its ETag proves an event of any size.
//!
//! MISP 2.5.1 answers a CSV search with the SHA-1 of the body as ETag, and with 304 and no body where
//! `If-None-Match` names it. Rows stand in order of insertion; events in order of their numeric ids.

use std::{collections::BTreeMap, fmt::Write as _};

use sha1::{Digest as _, Sha1};

use crate::{
    model::{AttributeUuid, Tlp},
    plan::{DestinationRecord, KnownEvent, Row},
};

use super::TaggedRow;

/// Most attributes of an event whose tags are asked for at once: with more, MISP may run out of memory, and their
/// own colours are shown by attributes/add.
const TAGGED_ROWS_MAX: usize = 10_000;

/// The body MISP answers with when it holds exactly these rows.
#[must_use]
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::with_capacity(rows.len() * 52 + 1);
    for row in rows {
        let deleted = u8::from(row.deleted);
        writeln!(text, "\"{}\",{deleted},{}", row.uuid, row.timestamp)
            .expect("writing to a String never fails");
    }
    text.push('\n');
    text
}

/// The body MISP answers with when it holds exactly these rows with these tags.
#[must_use]
pub fn tagged_csv(rows: &[TaggedRow]) -> String {
    let mut text = String::with_capacity(rows.len() * 60 + 1);
    for TaggedRow { row, tags } in rows {
        let (deleted, tags) = (u8::from(row.deleted), tags.replace('"', "\"\""));
        writeln!(text, "\"{}\",{deleted},{},\"{tags}\"", row.uuid, row.timestamp)
            .expect("writing to a String never fails");
    }
    text.push('\n');
    text
}

/// The entity tag of a body, in its quotes.
#[must_use]
pub fn etag(body: &[u8]) -> String {
    let mut text = String::with_capacity(42);
    text.push('"');
    for byte in Sha1::digest(body) {
        write!(text, "{byte:02x}").expect("writing to a String never fails");
    }
    text.push('"');
    text
}

/// The rows that MISP should list for an event, in its order.
#[must_use]
pub fn expected(event: &KnownEvent) -> Vec<Row> {
    let mut rows: Vec<(u32, Row)> = event.head.foreign.clone();
    for known in event.attributes.values() {
        if let (Some(order), Some(timestamp)) = (known.order, known.timestamp) {
            let deleted = known.standing == crate::plan::Standing::Declined;
            rows.push((order, Row { uuid: known.attribute.uuid, deleted, timestamp }));
        }
    }
    rows.sort_by_key(|(order, _)| *order);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The time up to which all rows of an event are known as MISP has them. Of what was sent since only the echo is known.
#[must_use]
pub fn known_up_to(event: &KnownEvent) -> Option<i64> {
    let newest = expected(event).iter().map(|row| row.timestamp).max();
    match event.head.seen.proven_up_to {
        Some(proven) => newest.map(|newest| newest.min(proven)),
        None => newest,
    }
}

/// The same with the tags of each attribute, as MISP spells them. Those of others are not known. A colour that was sent
/// is always expected: without it the attribute is not proven, whatever was learned of that colour since.
#[must_use]
pub fn expected_with_tags(event: &KnownEvent, book: &DestinationRecord) -> Vec<TaggedRow> {
    let cells = cells(event, book);
    let tagged =
        |row: Row| TaggedRow { row, tags: cells.get(&row.uuid).cloned().unwrap_or_default() };
    expected(event).into_iter().map(tagged).collect()
}

/// The tags of each attribute as MISP's list has them, by the attribute's UUID in MISP.
#[must_use]
pub fn cells(event: &KnownEvent, book: &DestinationRecord) -> BTreeMap<AttributeUuid, Box<str>> {
    let is_foreseen = |tag: &str| book.cannot_carry(tag).is_none() || Tlp::of_tag(tag).is_some();
    let known = event.attributes.values().map(|known| &known.attribute);
    known
        .filter(|attribute| !attribute.tags.is_empty())
        .map(|attribute| {
            let names: Vec<&str> = attribute
                .tags
                .iter()
                .filter(|tag| is_foreseen(tag))
                .map(|tag| book.spelling(tag))
                .collect();
            (attribute.uuid, names.join(",").into())
        })
        .collect()
}

/// Whether it can be foreseen which tags MISP shows on the attributes: nobody else was at them. A tag that somebody
/// attaches moves the attribute's timestamp.
#[must_use]
pub fn foresees_tags(event: &KnownEvent, misp_reorders: bool) -> bool {
    event.attributes.len() <= TAGGED_ROWS_MAX
        && event.head.foreign.is_empty()
        && !event.head.seen.goes_by_time(misp_reorders)
        && !event.attributes.values().any(|known| known.overruled)
}

/// What holds a row.
pub trait AsRow {
    /// The row.
    fn as_row(&self) -> &Row;
}

impl AsRow for Row {
    fn as_row(&self) -> &Row {
        self
    }
}

impl AsRow for TaggedRow {
    fn as_row(&self) -> &Row {
        &self.row
    }
}

/// Which of several events, in MISP's order, stand in a list of all their rows exactly as expected, with nothing
/// of others behind. An event of which nothing is expected cannot be told from its neighbours.
#[must_use]
pub fn intact<R: AsRow + PartialEq>(expected: &[Vec<R>], found: &[R]) -> Vec<bool> {
    let place = |row: &R| found.iter().position(|there| there.as_row().uuid == row.as_row().uuid);
    let starts: Vec<Option<usize>> =
        expected.iter().map(|rows| rows.first().and_then(place)).collect();
    let is_intact = |(number, rows): (usize, &Vec<R>)| {
        let Some(start) = starts[number] else { return false };
        let end = start + rows.len();
        let next = starts[number + 1..].iter().flatten().min().copied();
        let is_first = expected[..number].iter().all(Vec::is_empty);
        found.get(start..end) == Some(&**rows)
            && next.unwrap_or(found.len()) == end
            && (!is_first || start == 0)
            && expected.get(number + 1).is_none_or(|next| !next.is_empty())
    };
    expected.iter().enumerate().map(is_intact).collect()
}

/// Whether MISP should list anything of the event.
#[must_use]
pub fn lists_any(event: &KnownEvent) -> bool {
    !event.head.foreign.is_empty() || event.attributes.values().any(|known| known.order.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(last: u8, deleted: bool) -> Row {
        Row {
            uuid: format!("00000000-0000-4000-8000-0000000000{last:02x}").parse().unwrap(),
            deleted,
            timestamp: 1_700_000_000,
        }
    }

    #[test]
    fn events_that_are_as_expected_are_told_from_the_one_that_is_not() {
        let rows = |range: std::ops::Range<u8>| range.map(|n| row(n, false)).collect::<Vec<_>>();
        let expected = [rows(0..3), rows(3..6), rows(6..9)];
        let told = |found: &[Row]| intact(&expected, found);
        let all = rows(0..9);
        assert_eq!(told(&all), [true; 3]);
        // One is missing, changed, or somebody's comes behind.
        for change in 0..3 {
            let mut found = all.clone();
            match change {
                0 => found.retain(|there| there.uuid != row(4, false).uuid),
                1 => found[4].deleted = true,
                _ => found.insert(6, row(99, false)),
            }
            assert_eq!(told(&found), [true, false, true], "{change}");
        }
        // Whose a row is cannot be told where the next event is not seen.
        assert_eq!(told(&all[..6]), [true, true, false]);
        let mut found = all.clone();
        found.retain(|there| there.uuid != row(3, false).uuid);
        assert_eq!(told(&found), [false, false, true]);
        found.clone_from(&all);
        found.insert(0, row(99, false));
        assert_eq!(told(&found), [false, true, true]);
        assert_eq!(told(&[]), [false; 3]);
    }

    #[test]
    fn the_body_is_what_misp_answers() {
        assert_eq!(
            csv(&[row(1, false), row(2, true)]),
            "\"00000000-0000-4000-8000-000000000001\",0,1700000000\n\
             \"00000000-0000-4000-8000-000000000002\",1,1700000000\n\n"
        );
        assert_eq!(etag(b""), "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"");
    }
}
