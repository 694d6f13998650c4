//! What did not reach MISP, of one feed and one event or bucket: what recurs stands once, the values together.

use serde::{Deserialize, Serialize};

use crate::{
    history::{KnownLoss, LedgerError, Loss},
    model::{Interner, RunNumber, Symbol},
    store::record::{
        EntityV1, Table, entry,
        envelope::{Body, Stored, encode},
    },
};

/// No release wrote it yet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LossesV1<'a> {
    #[serde(borrow)]
    entities: Vec<EntityV1<'a>>,
    /// Kinds, reasons, details, rules.
    names: Vec<&'a str>,
    rows: Vec<LossV1>,
    /// The value of each row.
    values: Vec<&'a str>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LossV1 {
    entity: u32,
    kind: u32,
    reason: u32,
    detail: Option<u32>,
    rule: Option<u32>,
    since: u64,
    until: Option<u64>,
}

impl Stored for LossesV1<'_> {}

/// The body of a record of losses.
pub(in super::super) fn encode_losses(losses: &[KnownLoss]) -> Result<Body, LedgerError> {
    let (mut entities, mut names) = (Table::new(), Table::new());
    let rows = losses.iter().map(|KnownLoss { loss, since, until }| LossV1 {
        entity: entities.number(EntityV1::of(&loss.entity)),
        kind: names.number(loss.kind.as_str()),
        reason: names.number(loss.reason.as_str()),
        detail: loss.detail.as_ref().map(|detail| names.number(detail.as_str())),
        rule: loss.rule.as_ref().map(|rule| names.number(rule.as_str())),
        since: since.0,
        until: until.map(|run| run.0),
    });
    let rows = rows.collect();
    let values = losses.iter().map(|known| &*known.loss.value).collect();
    encode(&LossesV1 { entities: entities.values, names: names.values, rows, values })
}

/// The losses that a body holds.
pub(in super::super) fn decode_losses(body: &Body) -> Result<Vec<KnownLoss>, LedgerError> {
    let stored: LossesV1<'_> = body.decode("losses")?;
    let entities: Vec<_> = stored.entities.iter().map(EntityV1::key).collect();
    let mut interner = Interner::default();
    let names: Vec<Symbol> = stored.names.iter().map(|name| interner.symbol(name)).collect();
    let name = |number| entry(&names, number).cloned();
    let rows = stored.rows.iter().enumerate().map(|(place, row)| {
        let value = u32::try_from(place).expect("a record holds far fewer values");
        let loss = Loss {
            entity: entry(&entities, row.entity)?.clone(),
            kind: name(row.kind)?,
            value: (*entry(&stored.values, value)?).into(),
            reason: name(row.reason)?,
            detail: row.detail.map(name).transpose()?,
            rule: row.rule.map(name).transpose()?,
        };
        let (since, until) = (RunNumber(row.since), row.until.map(RunNumber));
        Ok(KnownLoss { loss, since, until })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::{LOSSES_BYTES_MAX, LossOf},
        model::{EntityKey, EventUuid},
    };

    /// The longest texts that are kept, of four bytes a letter, as values and as what MISP says of them.
    #[test]
    fn what_a_place_keeps_can_be_stored_whatever_the_texts() {
        let lose = |number: usize| {
            let value = format!("{number:06}{}", "\u{1f980}".repeat(994));
            Loss {
                entity: EntityKey::of("a"),
                kind: Symbol::new("snort"),
                detail: Some(Symbol::new(&value)),
                value: value.into(),
                reason: Symbol::new("refused_by_misp"),
                rule: None,
            }
        };
        let of = LossOf::Event(EventUuid::new(uuid::Uuid::from_u128(1)));
        let kept = of.settle(&[], (0..9_000).map(lose), RunNumber(1), |_| true);
        let bytes = encode_losses(&kept).unwrap().bytes.len();
        assert!((LOSSES_BYTES_MAX * 9 / 10..=LOSSES_BYTES_MAX).contains(&bytes), "{bytes}");
        assert_eq!(kept[0].loss, lose(0), "the first in order");
        // What is over goes before what is there does.
        let after = of.settle(&kept, (9_000..9_100).map(lose), RunNumber(2), |_| true);
        assert!((kept.len() - 1..=kept.len()).contains(&after.len()));
        assert_eq!(after.iter().filter(|it| it.until.is_none()).count(), 100);
        assert_eq!(after.last().unwrap().loss, lose(9_099));
    }
}
