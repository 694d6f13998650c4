//! What one incident becomes, and what of it is lost.

use std::fmt::Write;

use crate::mapper::{Mapped, Tally};

use super::words::{Title, line, spoken};

/// The head of the table.
#[must_use]
pub fn head() -> String {
    format!("{:>10} {:>7} {:>6}  event\n", "attributes", "merged", "lost")
}

/// One line of the table.
#[must_use]
pub fn row(mapped: &Mapped) -> String {
    let (event, tally) = (&mapped.event, &mapped.tally);
    format!(
        "{:>10} {:>7} {:>6}  {} {}\n",
        tally.mapped,
        tally.merged,
        tally.lost_total(),
        event.uuid,
        Title(&event.fields.info)
    )
}

/// What stands under the table: the sums, and what is lost by reason.
#[must_use]
pub fn foot(total: &Tally, incidents: u64) -> String {
    let mut out = String::new();
    let Tally { occurrences, mapped, merged, .. } = total;
    let lost = total.lost_total();
    line!(
        out,
        "\n{incidents} incidents; {occurrences} occurrences = {mapped} mapped + {merged} merged + {lost} lost"
    );
    for (reason, count) in &total.lost {
        line!(out, "{count:>10} {}", spoken(reason));
    }
    out
}
