//! What the MISP itself is like: version, request bodies, clock.

use crate::{
    agent::PLAIN,
    cli::{
        verbs::doctor::{Subject, finding::Finding},
        version::MEASURED,
    },
    delivery::{RefusedWhy, Reply},
    plan::DestinationRecord,
};

/// What is not known of other versions, and found out as they answer.
const UNKNOWN: &str =
    "in which order it lists rows, when workers publish, and which values it takes";
/// Rows that are asked for to see whether a limit cuts them.
pub(crate) const ROWS_TRIED: u64 = 100;
/// Clocks that differ by more than this are worth a word.
const CLOCK_SECONDS_MAX: i64 = 300;

/// Which version it is, and whether that was measured.
pub(crate) fn version(subject: &Subject<'_>) -> Vec<Finding> {
    let version = &subject.record.version;
    let measured = MEASURED.join(" and ");
    let what = if MEASURED.contains(&version.as_str()) {
        format!("MISP {version}, which was measured")
    } else {
        format!("MISP {version}; measured were {measured}. Of this one it is not known {UNKNOWN}")
    };
    vec![Finding::good("version", what)]
}

/// Whether a limit of the server cuts searches.
pub(crate) fn limit(subject: &Subject<'_>) -> Vec<Finding> {
    const CHECK: &str = "limit";
    vec![match subject.rows {
        Some(Reply::Refused { why: RefusedWhy::Invalid, words }) => {
            let cure = "nothing is missed by it, but questions are asked one by one; raise it for the key's role";
            Finding::odd(CHECK, words.to_string(), cure)
        }
        Some(Reply::Count(rows)) if *rows < ROWS_TRIED => {
            let what =
                format!("none that {rows} rows would show, and MISP shows no more to this key");
            Finding::good(CHECK, what)
        }
        Some(Reply::Count(rows)) => {
            Finding::good(CHECK, format!("none on searches of up to {rows} rows"))
        }
        _ => Finding::good(CHECK, "it could not be tried whether MISP limits searches"),
    }]
}

/// Whether packed bodies get there.
pub(crate) fn packing(subject: &Subject<'_>) -> Vec<Finding> {
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
pub(crate) fn clock(subject: &Subject<'_>) -> Vec<Finding> {
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
