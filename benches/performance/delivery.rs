//! A first delivery of many attributes on a fast link: what packing costs, and what it saves.

use crate::{
    dataset::{Size, eclecticiq},
    section::{Claim, Section, Table},
    trickle::Trickle,
};

/// Processor seconds that 100,000 attributes took while every body was packed as small as can be.
const ALWAYS_BEST: f64 = 29.7;

pub(crate) fn measure(measures: bool) -> Section {
    let mut section = Section::new(
        "delivery",
        "A first delivery of 100,000 attributes",
        &[
            "Of a mixture of hashes, domains, URLs, addresses and names of files, in 400 events, to a sandbox at the other end of \
             a fast link. Processor time of the program as a process of its own; bytes of both directions, counted by a proxy, \
             headers and proofs included.",
        ],
    );
    let size = Size { incidents: if measures { 400 } else { 4 }, observables: 250 };
    let dataset = eclecticiq(size);
    let delivered = |compression| Trickle::start(compression).sync(&dataset);
    let mut table = Table {
        caption: format!("{} attributes", size.attributes()),
        columns: ["compression", "s", "MB", "bytes up", "bytes back", "bytes each"]
            .map(str::to_owned)
            .to_vec(),
        rows: Vec::new(),
    };
    let [auto, smallest] = ["auto", "smallest"].map(|compression| {
        let (passed, spent) = delivered(compression);
        let each = passed.bytes() as f64 / size.attributes() as f64;
        table.rows.push(vec![
            compression.to_owned(),
            format!("{:.2}", spent.seconds),
            format!("{:.0}", spent.megabytes),
            passed.up.to_string(),
            passed.down.to_string(),
            format!("{each:.1}"),
        ]);
        (spent.seconds, each)
    });
    section.tables.push(table);
    section.claims.push(Claim {
        what: "processor time of a delivery with `auto`, in parts of what it took when it began"
            .to_owned(),
        measured: auto.0 / ALWAYS_BEST,
        most: 1.0 / 3.0,
        goal: None,
        limit: format!("every body as small as can be, {ALWAYS_BEST} s: 1"),
    });
    section.claims.push(Claim {
        what: "bytes of a delivery with `auto`, in times of `smallest`".to_owned(),
        measured: auto.1 / smallest.1,
        most: 1.15,
        goal: None,
        limit: "every body as small as can be: 1".to_owned(),
    });
    section
}
