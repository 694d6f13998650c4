//! How a source is pulled, and what goes wrong on the way.

use std::collections::BTreeMap;

use arbitrary::{Result as Drawn, Unstructured};

use misp_trickle::{
    format::Format,
    mirror::{Bookmark, Damage, MirrorError, Pack, PackWriter, Pulled, Source},
    model::Tlp,
};

use super::world::{Dice, Key, Mode, PAGES, World, bundle, id_of, time_of};

/// What goes wrong in a pull. The default is nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    seed: u64,
    /// The source has no time, and says so as if nothing had changed.
    busy: bool,
    repeats: bool,
    shuffles: bool,
    damages: bool,
    /// It changes while it is read.
    changes: bool,
    checkpoints: bool,
    /// Each page of changes is a pack.
    several: bool,
    /// The text of a page breaks off, and whether it is asked for once more.
    cut: Option<(u8, bool)>,
    /// The link is lost before a page.
    lost: Option<u8>,
}

impl Plan {
    pub(super) fn draw(input: &mut Unstructured<'_>) -> Drawn<Self> {
        let page = |input: &mut Unstructured<'_>| input.int_in_range(0..=PAGES - 1);
        Ok(Self {
            seed: input.arbitrary()?,
            busy: input.ratio(1, 12)?,
            repeats: input.ratio(1, 3)?,
            shuffles: input.arbitrary()?,
            damages: input.ratio(1, 3)?,
            changes: input.ratio(1, 3)?,
            checkpoints: input.arbitrary()?,
            several: input.ratio(1, 3)?,
            cut: match input.ratio(1, 5)? {
                true => Some((page(input)?, input.arbitrary()?)),
                false => None,
            },
            lost: if input.ratio(1, 5)? { Some(page(input)?) } else { None },
        })
    }
}

#[derive(Debug)]
pub(super) struct PullError(pub(super) String);

impl From<MirrorError> for PullError {
    fn from(error: MirrorError) -> Self {
        Self(error.to_string())
    }
}

pub(super) struct Pulling<'w> {
    world: &'w mut World,
    plan: Plan,
    dice: Dice,
    /// What was said so far in this pull.
    said: BTreeMap<Key, Tlp>,
    /// Where it stood at the end of the last pack.
    pub(super) ended: Option<Bookmark>,
}

impl<'w> Pulling<'w> {
    pub(super) fn new(world: &'w mut World, plan: Plan) -> Self {
        let dice = Dice(plan.seed | 1);
        Self { world, plan, dice, said: BTreeMap::new(), ended: None }
    }

    fn bookmark(&self, seq: usize) -> Bookmark {
        Bookmark::new(&format!("{}:{seq}", self.world.epoch))
    }

    /// The text of a page, or of objects that were asked for, and what it says.
    fn text(&mut self, keys: &[Key]) -> (String, Vec<(Key, Tlp)>) {
        let mut keys = keys.to_vec();
        if self.plan.repeats {
            keys.extend_from_within(..);
        }
        if self.plan.shuffles {
            for place in (1..keys.len()).rev() {
                keys.swap(place, self.dice.below(place + 1));
            }
        }
        let (mut objects, mut said) = (Vec::new(), Vec::new());
        for key in keys {
            let Some(object) = self.world.object(key) else { continue };
            if self.plan.damages && self.dice.one_in(4) {
                objects.push(self.damaged(key));
            } else {
                said.push((key, self.world.held[&key].tlp));
                objects.push(object);
            }
        }
        if self.plan.damages && self.dice.one_in(6) {
            objects.push(r#"{"a":01}"#.to_owned());
        }
        (bundle(&objects), said)
    }

    fn damaged(&mut self, key: Key) -> String {
        let (id, version) = (id_of(key.0), key.1);
        match self.dice.below(3) {
            0 => r#"{"a":01}"#.to_owned(),
            1 => format!(r#"{{"type":"relationship","id":"{id}"}}"#),
            _ => {
                self.world.spoilt.insert(key);
                let time = time_of(version);
                format!(r#"{{"type":"relationship","id":"{id}","modified":"{time}"}}"#)
            }
        }
    }

    /// Gives a text of these objects.
    fn give(
        &mut self,
        pack: &mut Pack<'_, '_>,
        name: &str,
        keys: &[Key],
        cut: Option<bool>,
    ) -> Result<(), PullError> {
        let (text, said) = self.text(keys);
        if let Some(again) = cut {
            let broken = &text[..self.dice.below(text.len())];
            let refused = pack.document(name, Format::Stix21, broken.as_bytes());
            match refused {
                Err(MirrorError::Format(_)) if again => {}
                Err(error) => return Err(error.into()),
                Ok(_) => panic!("{broken} is whole"),
            }
        }
        // What is on its way may arrive even if this fails.
        for (key, tlp) in said {
            let World { maybe, ever, of_whole, .. } = &mut *self.world;
            for colours in [&mut self.said, maybe, ever, of_whole] {
                let colour = colours.entry(key).or_insert(tlp);
                *colour = tlp.max(*colour);
            }
        }
        pack.document(name, Format::Stix21, text.as_bytes())?;
        Ok(())
    }

    fn remove(&mut self, pack: &mut Pack<'_, '_>, id: u8) -> Result<(), PullError> {
        self.world.sure.retain(|key, _| key.0 != id);
        self.said.retain(|key, _| key.0 != id);
        self.world.told_gone.insert(id);
        Ok(pack.remove(&id_of(id), Format::Stix21)?)
    }

    fn page(
        &mut self,
        pack: &mut Pack<'_, '_>,
        page: u8,
        since: Option<usize>,
    ) -> Result<(), PullError> {
        if self.plan.lost == Some(page) {
            return Err(PullError("the link was lost".to_owned()));
        }
        // A text of changes is another than that of the page, and than one of other changes.
        let name = match since {
            Some(since) => format!("since {since} page {page}"),
            None => format!("page {page}"),
        };
        let since = since.unwrap_or(0);
        if self.world.mode == Mode::Delta {
            let dropped = self.world.dropped.clone().into_iter();
            let dropped = dropped.filter(|(id, seq)| id % PAGES == page && *seq > since);
            for (id, _) in dropped {
                // Where it came back, all of it changed since.
                self.remove(pack, id)?;
            }
        }
        let of_page = |(key, held): (&Key, &super::world::Held)| {
            (key.0 % PAGES == page && held.changed > since).then_some(*key)
        };
        let keys: Vec<Key> = self.world.held.iter().filter_map(of_page).collect();
        let cut = self.plan.cut.filter(|(at, _)| *at == page).map(|(_, again)| again);
        self.give(pack, &name, &keys, cut)?;
        if self.plan.changes && self.dice.one_in(2) {
            self.world.edit(&mut self.dice);
        }
        Ok(())
    }

    /// Gives again what could not be read.
    fn answer(&mut self, pack: &mut Pack<'_, '_>, damage: &Damage) -> Result<(), PullError> {
        let keys = |is_wanted: &dyn Fn(u8) -> bool| -> Vec<Key> {
            self.world.held.keys().filter(|key| is_wanted(key.0)).copied().collect()
        };
        let Some(id) = &damage.id else {
            let (what, number) = damage.text.rsplit_once(' ').expect("texts of ours");
            let number: u8 = number.parse().expect("texts of ours");
            let keys = keys(&|id| {
                if what.ends_with("page") { id % PAGES == number } else { id == number }
            });
            return self.give(pack, &damage.text, &keys, None);
        };
        let id = u8::from_str_radix(&id[id.len() - 2..], 16).expect("ids end so");
        let keys = keys(&|it| it == id);
        let is_there =
            |key: &Key| damage.version.is_some_and(|it| it.to_string() == time_of(key.1));
        if !keys.iter().any(is_there) && self.world.mode != Mode::Append {
            self.remove(pack, id)?;
        }
        self.give(pack, &format!("object {id}"), &keys, None)
    }

    async fn whole(&mut self, into: &mut PackWriter<'_>) -> Result<Pulled, PullError> {
        let identity = self.world.identity();
        let begun = into.unfinished().filter(|(of, _)| **of == identity);
        let begun = begun.map(|(_, bookmark)| {
            let mut parts = bookmark.as_str().split(':').skip(1);
            let mut part = || parts.next().and_then(|it| it.parse().ok()).expect("ours");
            (part(), u8::try_from(part()).expect("few"))
        });
        self.world.sure.clear();
        let (begin, first) = begun.unwrap_or((self.world.seq(), 0));
        let mut pack = match begun {
            Some(_) => into.resume()?.expect("it was begun"),
            None => {
                self.world.of_whole.clear();
                into.whole(&identity)?
            }
        };
        for page in first..PAGES {
            self.page(&mut pack, page, None)?;
            if self.plan.checkpoints {
                let at = format!("{}:{begin}:{}", self.world.epoch, page + 1);
                pack.checkpoint(&Bookmark::new(&at))?;
            }
        }
        let pulled = pack.end(&self.bookmark(begin))?;
        self.ended = Some(self.bookmark(begin));
        self.world.maybe = self.world.of_whole.clone();
        self.world.sure = std::mem::take(&mut self.said);
        Ok(pulled)
    }

    async fn changes(
        &mut self,
        since: Option<usize>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, PullError> {
        let (identity, begin) = (self.world.identity(), self.world.seq());
        let damaged = into.damaged().to_vec();
        let mut pack = into.delta(&identity)?;
        for damage in &damaged {
            self.answer(&mut pack, damage)?;
        }
        for page in 0..PAGES {
            self.page(&mut pack, page, since)?;
            let at = self.bookmark(since.unwrap_or(0));
            if self.plan.checkpoints {
                pack.checkpoint(&at)?;
            }
            if self.plan.several {
                pack.end(&at)?;
                pack = into.delta(&identity)?;
            }
        }
        let pulled = pack.end(&self.bookmark(begin))?;
        self.ended = Some(self.bookmark(begin));
        for (key, tlp) in std::mem::take(&mut self.said) {
            let colour = self.world.sure.entry(key).or_insert(tlp);
            *colour = tlp.max(*colour);
        }
        Ok(pulled)
    }
}

impl Source for Pulling<'_> {
    type Error = PullError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, PullError> {
        if self.plan.busy {
            return Ok(Pulled::Unchanged);
        }
        let since = since.map(read).filter(|(epoch, _)| *epoch == self.world.epoch);
        let since = since.map(|(_, seq)| seq);
        if since == Some(self.world.seq()) && into.damaged().is_empty() {
            return Ok(Pulled::Unchanged);
        }
        match (self.world.mode, since) {
            (Mode::Replace, _) | (Mode::Delta, None) => self.whole(into).await,
            (Mode::Delta | Mode::Append, since) => self.changes(since, into).await,
        }
    }
}

/// Epoch and change of a bookmark.
pub(super) fn read(bookmark: &Bookmark) -> (usize, usize) {
    let (epoch, seq) = bookmark.as_str().split_once(':').expect("ours");
    let seq = seq.split(':').next().unwrap_or_default();
    (epoch.parse().expect("ours"), seq.parse().expect("ours"))
}
