//! A platform that is pulled: what it holds, how that changes, and what goes wrong on the way to a mirror.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    format::Format,
    mirror::{Bookmark, MirrorError, Pack, PackWriter, Pulled, Source, SourceIdentity},
    model::Tlp,
};

use crate::{dice::Dice, sabotage::Sabotage};

/// Incidents of all platforms; each is a page.
const INCIDENTS: u8 = 3;
const VALUES: u8 = 5;
const COLOURS: [Tlp; 3] = [Tlp::Green, Tlp::Amber, Tlp::Red];

/// What a platform tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All that it has, each time.
    Replace,
    /// All at first, then changes and removals.
    Delta,
    /// What is new, and no word of what is gone.
    Append,
}

/// An object: an incident, or with a number one of its values.
pub(super) type Key = (u8, Option<u8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    text: u64,
    tlp: Tlp,
    changed: u64,
}

type State = BTreeMap<Key, Held>;

/// One platform and the feed that it gives.
#[derive(Debug)]
pub(super) struct Platform {
    name: &'static str,
    pub(super) mode: Mode,
    pub(super) held: State,
    removed: BTreeMap<Key, u64>,
    /// Counts changes, and is the time of each.
    seq: u64,
    /// How often it came back as it once was: bookmarks of before mean nothing to it.
    epoch: u64,
    /// How often the feed was made anew: another identity.
    made: u64,
    past: Vec<State>,
    /// All that it ever held, and what of that it lacked at some time since.
    pub(super) ever: BTreeSet<Key>,
    pub(super) lacked: BTreeSet<Key>,
}

impl Platform {
    pub(super) fn new(name: &'static str, mode: Mode, dice: &mut Dice) -> Self {
        let mut platform = Self {
            name,
            mode,
            held: State::new(),
            removed: BTreeMap::new(),
            seq: 0,
            epoch: 0,
            made: 0,
            past: Vec::new(),
            ever: BTreeSet::new(),
            lacked: BTreeSet::new(),
        };
        (0..6).for_each(|_| platform.edit(dice));
        platform
    }

    pub(super) fn identity(&self) -> SourceIdentity {
        let of = SourceIdentity::new("simulated").with("feed", self.name);
        of.with("created_at", &self.made.to_string())
    }

    pub(super) fn configured(&self) -> SourceIdentity {
        SourceIdentity::new("simulated").with("feed", self.name)
    }

    pub(super) fn edit(&mut self, dice: &mut Dice) {
        let incident = dice.below(INCIDENTS.into()) as u8;
        self.seq += 1;
        if dice.chance(20) {
            let of_it = self.held.keys().filter(|key| key.0 == incident).copied();
            let of_it: Vec<Key> = of_it.collect();
            let whole = dice.chance(30);
            let gone = match whole {
                true => of_it,
                false => {
                    dice.pick(&of_it).filter(|key| key.1.is_some()).copied().into_iter().collect()
                }
            };
            for key in gone {
                self.held.remove(&key);
                self.removed.insert(key, self.seq);
            }
        } else {
            let value = dice.chance(75).then(|| dice.below(VALUES.into()) as u8);
            for key in [(incident, None), (incident, value)] {
                let is_there = self.held.contains_key(&key);
                if is_there && key.1 != value {
                    continue;
                }
                let tlp = COLOURS[[0, 0, 1, 1, 2][dice.below(5) as usize]];
                self.held.insert(key, Held { text: dice.below(9), tlp, changed: self.seq });
            }
        }
        self.note();
    }

    fn note(&mut self) {
        self.past.push(self.held.clone());
        self.ever.extend(self.held.keys());
        self.lacked.extend(self.ever.iter().filter(|key| !self.held.contains_key(*key)));
    }

    /// It is restored from a backup, or somebody made the feed anew.
    pub(super) fn go_back(&mut self, dice: &mut Dice) {
        let before = dice.pick(&self.past).cloned().unwrap_or_default();
        self.seq += 1;
        let now = before.into_iter().map(|(key, held)| (key, Held { changed: self.seq, ..held }));
        self.held = now.collect();
        self.epoch += 1;
        self.removed.clear();
        self.note();
    }

    pub(super) fn make_anew(&mut self) {
        self.made += 1;
        self.epoch += 1;
        self.removed.clear();
    }

    fn bookmark(&self, seq: u64) -> Bookmark {
        Bookmark::new(&format!("{}:{}:{seq}", self.made, self.epoch))
    }

    fn since(&self, bookmark: &Bookmark) -> Option<u64> {
        let parts: Vec<u64> = bookmark.as_str().split(':').map(|it| it.parse().unwrap()).collect();
        (parts[..2] == [self.made, self.epoch]).then_some(parts[2])
    }

    fn objects(&self, key: Key) -> Vec<String> {
        let Some(Held { text, tlp, changed }) = self.held.get(&key) else { return Vec::new() };
        let (time, tlp) = (time(*changed), tlp.name().to_ascii_lowercase());
        let about = |id: &str, kind: &str| {
            format!(
                r#""type":"{kind}","id":"{id}","created":"2026-01-01T00:00:00Z","modified":"{time}""#
            )
        };
        let incident = about(&ids((key.0, None))[0], "incident");
        let Some(value) = key.1 else {
            let name = format!("{} of {}, {text}", key.0, self.name);
            return vec![format!(r#"{{{incident},"name":"{name}","labels":["tlp:{tlp}"]}}"#)];
        };
        let [indicator, link] = &ids(key)[..] else { panic!("an indicator and its link") };
        let (of_it, of_link) = (about(indicator, "indicator"), about(link, "relationship"));
        let pattern = format!("[domain-name:value = '{}']", value_of(key.0, value));
        vec![
            format!(
                r#"{{{of_it},"name":"i","labels":["tlp:{tlp}"],"pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","pattern":"{pattern}"}}"#
            ),
            format!(
                r#"{{{of_link},"labels":["tlp:{tlp}"],"relationship_type":"indicates","source_ref":"{indicator}","target_ref":"{}"}}"#,
                ids((key.0, None))[0]
            ),
        ]
    }
}

/// A domain by its incident and number.
fn value_of(incident: u8, value: u8) -> String {
    format!("v{incident}-{value}.example")
}

/// The key of a value, by its text.
pub(super) fn key_of(value: &str) -> Key {
    let digits: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).map(|it| it - b'0').collect();
    (digits[0], Some(digits[1]))
}

fn ids((incident, value): Key) -> Vec<String> {
    let id = |kind: &str, role: u8| {
        let number = value.map_or(0xff, u32::from);
        format!("{kind}--00000000-0000-4000-8000-0000{role:02x}{incident:02x}{number:04x}")
    };
    match value {
        None => vec![id("incident", 1)],
        Some(_) => vec![id("indicator", 2), id("relationship", 3)],
    }
}

fn time(seq: u64) -> String {
    format!("2026-01-02T{:02}:{:02}:{:02}Z", seq / 3_600, seq / 60 % 60, seq % 60)
}

/// What goes wrong in a pull.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble {
    pub(super) busy: bool,
    pub(super) repeats: bool,
    pub(super) shuffles: bool,
    /// It changes while it is read.
    pub(super) changes: bool,
    /// Each page of changes is a pack.
    pub(super) several: bool,
    pub(super) checkpoints: bool,
    /// The text of a page breaks off.
    pub(super) cut: Option<u8>,
    /// The link is lost before a page.
    pub(super) lost: Option<u8>,
}

impl Trouble {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let page = |dice: &mut Dice| dice.chance(15).then(|| dice.below(INCIDENTS.into()) as u8);
        Self {
            busy: dice.chance(8),
            repeats: dice.chance(30),
            shuffles: dice.chance(50),
            changes: dice.chance(30),
            several: dice.chance(30),
            checkpoints: dice.chance(50),
            cut: page(dice),
            lost: page(dice),
        }
    }
}

/// A pull under way.
pub(super) struct Pulling<'p> {
    pub(super) platform: &'p mut Platform,
    pub(super) trouble: Trouble,
    pub(super) dice: &'p mut Dice,
    pub(super) sabotage: Option<Sabotage>,
}

#[derive(Debug)]
pub(super) struct PullTrouble;

impl From<MirrorError> for PullTrouble {
    fn from(_: MirrorError) -> Self {
        Self
    }
}

impl Pulling<'_> {
    fn text(&mut self, keys: &[Key]) -> String {
        let mut objects: Vec<String> =
            keys.iter().flat_map(|key| self.platform.objects(*key)).collect();
        if self.trouble.repeats {
            objects.extend_from_within(..);
        }
        if self.trouble.shuffles {
            for place in (1..objects.len()).rev() {
                objects.swap(place, self.dice.below(place as u64 + 1) as usize);
            }
        }
        format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(","))
    }

    fn page(
        &mut self,
        pack: &mut Pack<'_, '_>,
        page: u8,
        since: Option<u64>,
    ) -> Result<(), PullTrouble> {
        if self.trouble.lost == Some(page) {
            return Err(PullTrouble);
        }
        if let (Mode::Delta, Some(since)) = (self.platform.mode, since) {
            let removed = self.platform.removed.iter();
            let removed = removed.filter(|(key, seq)| key.0 == page && **seq > since);
            let removed: Vec<Key> = removed.map(|(key, _)| *key).collect();
            for id in removed.into_iter().flat_map(ids) {
                pack.remove(&id, Format::Stix21)?;
            }
        }
        let is_new = |held: &Held| since.is_none_or(|since| held.changed > since);
        let held = self.platform.held.iter();
        let keys: Vec<Key> =
            held.filter(|(key, held)| key.0 == page && is_new(held)).map(|(key, _)| *key).collect();
        let text = self.text(&keys);
        let name = format!("page {page} since {since:?}");
        if self.trouble.cut == Some(page) {
            pack.document(&name, Format::Stix21, &text.as_bytes()[..text.len() / 2])?;
        }
        pack.document(&name, Format::Stix21, text.as_bytes())?;
        if self.trouble.changes && self.dice.chance(50) {
            self.platform.edit(self.dice);
        }
        Ok(())
    }
}

impl Source for Pulling<'_> {
    type Error = PullTrouble;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, PullTrouble> {
        let since = since.and_then(|since| self.platform.since(since));
        let begin = self.platform.seq;
        if self.trouble.busy || (since == Some(begin) && into.damaged().is_empty()) {
            return Ok(Pulled::Unchanged);
        }
        let identity = self.platform.identity();
        let since =
            since.filter(|_| self.platform.mode != Mode::Replace && into.damaged().is_empty());
        let whole = since.is_none() && self.platform.mode != Mode::Append;
        // A part is taken for the whole.
        let whole = whole || self.sabotage == Some(Sabotage::RetireOnPartialBasis);
        let mut pack = if whole { into.whole(&identity)? } else { into.delta(&identity)? };
        for page in 0..INCIDENTS {
            if self.sabotage == Some(Sabotage::BookmarkBeforePack) && page == 1 && !whole {
                // Where it stands is kept, and what it had to say is not there yet.
                pack.end(&self.platform.bookmark(begin))?;
                pack = into.delta(&identity)?;
            }
            self.page(&mut pack, page, since)?;
            let at = self.platform.bookmark(since.unwrap_or(0));
            if self.trouble.checkpoints && !whole {
                pack.checkpoint(&at)?;
            }
            if self.trouble.several && !whole {
                pack.end(&at)?;
                pack = into.delta(&identity)?;
            }
        }
        Ok(pack.end(&self.platform.bookmark(begin))?)
    }
}
