//! What a source holds, how that changes, and what was said of it.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{mirror::SourceIdentity, model::Tlp};

pub(super) const PAGES: u8 = 3;
const IDS: usize = 7;
const VERSIONS: usize = 4;
const COLOURS: [Tlp; 3] = [Tlp::Green, Tlp::Amber, Tlp::Red];

/// An object: its id, and its version.
pub(super) type Key = (u8, u8);

/// Numbers below limits, the same for the same seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }

    pub(super) fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// What a source tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All that it has, each time.
    Replace,
    /// All at first, then changes and removals.
    Delta,
    /// What is new, and no word of what is gone.
    Append,
}

/// An object as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    content: u8,
    pub(super) tlp: Tlp,
    pub(super) changed: usize,
}

type State = BTreeMap<Key, Held>;

/// One source.
#[derive(Debug)]
pub(super) struct World {
    pub(super) mode: Mode,
    feed: u8,
    /// How often it was made anew.
    pub(super) epoch: usize,
    pub(super) held: State,
    pub(super) dropped: BTreeMap<u8, usize>,
    /// Each state that it was in since the beginning of each epoch.
    history: Vec<Vec<State>>,
    /// The strictest colour that a mirror surely has of an object, and the strictest that it may have.
    pub(super) sure: BTreeMap<Key, Tlp>,
    pub(super) maybe: BTreeMap<Key, Tlp>,
    /// The strictest that it ever said in this epoch.
    pub(super) ever: BTreeMap<Key, Tlp>,
    /// What it said of a whole read that is under way.
    pub(super) of_whole: BTreeMap<Key, Tlp>,
    /// Versions that could not be read of it at some time: a newer one may have come in their place.
    pub(super) spoilt: BTreeSet<Key>,
    /// Ids that it said are gone.
    pub(super) told_gone: BTreeSet<u8>,
}

impl World {
    pub(super) fn new(mode: Mode, feed: u8, dice: &mut Dice) -> Self {
        let mut world = Self {
            mode,
            feed,
            epoch: 0,
            held: State::new(),
            dropped: BTreeMap::new(),
            history: vec![vec![State::new()]],
            sure: BTreeMap::new(),
            maybe: BTreeMap::new(),
            ever: BTreeMap::new(),
            of_whole: BTreeMap::new(),
            spoilt: BTreeSet::new(),
            told_gone: BTreeSet::new(),
        };
        for _ in 0..dice.below(8) {
            world.edit(dice);
        }
        world
    }

    /// How many changes there were in this epoch.
    pub(super) fn seq(&self) -> usize {
        self.history[self.epoch].len() - 1
    }

    pub(super) fn configured(&self) -> SourceIdentity {
        SourceIdentity::new("simulated").with("feed", &self.feed.to_string())
    }

    pub(super) fn identity(&self) -> SourceIdentity {
        self.configured().with("created_at", &self.epoch.to_string())
    }

    pub(super) fn edit(&mut self, dice: &mut Dice) {
        let id = u8::try_from(dice.below(IDS)).unwrap_or(0);
        let version = u8::try_from(dice.below(VERSIONS)).unwrap_or(0);
        if dice.one_in(4) {
            let before = self.held.len();
            self.held.retain(|(held, _), _| *held != id);
            if self.held.len() < before {
                self.dropped.insert(id, self.seq() + 1);
            }
            self.history[self.epoch].push(self.held.clone());
        } else {
            let content = u8::try_from(dice.below(3)).unwrap_or(0);
            self.put((id, version), content, dice.below(COLOURS.len()));
        }
    }

    pub(super) fn put(&mut self, key: Key, content: u8, colour: usize) {
        let (tlp, changed) = (COLOURS[colour], self.seq() + 1);
        self.held.insert(key, Held { content, tlp, changed });
        self.history[self.epoch].push(self.held.clone());
    }

    /// It comes back as it once was, and says so.
    pub(super) fn go_back(&mut self, dice: &mut Dice) {
        let states = &self.history[self.epoch];
        let mut held = states[dice.below(states.len())].clone();
        held.values_mut().for_each(|held| held.changed = 1);
        self.history.push(vec![State::new(), held.clone()]);
        (self.held, self.epoch) = (held, self.epoch + 1);
        self.dropped.clear();
        self.sure.clear();
        self.maybe.clear();
        self.ever.clear();
    }

    /// What was kept of it is another by now, perhaps an older one.
    pub(super) fn is_moved(&mut self) {
        self.sure.clear();
        self.maybe.clone_from(&self.ever);
    }

    /// Objects that were there at some time of an epoch, and at all times since in it.
    pub(super) fn there_since(&self, epoch: usize, seq: usize) -> BTreeSet<Key> {
        let states = self.history[epoch].get(seq..).unwrap_or_default();
        let Some((first, others)) = states.split_first() else { return BTreeSet::new() };
        let stays = |key: &Key| others.iter().all(|state| state.contains_key(key));
        first.keys().copied().filter(stays).collect()
    }

    /// Whether a mirror of these objects need not have one, as it was not readable and a newer version was.
    pub(super) fn is_replaced(&self, key: Key, keys: &BTreeSet<Key>) -> bool {
        self.spoilt.contains(&key) && keys.iter().any(|it| it.0 == key.0 && it.1 > key.1)
    }

    pub(super) fn object(&self, key: Key) -> Option<String> {
        let Held { content, tlp, .. } = self.held.get(&key)?;
        Some(format!(
            r#"{{"type":"incident","id":"{}","modified":"{}","name":"{}.{} {content}","labels":["tlp:{}"]}}"#,
            id_of(key.0),
            time_of(key.1),
            key.0,
            key.1,
            tlp.name().to_ascii_lowercase()
        ))
    }

    /// All that it has, in one text.
    pub(super) fn whole(&self) -> String {
        let objects = self.held.keys().filter_map(|key| self.object(*key));
        bundle(&objects.collect::<Vec<_>>())
    }
}

pub(super) fn id_of(id: u8) -> String {
    format!("incident--00000000-0000-4000-8000-0000000000{id:02x}")
}

pub(super) fn time_of(version: u8) -> String {
    format!("2026-01-01T00:00:{version:02}Z")
}

pub(super) fn bundle(objects: &[String]) -> String {
    format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(","))
}
