//! Which of all that came stands.
//!
//! The order of arrival decides, never a time inside an object:
//! - a later object of the same id and version takes the place of the earlier, whose marking holds on;
//! - a removal takes all versions of the id that came before it;
//! - an object that comes after its removal is there again;
//! - what cannot be read stands for itself until that very version comes, or a newer one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Basis,
    damage::Damage,
    log::{Entry, Log, Short, Version, What, name, version},
};
use crate::model::{Context, Digest, Encoder, Timestamp, Tlp};

/// What stands of a log.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Numbers of the objects that are there, sorted.
    pub(super) objects: Vec<u32>,
    /// Numbers of earlier copies whose markings hold on, with the number of what took their place.
    pub(super) copies: BTreeMap<u32, u32>,
    /// Ids that are gone, sorted; where the basis is whole, absence says so.
    pub(super) gone: Vec<Box<str>>,
    /// What is damaged and was not made good.
    pub(super) damaged: Vec<Damage>,
    /// Bytes of all objects that came, and of those that stand or hold on.
    pub(super) bytes: u64,
    pub(super) bytes_standing: u64,
    /// By what each object is known, with all that holds of it.
    digests: Vec<Digest>,
}

/// An object of a group of one id.
#[derive(Clone, Copy)]
struct Arrival {
    version: Version,
    number: u32,
    content: Short,
    marking: Short,
    bytes: u32,
}

/// What marks a copy: its own markings, and that of its document.
type Said = (Short, Option<Tlp>);

/// Weighs all that came. The log's entries are in another order afterwards.
pub(super) fn weigh(log: &mut Log, basis: Basis) -> Standing {
    let mut entries = std::mem::take(&mut log.entries);
    entries.sort_unstable_by_key(|entry| (entry.name, entry.number));
    let mut standing = Standing::default();
    for same in entries.chunk_by(|one, next| one.name == next.name) {
        standing.weigh(same, log);
    }
    standing.objects.sort_unstable();
    standing.digests.sort_unstable();
    standing.damaged = damaged(log, &entries);
    if basis == Basis::Partial {
        standing.gone = gone(log, &entries, &standing.damaged);
    }
    log.entries = entries;
    standing
}

impl Standing {
    /// All that came of one id, in order of arrival.
    fn weigh(&mut self, same: &[Entry], log: &Log) {
        let mut arrivals: Vec<Arrival> = Vec::with_capacity(same.len());
        for entry in same {
            match entry.what {
                What::Removal => arrivals.clear(),
                What::Object { version, content, marking, bytes } => {
                    self.bytes += u64::from(bytes);
                    let number = entry.number;
                    arrivals.push(Arrival { version, number, content, marking, bytes });
                }
            }
        }
        arrivals.sort_by_key(|arrival| arrival.version);
        for copies in arrivals.chunk_by(|one, next| one.version == next.version) {
            self.version(same[0].name, copies, log);
        }
    }

    /// All that came of one version, in order of arrival.
    fn version(&mut self, id: Short, copies: &[Arrival], log: &Log) {
        let said = |copy: &Arrival| -> Said { (copy.marking, log.marked(copy.number)) };
        let (last, earlier) = copies.split_last().expect("a version has an object");
        let mut all: BTreeSet<Said> = BTreeSet::from([said(last)]);
        for copy in earlier.iter().rev() {
            if all.insert(said(copy)) {
                self.copies.insert(copy.number, last.number);
                self.bytes_standing += u64::from(copy.bytes);
            }
        }
        self.objects.push(last.number);
        self.bytes_standing += u64::from(last.bytes);
        self.digests.push(digest(id, last, &said(last), &all));
    }

    /// A digest of all that stands: equal for equal content, whatever came when and in which document. It can be
    /// taken once.
    pub(super) fn take_digest(&mut self, basis: Basis, is_behind: bool) -> Digest {
        let digests = std::mem::take(&mut self.digests);
        let mut encoder = Encoder::new(Context::Dataset);
        encoder.flag(basis == Basis::Whole).flag(is_behind);
        encoder.list(digests.iter(), |encoder, digest| {
            encoder.digest(digest);
        });
        encoder.list(self.gone.iter(), |encoder, id| {
            encoder.text(id);
        });
        encoder.list(self.damaged.iter(), |encoder, damage| {
            let Damage { text, document, pointer, list, id, version, what } = damage;
            encoder.text(text).text(document).text(pointer).text(list).text(what.text());
            encoder.option(id.as_deref(), |encoder, id| {
                encoder.text(id);
            });
            encoder.option(*version, |encoder, version| {
                encoder.i64(version.micros());
            });
        });
        encoder.finish()
    }
}

fn digest(id: Short, last: &Arrival, own: &Said, all: &BTreeSet<Said>) -> Digest {
    let said = |encoder: &mut Encoder, (marking, marked): &Said| {
        encoder.raw(marking).option(*marked, |encoder, tlp| {
            encoder.text(tlp.name());
        });
    };
    let (time, is_second) = last.version;
    let mut encoder = Encoder::new(Context::Copy);
    encoder.raw(&id).flag(is_second).option(time, |encoder, time| {
        encoder.i64(time);
    });
    encoder.raw(&last.content);
    said(&mut encoder, own);
    encoder.list(all.iter(), said);
    encoder.finish()
}

/// Everything of one id, in order of arrival, of entries that are sorted so.
fn of_id(entries: &[Entry], id: Short) -> &[Entry] {
    let begin = entries.partition_point(|entry| entry.name < id);
    let count = entries[begin..].partition_point(|entry| entry.name == id);
    &entries[begin..begin + count]
}

/// The ids whose removal was the last that was heard of them. What came since and cannot be read was heard of, too.
fn gone(log: &Log, entries: &[Entry], damaged: &[Damage]) -> Vec<Box<str>> {
    let damaged: BTreeSet<&str> = damaged.iter().filter_map(|it| it.id.as_deref()).collect();
    let is_gone = |id: &str| {
        let last = of_id(entries, name(id)).last();
        last.is_some_and(|last| matches!(last.what, What::Removal)) && !damaged.contains(id)
    };
    let gone = log.removals.iter().map(|(_, id)| id).filter(|id| is_gone(id));
    gone.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// What is damaged and was not made good since, sorted.
fn damaged(log: &Log, entries: &[Entry]) -> Vec<Damage> {
    let texts = log.damages.iter().map(|(_, damage)| name(&damage.text)).collect();
    let readings = log.last_readings(&texts);
    let is_read_again =
        |number: u32, text: &str| readings.get(&name(text)).is_some_and(|last| *last > number);
    let is_mended = |number: u32, damage: &Damage| match &damage.id {
        Some(id) => {
            let since = of_id(entries, name(id)).iter().filter(|entry| entry.number > number);
            since.into_iter().any(|entry| makes_good(&entry.what, damage))
                || damage.version.is_none() && is_read_again(number, &damage.text)
        }
        None => is_read_again(number, &damage.text),
    };
    let standing = log.damages.iter().filter(|(number, damage)| !is_mended(*number, damage));
    // Of one that was found again and again the last finding counts.
    let by_place = standing.map(|(_, damage)| (place(damage), damage));
    let mut damaged: Vec<Damage> =
        by_place.collect::<BTreeMap<_, _>>().into_values().cloned().collect();
    damaged.sort_unstable();
    damaged
}

/// Whether something of the id of what is damaged, which came after it, stands in its place: that version of it, or a
/// newer one in the same form, or the word that all versions are gone. Without a version only one without is that one.
fn makes_good(come: &What, damage: &Damage) -> bool {
    let What::Object { version: come, .. } = *come else { return true };
    let (time, is_second) = version(damage.version.map(Timestamp::micros), &damage.list);
    come.1 == is_second && if time.is_none() { come.0.is_none() } else { come.0 >= time }
}

/// What makes something that is damaged the same as something that was found before: its id and version, else where it
/// stood.
fn place(damage: &Damage) -> impl Ord + '_ {
    let Damage { text, document, pointer, list, id, version, .. } = damage;
    let stood = (id.is_none() || version.is_none()).then_some((text, document));
    let pointer = id.is_none().then_some(pointer);
    (id, version, list, stood, pointer)
}
