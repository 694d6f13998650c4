//! What the MISP itself is like: version, request bodies, clock.

use crate::{agent::PLAIN, plan::DestinationRecord};

use super::{Subject, finding::Finding};

/// The MISPs that our facts were measured on.
const MEASURED: [&str; 2] = ["2.5.1", "2.5.19"];
/// Clocks that differ by more than this are worth a word.
const CLOCK_SECONDS_MAX: i64 = 300;

/// Which version it is, and whether that was measured.
pub(super) fn version(subject: &Subject<'_>) -> Vec<Finding> {
    let version = &subject.record.version;
    let measured = MEASURED.join(" and ");
    vec![if version.starts_with("2.5.") {
        Finding::good("version", format!("MISP {version}; measured on {measured}"))
    } else {
        let cure = format!(
            "try a small dataset first; `show` tells what it refuses, {measured} are known"
        );
        Finding::odd("version", format!("MISP {version} was not measured"), cure)
    }]
}

/// Whether packed bodies get there.
pub(super) fn packing(subject: &Subject<'_>) -> Vec<Finding> {
    let DestinationRecord { encodings, .. } = subject.record;
    let names = || encodings.join(", ");
    vec![match subject.packed {
        _ if *encodings == [PLAIN] => {
            let what = "a compressed body is refused: bodies go as they are";
            let cure = "let what stands before MISP pass Content-Encoding on; until then it costs three times the bytes";
            Finding::odd("encodings", what, cure)
        }
        Some(true) => {
            Finding::good("encodings", format!("request bodies: {}; one was taken", names()))
        }
        _ if encodings.is_empty() => Finding::good("encodings", "request bodies: none"),
        _ => Finding::good("encodings", format!("request bodies: {}; none was tried", names())),
    }]
}

/// How its clock differs from ours.
pub(super) fn clock(subject: &Subject<'_>) -> Vec<Finding> {
    let offset = subject.record.clock_offset_seconds;
    let (size, side) = (offset.unsigned_abs(), if offset < 0 { "behind" } else { "ahead of" });
    vec![match offset {
        0 => Finding::good("clock", "MISP's and ours agree"),
        _ if offset.abs() <= CLOCK_SECONDS_MAX => {
            Finding::good("clock", format!("MISP's is {size} s {side} ours; allowed for"))
        }
        _ => {
            let cure = "set both by NTP; until then it is allowed for";
            Finding::odd("clock", format!("MISP's is {size} s {side} ours"), cure)
        }
    }]
}
