//! MISP's own list of an event's attributes, predicted: its ETag proves an event of any size.
//!
//! MISP 2.5.1 answers a CSV search with the SHA-1 of the body as ETag, and with 304 and no body where
//! `If-None-Match` names it. Rows stand in order of insertion; events in order of their numeric ids.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

use crate::plan::{KnownEvent, Row};

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

/// The place in MISP's order that the next attribute gets.
#[must_use]
pub fn next_order(event: &KnownEvent) -> u32 {
    let ours = event.attributes.values().filter_map(|known| known.order).max();
    let foreign = event.head.foreign.iter().map(|(order, _)| *order).max();
    ours.max(foreign).map_or(0, |last| last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_what_misp_answers() {
        let row = |last: u8, deleted| Row {
            uuid: format!("00000000-0000-4000-8000-0000000000{last:02x}").parse().unwrap(),
            deleted,
            timestamp: 1_700_000_000,
        };
        assert_eq!(
            csv(&[row(1, false), row(2, true)]),
            "\"00000000-0000-4000-8000-000000000001\",0,1700000000\n\
             \"00000000-0000-4000-8000-000000000002\",1,1700000000\n\n"
        );
        assert_eq!(etag(b""), "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"");
    }
}
