//! One pull of collections into their mirror.

use std::collections::BTreeMap;

use serde::Deserialize;
use uuid::Uuid;

use crate::{
    mirror::{Bookmark, Damage, Object, PackWriter, Pulled, SourceIdentity},
    model::{Digest, Timestamp},
    source::peer::Rests,
};

use super::{
    Taxii2, TaxiiError,
    census::{Census, Name, name},
    collection::Collection,
    doubt::{Mended, Verdicts},
    manifest::Wanted,
    mark::Mark,
    objects::heal,
    walk::of_text,
};

/// Most objects that are asked for in one pull, because no manifest lists them.
const DOUBTED_MAX: usize = 500;
/// Most damaged objects that are asked for again in one pull.
const DAMAGED_MAX: usize = 50;

pub(super) async fn pull<T: Rests>(
    taxii: &mut Taxii2<T>,
    since: Option<&Bookmark>,
    into: &mut PackWriter<'_>,
) -> Result<Pulled, TaxiiError> {
    match since.and_then(Mark::read) {
        Some(mark) => Pulling::new(taxii, mark).changes(into).await,
        None => whole(taxii, into).await,
    }
}

/// All that collections have.
async fn whole<T: Rests>(
    taxii: &mut Taxii2<T>,
    into: &mut PackWriter<'_>,
) -> Result<Pulled, TaxiiError> {
    let mut collections = Vec::new();
    for name in taxii.settings.collections.clone() {
        collections.push(taxii.collection(&name).await?);
    }
    let identity = full_identity(taxii, collections.iter().map(|it| &*it.id));
    let begun = into
        .unfinished()
        .and_then(|(source, bookmark)| Mark::read(bookmark).filter(|_| *source == identity));
    let (mut mark, mut pack) = match begun {
        Some(mark) => (mark, into.resume()?.expect("there is one to go on with")),
        None => (Mark::new(now(&collections)), into.whole(&identity)?),
    };
    for collection in &collections {
        let from = mark.stand(&collection.name).from();
        taxii.objects(collection, from, &mut mark, &mut pack).await?;
        pack.checkpoint(&mark.bookmark())?;
    }
    Ok(pack.end(&mark.bookmark())?)
}

/// What collections are, by the configuration and by themselves: one that was made anew is another.
fn full_identity<'i, T: Rests>(
    taxii: &Taxii2<T>,
    ids: impl Iterator<Item = &'i str>,
) -> SourceIdentity {
    taxii.identity().with("ids", &ids.collect::<Vec<_>>().join(","))
}

/// The server's clock, or ours.
fn now(collections: &[Collection]) -> Timestamp {
    let told = collections.iter().find_map(|collection| collection.asked);
    told.unwrap_or_else(|| Timestamp::from_micros(jiff::Timestamp::now().as_microsecond()))
}

/// A pull of what changed, under way.
struct Pulling<'t, T> {
    taxii: &'t mut Taxii2<T>,
    mark: Mark,
    /// As it was when it was last kept.
    kept: Mark,
    identity: SourceIdentity,
    /// What could not be read before.
    damaged: Vec<Damage>,
    pulled: Pulled,
    /// What manifests told, while what it takes is not all read.
    told: Option<Told>,
    /// What went wrong first. The rest goes on.
    trouble: Option<TaxiiError>,
}

impl<'t, T: Rests> Pulling<'t, T> {
    fn new(taxii: &'t mut Taxii2<T>, mark: Mark) -> Self {
        let (kept, identity) = (mark.clone(), taxii.identity());
        let (damaged, pulled, told, trouble) = (Vec::new(), Pulled::Unchanged, None, None);
        Self { taxii, mark, kept, identity, damaged, pulled, told, trouble }
    }

    async fn changes(mut self, into: &mut PackWriter<'_>) -> Result<Pulled, TaxiiError> {
        let names = self.taxii.settings.collections.clone();
        let mut collections = Vec::new();
        for name in &names {
            match self.taxii.collection(name).await {
                Ok(collection) => collections.push(collection),
                Err(error) => self.fail(error),
            }
        }
        let are_moved = collections.iter().any(|it| self.mark.stand(&it.name).id != it.id);
        if are_moved {
            return whole(self.taxii, into).await;
        }
        let ids = self.mark.stands.values().map(|stand| &*stand.id);
        self.identity = full_identity(self.taxii, ids);
        self.damaged = into.damaged().to_vec();
        let mut lowered = BTreeMap::new();
        if collections.len() == names.len() {
            lowered = self.upkeep(&collections, into).await?;
        }
        for collection in &collections {
            let from = lowered.remove(&collection.name);
            self.added(collection, from, into).await?;
        }
        if let Some(told) = self.told.take().filter(|_| self.trouble.is_none()) {
            self.heard(told);
            self.keep(into)?;
        }
        self.trouble.map_or(Ok(self.pulled), Err)
    }

    /// Takes down that all was done that manifests told.
    fn heard(&mut self, Told { asked, at }: Told) {
        if asked.is_none() {
            self.mark.manifest_at = Some(at);
        }
        self.mark.asked = asked;
    }

    fn fail(&mut self, error: TaxiiError) {
        self.trouble.get_or_insert(error);
    }

    /// Takes what was added to a collection, after a time or since it was last read.
    async fn added(
        &mut self,
        collection: &Collection,
        from: Option<Option<Timestamp>>,
        into: &mut PackWriter<'_>,
    ) -> Result<(), TaxiiError> {
        let stand = self.mark.stand(&collection.name);
        *stand = stand.set_back(collection.asked, self.taxii.settings.overlap);
        let before = stand.clone();
        let from = from.unwrap_or_else(|| before.from());
        let mut pack = into.delta(&self.identity)?;
        let walked = self.taxii.objects(collection, from, &mut self.mark, &mut pack).await;
        let walked = match walked {
            Ok(walked) => walked,
            Err(TaxiiError::Mirror(error)) => return Err(error.into()),
            Err(error) => {
                self.fail(error);
                // What came of an earlier moment is not known, though the mark stands where it stood.
                if self.mark != self.kept || from < before.since {
                    pack.end(&self.mark.bookmark())?;
                    self.kept = self.mark.clone();
                    self.pulled = Pulled::Delta;
                    return Ok(());
                }
                return self.forget(into);
            }
        };
        let healed = heal(&self.damaged, &collection.name, from, &walked, &mut pack)?;
        let is_known =
            walked.count == 0 || walked.window.is_some() && walked.window == before.window;
        if healed || !is_known {
            pack.end(&self.mark.bookmark())?;
            self.kept = self.mark.clone();
            self.pulled = Pulled::Delta;
            return Ok(());
        }
        drop(pack);
        self.keep(into)
    }

    /// Keeps where collections stand, if that moved.
    fn keep(&mut self, into: &mut PackWriter<'_>) -> Result<(), TaxiiError> {
        if self.mark == self.kept {
            return self.forget(into);
        }
        into.delta(&self.identity)?.end(&self.mark.bookmark())?;
        self.kept = self.mark.clone();
        Ok(())
    }

    /// Leaves nothing of a pack that was not ended.
    fn forget(&self, into: &mut PackWriter<'_>) -> Result<(), TaxiiError> {
        drop(into.delta(&self.identity)?);
        Ok(())
    }

    /// Asks for what is damaged and, once in a while, reads the manifests. Gives the collections that are to be read from
    /// an earlier moment on. What goes wrong is told, and does not keep from the rest.
    async fn upkeep(
        &mut self,
        collections: &[Collection],
        into: &mut PackWriter<'_>,
    ) -> Result<BTreeMap<String, Option<Timestamp>>, TaxiiError> {
        if self.damaged.iter().any(|damage| damage.id.is_some()) {
            self.mend(collections, into).await?;
        }
        let every = self.taxii.settings.manifest_every;
        let now = now(collections);
        let is_due = every.is_some_and(|every| {
            // A server's clock that was ahead says nothing of when they were read.
            let is_past = |at: &Timestamp| *at <= now.after(self.taxii.settings.overlap);
            let due = self.mark.manifest_at.filter(is_past).map(|at| at.after(every));
            self.mark.asked.is_some() || due.is_none_or(|due| due <= now)
        });
        if !is_due {
            let mut lowered = BTreeMap::new();
            if every.is_none() {
                self.lower_for_damage(&mut lowered);
            }
            return Ok(lowered);
        }
        let listed = self.listed(collections, into).await;
        let Listed { mut lowered, wanted, doubted, asked, census } = match listed {
            Ok(listed) => listed,
            Err(TaxiiError::Mirror(error)) => return Err(error.into()),
            Err(error) => {
                let why = error.fault().to_string();
                self.taxii.note(&format!(
                    "the manifests cannot be read, so nothing counts as gone for now: {why}"
                ));
                return Ok(BTreeMap::new());
            }
        };
        let verdicts = self.judged(collections, &doubted, &census).await;
        let is_whole = verdicts.trouble.is_none();
        if self.take(collections, &wanted, &verdicts, into).await? && is_whole {
            let told = Told { asked, at: now };
            match lowered.is_empty() {
                true => self.heard(told),
                false => self.told = Some(told),
            }
        }
        self.lower_for_damage(&mut lowered);
        Ok(lowered)
    }

    /// Reads all manifests, and compares them with what is there.
    async fn listed(
        &mut self,
        collections: &[Collection],
        into: &PackWriter<'_>,
    ) -> Result<Listed, TaxiiError> {
        let mut census = Census::of(into)?;
        let (mut wanted, mut lowered) = (Vec::new(), BTreeMap::new());
        for collection in collections {
            let since = self.mark.stand(&collection.name).since;
            let lacking: Wanted = self.taxii.manifest(collection, since, &mut census).await?;
            if let Some(from) = lacking.from() {
                lowered.insert(collection.name.clone(), from);
            }
            wanted.push(lacking.ids);
        }
        let (doubted, asked) = self.doubted(&census, into)?;
        Ok(Listed { lowered, wanted, doubted, asked, census })
    }

    /// The ids of what is to be asked for this time, and where the rest begins.
    fn doubted(
        &mut self,
        census: &Census,
        into: &PackWriter<'_>,
    ) -> Result<(Vec<String>, Option<String>), TaxiiError> {
        let done = &self.mark.asked;
        let mut names = census.doubtful();
        names.retain(|name| done.as_ref().is_none_or(|done| hex(name) > *done));
        let rest = names.len().saturating_sub(DOUBTED_MAX);
        names.truncate(DOUBTED_MAX);
        let asked = names.last().filter(|_| rest > 0).map(hex);
        if rest > 0 {
            self.taxii.note(&format!(
                "{} objects are in no manifest any more: {DOUBTED_MAX} are asked for now, the others with the next runs",
                rest + DOUBTED_MAX
            ));
        }
        let is_asked = |name: &Name| names.binary_search(name).is_ok();
        let damaged = self.damaged.iter().filter_map(|damage| damage.id.as_deref());
        let damaged = damaged.map(|id| (name(id), id.to_owned()));
        let mut ids: BTreeMap<_, _> = damaged.filter(|(name, _)| is_asked(name)).collect();
        if !names.is_empty() {
            into.objects(|object| {
                let name = name(object.id);
                if is_asked(&name) {
                    ids.insert(name, own_id(object));
                }
            })?;
        }
        Ok((ids.into_values().collect(), asked))
    }

    /// Asks for what no manifest lists.
    async fn judged(
        &mut self,
        collections: &[Collection],
        ids: &[String],
        census: &Census,
    ) -> Verdicts {
        let mut verdicts = self.taxii.verdicts(collections, ids, census).await;
        if let Some(trouble) = &verdicts.trouble {
            let note = format!("not all that is in no manifest could be asked for: {trouble}");
            self.taxii.note(&note);
        }
        if !verdicts.is_empty()
            && let Err(error) = self.taxii.are_readable(collections).await
        {
            let why = error.fault().to_string();
            self.taxii.note(&format!(
                "the collections cannot be read any more, so nothing counts as gone for now: {why}"
            ));
            verdicts = Verdicts::none(why);
        }
        verdicts
    }

    /// Writes down what is gone, and takes what was hidden; whether all of that was done.
    async fn take(
        &mut self,
        collections: &[Collection],
        wanted: &[Vec<String>],
        verdicts: &Verdicts,
        into: &mut PackWriter<'_>,
    ) -> Result<bool, TaxiiError> {
        if verdicts.is_empty() && wanted.iter().all(Vec::is_empty) {
            return Ok(true);
        }
        let mut pack = into.delta(&self.identity)?;
        verdicts.write(&mut pack)?;
        let (mut is_done, mut count) = (true, 0);
        for (collection, ids) in collections.iter().zip(wanted) {
            match self.taxii.fetch(collection, ids, &mut pack).await {
                Ok(fetched) => count += fetched,
                Err(TaxiiError::Mirror(error)) => return Err(error.into()),
                Err(error) => {
                    self.fail(error);
                    is_done = false;
                }
            }
        }
        if !verdicts.is_empty() {
            self.reread();
        } else if count == 0 {
            drop(pack);
            self.forget(into)?;
            return Ok(is_done);
        }
        pack.end(&self.mark.bookmark())?;
        self.kept = self.mark.clone();
        self.pulled = Pulled::Delta;
        Ok(is_done)
    }

    async fn mend(
        &mut self,
        collections: &[Collection],
        into: &mut PackWriter<'_>,
    ) -> Result<(), TaxiiError> {
        let damaged = self.next_damaged();
        let mut pack = into.delta(&self.identity)?;
        let Mended { count, has_removed } =
            self.taxii.mend(collections, &damaged, &mut pack).await?;
        if count == 0 {
            drop(pack);
            return self.forget(into);
        }
        if has_removed {
            self.reread();
        }
        pack.end(&self.mark.bookmark())?;
        self.kept = self.mark.clone();
        self.pulled = Pulled::Delta;
        Ok(())
    }

    /// What is damaged and asked for in this pull, in an order of chance: so what cannot be had keeps no other waiting for
    /// ever, and nothing has to be written down of a pull that brought nothing.
    fn next_damaged(&self) -> Vec<Damage> {
        let chance = Uuid::new_v4();
        let rank = |id: &str| Digest::plain(&[chance.as_bytes(), &name(id)[..]].concat());
        let askable = self.damaged.iter().filter_map(|it| Some((rank(it.id.as_deref()?), it)));
        let mut turn: Vec<_> = askable.collect();
        turn.sort_unstable_by_key(|(rank, _)| *rank);
        turn.truncate(DAMAGED_MAX);
        turn.into_iter().map(|(_, damage)| damage.clone()).collect()
    }

    /// What comes again after a removal is news, even if it is what it was.
    fn reread(&mut self) {
        self.mark.stands.values_mut().for_each(|stand| stand.window = None);
    }

    /// What was damaged, and of which nobody knows what it is, is settled only by reading again what it stood in.
    fn lower_for_damage(&mut self, lowered: &mut BTreeMap<String, Option<Timestamp>>) {
        for Damage { text, .. } in self.damaged.iter().filter(|damage| damage.id.is_none()) {
            for name in &self.taxii.settings.collections {
                let Some(from) = of_text(name, text) else { continue };
                let since = self.mark.stand(name).since;
                let lowest = lowered.entry(name.clone()).or_insert(since);
                *lowest = (*lowest).min(from);
            }
        }
    }
}

/// Up to where what manifests told was asked for, and when they were read.
struct Told {
    asked: Option<String>,
    at: Timestamp,
}

/// What manifests told.
struct Listed {
    /// Collections that are to be read from an earlier moment on.
    lowered: BTreeMap<String, Option<Timestamp>>,
    /// What is to be asked for in each collection.
    wanted: Vec<Vec<String>>,
    /// What is to be asked for in all of them.
    doubted: Vec<String>,
    /// Where the rest of that begins.
    asked: Option<String>,
    census: Census,
}

/// The id of an object as its source writes it.
fn own_id(object: &Object<'_>) -> String {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let named = serde_json::from_slice::<Named>(object.piece.raw);
    named.map_or_else(|_| object.id.to_owned(), |named| named.id)
}

fn hex(name: &Name) -> String {
    name.iter().map(|byte| format!("{byte:02x}")).collect()
}
