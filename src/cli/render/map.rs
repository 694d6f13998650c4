//! What one incident becomes, and what of it is lost.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    mapper::{Loss, Mapped, Tally},
    misp::Attribute,
    model::Tlp,
};

use super::words::{Clean, line, spoken};

/// `misp-trickle/map/2`: the event in MISP's own JSON, before any policy, with its losses.
#[must_use]
pub fn json(mapped: &Mapped) -> Value {
    let event = &mapped.event;
    let attributes = event.attributes.iter().map(|each| attribute(&each.attribute));
    json!({
        "schema": "misp-trickle/map/2",
        "incident": event.root.as_str(),
        "tlp": event.marking.tlp.map(Tlp::name),
        "create": event.create,
        "event": {
            "uuid": event.uuid.to_string(),
            "info": event.fields.info,
            "date": event.fields.date,
            "analysis": event.fields.analysis,
            "Tag": tags(&event.fields.tags),
            "Attribute": attributes.collect::<Vec<_>>(),
        },
        "losses": mapped.losses.iter().map(loss).collect::<Vec<_>>(),
        "tally": tally(&mapped.tally),
    })
}

/// An attribute in MISP's own JSON.
#[must_use]
pub fn attribute(it: &Attribute) -> Value {
    json!({
        "uuid": it.uuid.to_string(),
        "type": it.kind.name(),
        "category": it.category.name(),
        "value": it.value.as_str(),
        "to_ids": it.to_ids,
        "comment": it.comment,
        "first_seen": it.first_seen.map(|time| time.to_string()),
        "last_seen": it.last_seen.map(|time| time.to_string()),
        "Tag": tags(&it.tags),
    })
}

fn tags(names: &[Box<str>]) -> Vec<Value> {
    names.iter().map(|name| json!({ "name": name })).collect()
}

fn loss(loss: &Loss) -> Value {
    json!({
        "entity": loss.entity.as_str(),
        "kind": loss.kind.as_str(),
        "value": loss.value,
        "reason": loss.reason.name(),
        "detail": loss.reason.to_string(),
    })
}

fn tally(tally: &Tally) -> Value {
    json!({
        "occurrences": tally.occurrences,
        "mapped": tally.mapped,
        "merged": tally.merged,
        "lost": tally.lost,
    })
}

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
        Clean(&event.fields.info)
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
