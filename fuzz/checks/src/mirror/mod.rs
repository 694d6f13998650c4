//! Pulls that fail, repeat, shuffle, are cut, go back, are damaged and die, and mirrors that are lost, spoilt or
//! older than they were: once the source is steady, all packs come to what one whole read of it gives.
//!
//! What the source holds and held is kept as plain maps; what a mirror says is compared with those.

mod pulling;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use arbitrary::{Result as Drawn, Unstructured};

use misp_trickle::{
    format::{self, Format},
    graph::{Facts, Said},
    mirror::{Basis, Bookmark, Files as _, Fold, Mirror, memory::MemoryFiles},
    model::{Digest, Symbol, Timestamp, Tlp},
};

use pulling::{Plan, PullError, Pulling, read};
use world::{Dice, Key, Mode, World, id_of, time_of};

const STEPS_MAX: usize = 14;
/// Pulls after which a steady source was read whole, and what was damaged was asked for.
const STEADY_PULLS: usize = 3;

/// One step of a script.
#[derive(Debug, Clone)]
enum Step {
    Edit(u64),
    Pull(Plan),
    /// The process dies after so many steps of the disk.
    PullAndDie(Plan, u8, u64),
    Compact,
    CompactAndDie(u8, u64),
    /// The source comes back older.
    GoBack(u64),
    /// Another source is configured, or the one before again.
    Other,
    /// What other sources left is forgotten.
    ForgetOthers,
    /// A file is lost, cut or changed.
    Spoil(u8, u16, u8),
    LoseAll,
    /// Two mirrors that differ in nothing but the colour of an earlier copy.
    Twins(u64),
    Keep,
    /// The folder is again as it was when it was kept.
    Restore,
}

impl Step {
    fn draw(input: &mut Unstructured<'_>) -> Drawn<Self> {
        Ok(match input.int_in_range(0..=24_u8)? {
            0..=3 => Self::Edit(input.arbitrary()?),
            4..=9 => Self::Pull(Plan::draw(input)?),
            10..=13 => Self::PullAndDie(Plan::draw(input)?, input.arbitrary()?, input.arbitrary()?),
            14 => Self::Compact,
            15 => Self::CompactAndDie(input.arbitrary()?, input.arbitrary()?),
            16 => Self::GoBack(input.arbitrary()?),
            17 => Self::Other,
            18 => Self::ForgetOthers,
            19 | 20 => Self::Spoil(input.arbitrary()?, input.arbitrary()?, input.arbitrary()?),
            21 => Self::LoseAll,
            22 => Self::Keep,
            23 => Self::Twins(input.arbitrary()?),
            _ => Self::Restore,
        })
    }
}

/// Does as the bytes say.
///
/// # Panics
/// If a mirror says what its source does not.
pub fn mirror(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((seed, modes)) = input.arbitrary::<(u64, [u8; 2])>() else { return };
    let mut dice = Dice(seed | 1);
    let mode =
        |byte: u8| [Mode::Delta, Mode::Replace, Mode::Append, Mode::Delta][usize::from(byte % 4)];
    let worlds = [0_u8, 1].map(|feed| World::new(mode(modes[usize::from(feed)]), feed, &mut dice));
    let mut run = Run::new(worlds);
    for _ in 0..STEPS_MAX {
        let Ok(step) = Step::draw(&mut input) else { break };
        run.step(step);
        run.look();
        if input.is_empty() {
            break;
        }
    }
    run.settle();
}

struct Run {
    worlds: [World; 2],
    current: usize,
    files: MemoryFiles,
    kept: BTreeMap<String, Vec<u8>>,
    /// All that was ever seen under a digest.
    known: BTreeMap<Digest, String>,
}

impl Run {
    fn new(worlds: [World; 2]) -> Self {
        let (files, kept, known) = (MemoryFiles::default(), BTreeMap::new(), BTreeMap::new());
        Self { worlds, current: 0, files, kept, known }
    }

    fn mirror(&self) -> Mirror {
        Mirror::new(Arc::new(self.files.clone()), self.worlds[self.current].configured())
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Edit(seed) => self.worlds[self.current].edit(&mut Dice(seed | 1)),
            Step::Pull(plan) => {
                let pulled = self.pull(plan);
                self.holds(&pulled);
            }
            Step::PullAndDie(plan, steps, seed) => {
                self.files.die_after(u64::from(steps % 48));
                let pulled = self.pull(plan);
                self.restart(seed);
                self.holds(&pulled);
            }
            Step::Compact => self.compact(),
            Step::CompactAndDie(steps, seed) => {
                // What was removed before and comes back is none of its doing.
                self.restart(seed);
                let before = self.all(&self.fold());
                self.files.die_after(u64::from(steps % 24));
                drop(self.mirror().compact(&self.fold()));
                self.restart(seed);
                assert_eq!(self.all(&self.fold()), before);
            }
            Step::GoBack(seed) => self.worlds[self.current].go_back(&mut Dice(seed | 1)),
            Step::Other => self.current = 1 - self.current,
            Step::ForgetOthers => {
                self.mirror().forget_others(&self.fold()).expect("the disk is sound");
                self.worlds[1 - self.current].sure.clear();
            }
            Step::Spoil(file, place, change) => self.spoil(file, place, change),
            Step::Twins(seed) => self.twins(seed),
            Step::LoseAll => self.replace(&BTreeMap::new()),
            Step::Keep => self.kept = self.content(),
            Step::Restore => self.replace(&self.kept.clone()),
        }
    }

    fn pull(&mut self, plan: Plan) -> Result<Option<Bookmark>, String> {
        let mut mirror = self.mirror();
        let mut pulling = Pulling::new(&mut self.worlds[self.current], plan);
        let (pulled, _) = now(mirror.pull(&mut pulling)).map_err(|error| error.to_string())?;
        pulled.map_err(|PullError(why)| why)?;
        Ok(pulling.ended)
    }

    /// What a pull that succeeded brought is there, whatever happens to the process.
    fn holds(&self, pulled: &Result<Option<Bookmark>, String>) {
        if let Ok(Some(ended)) = pulled {
            assert_eq!(self.fold().bookmark(), Some(ended));
        }
    }

    fn restart(&mut self, seed: u64) {
        let mut dice = Dice(seed | 1);
        self.files.restart(&mut |limit| dice.below(limit));
    }

    fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.files.names().expect("the disk is sound");
        names.into_iter().filter_map(|it| Some((it.clone(), self.files.content(&it)?))).collect()
    }

    fn replace(&mut self, content: &BTreeMap<String, Vec<u8>>) {
        for name in self.content().into_keys() {
            self.files.spoil(&name, None);
        }
        for (name, bytes) in content {
            self.files.spoil(name, Some(bytes.clone()));
        }
        self.worlds.iter_mut().for_each(World::is_moved);
    }

    fn spoil(&mut self, file: u8, place: u16, change: u8) {
        let content = self.content();
        let Some((name, bytes)) = content.iter().nth(usize::from(file) % content.len().max(1))
        else {
            return;
        };
        let place = usize::from(place) % bytes.len().max(1);
        let mut bytes = bytes.clone();
        match change % 3 {
            0 => self.files.spoil(name, None),
            1 => {
                bytes.truncate(place);
                self.files.spoil(name, Some(bytes));
            }
            _ => {
                bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= change | 1);
                self.files.spoil(name, Some(bytes));
            }
        }
        self.worlds.iter_mut().for_each(World::is_moved);
    }

    fn fold(&self) -> Fold {
        self.mirror().fold().expect("the disk is sound")
    }

    /// One pack of all comes to what all packs come to.
    fn compact(&mut self) {
        let fold = self.fold();
        let before = self.all(&fold);
        let compacted = self.mirror().compact(&fold).expect("the disk is sound");
        assert_eq!(self.all(&compacted), before);
        assert_eq!((compacted.digest(), compacted.bookmark()), (fold.digest(), fold.bookmark()));
        assert_eq!(compacted.damaged(), fold.damaged());
    }

    /// All that a mirror says, but for how many packs say it.
    fn all(&self, fold: &Fold) -> String {
        let facts = self.mirror().facts(fold).expect("the disk is sound");
        let (bookmark, digest) = (fold.bookmark(), fold.digest());
        format!("{bookmark:?} {digest} {}", said_by(fold, facts))
    }

    fn keys(&self, fold: &Fold) -> BTreeSet<Key> {
        let mut keys = BTreeSet::new();
        let visited = self.mirror().objects(fold, |object| {
            let id = (0..u8::MAX).find(|id| id_of(*id) == object.id).expect("an id of ours");
            let time = object.version.expect("all have one").to_string();
            let version = (0..u8::MAX).find(|version| time_of(*version) == time).expect("ours");
            assert!(keys.insert((id, version)), "an object stands once");
        });
        visited.expect("the disk is sound");
        keys
    }

    fn remember(&mut self, digest: Digest, said: &str) {
        let known = self.known.entry(digest).or_insert_with(|| said.to_owned());
        assert_eq!(*known, said, "another content has another digest");
    }

    fn twins(&mut self, seed: u64) {
        let last = Dice(seed | 1).below(3);
        for first in 0..3 {
            let mut dice = Dice(seed | 1);
            let mut twin = Self::new([
                World::new(Mode::Delta, 0, &mut dice),
                World::new(Mode::Delta, 1, &mut dice),
            ]);
            for colour in [first, last] {
                twin.worlds[0].put((1, 1), 0, colour);
                twin.pull(Plan::default()).expect("nothing is wrong");
            }
            let fold = twin.fold();
            let facts = twin.mirror().facts(&fold).expect("the disk is sound");
            self.remember(fold.digest(), &said_by(&fold, facts));
        }
    }

    /// What holds at any time.
    fn look(&mut self) {
        let fold = self.fold();
        let facts = self.mirror().facts(&fold).expect("the disk is sound");
        self.remember(fold.digest(), &said_by(&fold, facts));
        let world = &self.worlds[self.current];
        for id in fold.gone() {
            let was_told = |told: &u8| id_of(*told) == **id;
            assert!(world.told_gone.iter().any(was_told), "nobody said that {id} is gone");
        }
        let Some((epoch, seq)) = fold.bookmark().map(read) else {
            assert!(!fold.is_whole() && fold.basis() == Basis::Partial && fold.gone().is_empty());
            return;
        };
        let keys = self.keys(&fold);
        let is_damaged = |key: &Key| {
            let hides = |damage: &misp_trickle::mirror::Damage| {
                damage.id.as_deref().is_none_or(|id| id == id_of(key.0))
            };
            fold.damaged().iter().any(hides)
        };
        for key in world.there_since(epoch, seq) {
            assert!(
                fold.basis() == Basis::Partial
                    || keys.contains(&key)
                    || is_damaged(&key)
                    || world.is_replaced(key, &keys),
                "{key:?} was there all the time since {epoch}:{seq}, and is not in {keys:?}"
            );
            let counts_as_gone = fold.gone().iter().any(|gone| **gone == *id_of(key.0));
            assert!(!counts_as_gone, "{key:?} was there all the time");
        }
        if world.mode == Mode::Append {
            assert!(fold.basis() == Basis::Partial && fold.gone().is_empty());
        }
    }

    /// Once the source is steady, the mirror is what one whole read gives.
    fn settle(&mut self) {
        for _ in 0..STEADY_PULLS {
            self.pull(Plan::default()).expect("nothing is wrong");
            self.look();
        }
        let fold = self.fold();
        let world = &self.worlds[self.current];
        assert!(fold.source() == Some(&world.identity()) && !fold.is_behind());
        let keys = self.keys(&fold);
        let is_due = |key: &Key| keys.contains(key) || !world.is_replaced(*key, &keys);
        let held: BTreeSet<Key> = world.held.keys().copied().filter(is_due).collect();
        let mirrored = entities(self.mirror().facts(&fold).expect("the disk is sound"));
        let text = world.whole();
        let read = format::decode(text.as_bytes(), &Symbol::new("whole"), Format::Stix21);
        let read = entities(read.expect("it is sound"));
        match world.mode {
            Mode::Append => assert!(keys.is_superset(&held)),
            Mode::Delta | Mode::Replace => {
                assert!(fold.is_whole(), "{:?} {:?}", fold.basis(), fold.damaged());
                assert_eq!(keys, held);
                assert_eq!(mirrored.len(), held.len());
            }
        }
        for (name, (entity, now)) in &read {
            let key = (number(name, 0), number(name, 1));
            if !held.contains(&key) {
                continue;
            }
            let (mirrored, tlp) = &mirrored[name];
            assert_eq!(mirrored, entity);
            assert!(tlp >= now, "{name} got freer than it is");
            let sure = world.sure.get(&key).copied();
            assert!(*tlp >= sure, "{name} got freer than the source said");
            // Only a feed of packages still has damage here: nobody says how a version is marked that cannot be read.
            let time = Timestamp::parse(&time_of(key.1)).ok();
            let is_lost = fold.damaged().iter().any(|damage| {
                let is_as_new = damage.version.is_none() || damage.version >= time;
                damage.id.as_deref() == Some(&*id_of(key.0)) && is_as_new
            });
            if is_lost {
                assert_eq!(*tlp, Some(Tlp::Red), "{name} may be marked stricter");
                continue;
            }
            let most = world.maybe.get(&key).copied();
            assert!(*tlp <= most, "nobody said that {name} is so strict: {tlp:?}, {most:?}");
        }
    }
}

/// A number in a name: that of the id, or of the version.
fn number(name: &str, place: usize) -> u8 {
    name.split(['.', ' ']).nth(place).and_then(|it| it.parse().ok()).expect("names are so")
}

/// All entities by name: what each is but for its colour, and that.
fn entities(mut facts: Facts) -> BTreeMap<String, (String, Option<Tlp>)> {
    facts.settle(&Said::new());
    let mut found = BTreeMap::new();
    for mut entity in facts.entities {
        let tlp = entity.marking().tlp;
        (entity.tlp, entity.partly) = (None, None);
        entity.tags.clear();
        found.insert(entity.title.to_string(), (format!("{entity:?}"), tlp));
    }
    found
}

/// What decides what is done about a dataset.
fn said_by(fold: &Fold, facts: Facts) -> String {
    let whole = (fold.basis(), fold.is_whole(), facts.coverage.clone(), facts.skipped);
    let (gone, damaged) = (fold.gone().to_vec(), fold.damaged().to_vec());
    format!("{whole:?} {gone:?} {damaged:?} {:?}", entities(facts))
}

/// The result of a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing here waits"),
    }
}
