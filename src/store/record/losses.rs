//! What did not reach MISP, of one feed and one event or bucket: what recurs stands once, the values together.

use serde::{Deserialize, Serialize};

use crate::{
    history::{Ended, KnownLoss, LedgerError, Loss, MoreLosses, PlaceLosses},
    model::{Interner, RunNumber, Symbol},
    store::record::{
        EntityV1, Table, entry,
        envelope::{Body, Stored, damaged, encode},
    },
};

/// As it was before how a loss ended was kept, and what found no room counted.
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

/// As it is written now; no release wrote it yet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LossesV2<'a> {
    #[serde(borrow)]
    base: LossesV1<'a>,
    /// Rows that ended, each with a code for how.
    ended: Vec<(u32, u8)>,
    /// Those that found no room, and the run that counted them.
    more: Option<(u64, u64)>,
    forgotten: u64,
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

impl Stored for LossesV2<'_> {
    const VERSION: u8 = 2;
}

impl<'a> From<LossesV1<'a>> for LossesV2<'a> {
    fn from(base: LossesV1<'a>) -> Self {
        Self { base, ended: Vec::new(), more: None, forgotten: 0 }
    }
}

/// How losses end, by code; a new one is added at the end.
const ENDED_CODES: [Ended; 5] =
    [Ended::Mapped, Ended::Left, Ended::Linked, Ended::Unlinked, Ended::Otherwise];

fn ended_code(ended: Ended) -> u8 {
    let at = ENDED_CODES.iter().position(|known| *known == ended);
    u8::try_from(at.expect("the list holds every way")).expect("there are five")
}

/// The body of a record of losses.
pub(in super::super) fn encode_losses(losses: &PlaceLosses) -> Result<Body, LedgerError> {
    let PlaceLosses { known, more, forgotten } = losses;
    let (mut entities, mut names) = (Table::new(), Table::new());
    let rows = known.iter().map(|KnownLoss { loss, since, until, .. }| LossV1 {
        entity: entities.number(EntityV1::of(&loss.entity)),
        kind: names.number(loss.kind.as_str()),
        reason: names.number(loss.reason.as_str()),
        detail: loss.detail.as_ref().map(|detail| names.number(detail.as_str())),
        rule: loss.rule.as_ref().map(|rule| names.number(rule.as_str())),
        since: since.0,
        until: until.map(|run| run.0),
    });
    let rows = rows.collect();
    let values = known.iter().map(|known| &*known.loss.value).collect();
    let ended = (0_u32..).zip(known);
    let ended = ended.filter_map(|(row, known)| Some((row, ended_code(known.ended?)))).collect();
    encode(&LossesV2 {
        base: LossesV1 { entities: entities.values, names: names.values, rows, values },
        ended,
        more: more.map(|more| (more.count, more.run.0)),
        forgotten: *forgotten,
    })
}

/// The losses that a body holds.
pub(in super::super) fn decode_losses(body: &Body) -> Result<PlaceLosses, LedgerError> {
    let LossesV2 { base: stored, ended, more, forgotten } =
        body.decode_either::<LossesV2<'_>, LossesV1<'_>>("losses")?;
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
        Ok(KnownLoss { loss, since, until, ended: None })
    });
    let mut known: Vec<KnownLoss> = rows.collect::<Result<_, LedgerError>>()?;
    for (row, code) in ended {
        let wrong = || damaged(format!("row {row} of losses cannot end as {code}"));
        let of_row = usize::try_from(row).ok().and_then(|row| known.get_mut(row));
        let of_row = of_row.filter(|it| it.until.is_some()).ok_or_else(wrong)?;
        of_row.ended = Some(*ENDED_CODES.get(usize::from(code)).ok_or_else(wrong)?);
    }
    let more = more.map(|(count, run)| MoreLosses { count, run: RunNumber(run) });
    Ok(PlaceLosses { known, more, forgotten })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::{Fate, LOSSES_BYTES_MAX, LossOf},
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
        let left = |_: &Loss| Fate::Over(Ended::Left);
        let of = LossOf::Event(EventUuid::new(uuid::Uuid::from_u128(1)));
        let kept = of.settle(&PlaceLosses::default(), (0..9_000).map(lose), RunNumber(1), left);
        let bytes = encode_losses(&kept).unwrap().bytes.len();
        assert!((LOSSES_BYTES_MAX * 9 / 10..=LOSSES_BYTES_MAX).contains(&bytes), "{bytes}");
        assert_eq!(kept.known[0].loss, lose(0), "the first in order");
        assert_eq!(kept.known.len() as u64 + kept.unkept(), 9_000);
        // What is over goes before what is there does.
        let after = of.settle(&kept, (9_000..9_100).map(lose), RunNumber(2), left);
        assert!((kept.known.len() - 1..=kept.known.len()).contains(&after.known.len()));
        assert_eq!(after.known.iter().filter(|it| it.until.is_none()).count(), 100);
        assert_eq!(after.known.last().unwrap().loss, lose(9_099));
    }
}
