//! Objects that are asked for one by one: those that seem to be gone, were hidden, or could not be read.

use std::slice;

use crate::{
    format::{Format, FormatError, Identity, Pages, Piece, Taker, Unreadable, name_of, take_apart},
    mirror::{Damage, Pack},
    model::{Symbol, Timestamp, Tlp, limits::ANSWER_BYTES_MAX, shortened},
    source::peer::{Ask, PeerError, Rests, Wrong},
};

use super::{
    Taxii2, TaxiiError,
    census::Census,
    collection::{Collection, segment},
    page::{Contained, List},
    walk::OBJECTS,
};

/// Bytes of older versions that are kept for what is gone; beyond them, the others are asked for with the next pulls.
const KEPT_BYTES_MAX: u64 = ANSWER_BYTES_MAX;
/// So many objects in a row that get no answer are no fault of theirs.
const AWAY_MAX: u32 = 3;

/// An object as a collection has it.
struct Found {
    /// What the text is called in the mirror.
    text: String,
    bytes: Vec<u8>,
    version: Option<Timestamp>,
    /// It can be read.
    is_sound: bool,
}

/// What is to be written of objects that seemed to be gone.
#[derive(Default)]
pub(super) struct Verdicts {
    /// Ids of what is gone. Where an older version than the known is the newest now, that comes with it.
    gone: Vec<(String, Vec<Found>)>,
    /// Why not all were asked for.
    pub(super) trouble: Option<String>,
}

impl Verdicts {
    /// Nothing is known.
    pub(super) fn none(trouble: String) -> Self {
        Self { trouble: Some(trouble), ..Self::default() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }

    /// Whether no more is to be kept in memory.
    fn is_full(&self) -> bool {
        is_too_much(self.gone.iter().flat_map(|(_, found)| found))
    }

    pub(super) fn write(&self, pack: &mut Pack<'_, '_>) -> Result<(), TaxiiError> {
        for (id, found) in &self.gone {
            pack.remove(id, Format::Stix21)?;
            for Found { text, bytes, .. } in found {
                pack.document(text, Format::Stix21, &**bytes)?;
            }
        }
        Ok(())
    }
}

/// Whether documents take more than is kept at once.
fn is_too_much<'f>(found: impl IntoIterator<Item = &'f Found>) -> bool {
    found.into_iter().map(|it| it.bytes.len() as u64).sum::<u64>() > KEPT_BYTES_MAX
}

impl<T: Rests> Taxii2<T> {
    /// An object as a collection has it now; none if it has not.
    async fn object(&self, collection: &Collection, id: &str) -> Result<Option<Found>, PeerError> {
        let path = collection.path(&format!("objects/{}/", segment(id)));
        let limit = OBJECTS.to_string();
        let query = [("limit", &*limit)];
        let ask = Ask { path: &path, query: &query, bytes_max: ANSWER_BYTES_MAX };
        let answer = match self.peer.answer(&ask).await {
            Ok(answer) => answer,
            Err(PeerError { wrong: Wrong::Missing { .. }, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let url = self.url(&path);
        let bytes = answer.bytes().map_err(|wrong| PeerError { url: url.clone(), wrong })?;
        let text = format!("collection {} object {id}", collection.name);
        let mut seen = Seen::of(id);
        let read: Result<Pages, FormatError> =
            take_apart(&*bytes, &Symbol::new(&text), Format::Stix21, &mut seen);
        match read {
            Ok(_) if seen.is_nothing() => Ok(None),
            Ok(_) => {
                let (version, is_sound) = (seen.version, seen.is_sound());
                Ok(Some(Found { text, bytes, version, is_sound }))
            }
            Err(error) => {
                let what = shortened(&self.peer.clean(&error.fault().cause)).into();
                Err(PeerError { url, wrong: Wrong::Strange { what } })
            }
        }
    }

    /// An object as each of these collections has it now; nothing is known, which is told, where it alone cannot be had.
    async fn everywhere(
        &mut self,
        collections: &[Collection],
        id: &str,
        troubles: &mut Troubles,
    ) -> Result<Option<Vec<Found>>, PeerError> {
        let mut found: Vec<Found> = Vec::new();
        for collection in collections {
            match self.object(collection, id).await {
                Ok(object) => {
                    found.extend(object);
                    if is_too_much(&found) {
                        self.note(&format!(
                            "object {id} takes more than {KEPT_BYTES_MAX} bytes in all collections together, so what is known of it stays"
                        ));
                        return Ok(None);
                    }
                }
                Err(error) if troubles.are_of_one(&error.wrong) => {
                    let name = &collection.name;
                    self.note(&format!(
                        "object {id} of collection {name} cannot be had, so what is known of it stays: {error}"
                    ));
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        troubles.away = 0;
        Ok(Some(found))
    }

    /// Asks all collections for what none of them lists, or only in older versions.
    pub(super) async fn verdicts(
        &mut self,
        collections: &[Collection],
        ids: &[String],
        census: &Census,
    ) -> Verdicts {
        let (mut verdicts, mut troubles) = (Verdicts::default(), Troubles::default());
        for id in ids.iter().filter(|id| is_askable(id)) {
            if verdicts.is_full() {
                let why = "the older versions that came are very many bytes; the next pull goes on";
                verdicts.trouble = Some(why.to_owned());
                return verdicts;
            }
            let found = match self.everywhere(collections, id, &mut troubles).await {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(trouble) => {
                    verdicts.trouble = Some(trouble.to_string());
                    return verdicts;
                }
            };
            let is_older = |it: &Found| it.is_sound && census.is_older(id, it.version);
            if found.is_empty() && census.is_listed(id) {
                self.note(&format!(
                    "object {id} is listed, and not there when it is asked for, so what is known of it stays"
                ));
            } else if found.iter().all(is_older) {
                verdicts.gone.push((id.clone(), found));
            }
        }
        verdicts
    }

    /// Whether all collections can still be read. One that may be read no more answers to some servers' users as if
    /// nothing were in it.
    pub(super) async fn are_readable(&self, collections: &[Collection]) -> Result<(), TaxiiError> {
        for Collection { name, .. } in collections {
            let collection = self.collection(name).await?;
            let page = self.page(&collection, List::Manifest, None, None, 1).await;
            let page = page.map_err(|broken| broken.error)?;
            if Contained::default().add(&page.bytes).is_none() {
                let url = self.url(&collection.path("manifest/"));
                let what = "it is another JSON than TAXII has there".to_owned();
                return Err(TaxiiError::Strange { url, what });
            }
        }
        Ok(())
    }

    /// Takes objects that a collection has; gives how many.
    pub(super) async fn fetch(
        &mut self,
        collection: &Collection,
        ids: &[String],
        pack: &mut Pack<'_, '_>,
    ) -> Result<usize, TaxiiError> {
        let (mut count, mut troubles) = (0, Troubles::default());
        for id in ids.iter().filter(|id| is_askable(id)) {
            let found = self.everywhere(slice::from_ref(collection), id, &mut troubles).await?;
            match found.and_then(|mut found| found.pop()) {
                Some(Found { text, bytes, is_sound: true, .. }) => {
                    pack.document(&text, Format::Stix21, &*bytes)?;
                    count += 1;
                }
                Some(Found { text, .. }) => {
                    self.note(&format!(
                        "{text} cannot be read; the next manifest asks for it again"
                    ));
                }
                None => {}
            }
        }
        Ok(count)
    }

    /// Asks again for what could not be read, as far as its id is known. What is not there any more is left to the
    /// manifests, which tell what is gone.
    pub(super) async fn mend(
        &mut self,
        collections: &[Collection],
        damaged: &[Damage],
        pack: &mut Pack<'_, '_>,
    ) -> Result<Mended, TaxiiError> {
        let (mut mended, mut troubles) = (Mended::default(), Troubles::default());
        for Damage { id, version, .. } in damaged {
            let Some(id) = id.as_deref().filter(|id| is_askable(id)) else { continue };
            let found = match self.everywhere(collections, id, &mut troubles).await {
                Ok(found) => found.unwrap_or_default(),
                Err(trouble) => {
                    self.note(&format!("not all that is damaged could be asked for: {trouble}"));
                    break;
                }
            };
            if found.is_empty() || !found.iter().all(|it| it.is_sound) {
                continue;
            }
            // Which version could not be read nobody knows, or it was taken back: nothing else would settle it.
            if version.is_none() || found.iter().all(|it| it.version < *version) {
                pack.remove(id, Format::Stix21)?;
                mended.has_removed = true;
            }
            for Found { text, bytes, .. } in &found {
                pack.document(text, Format::Stix21, &**bytes)?;
            }
            mended.count += 1;
        }
        Ok(mended)
    }
}

/// What was settled of what could not be read.
#[derive(Debug, Default)]
pub(super) struct Mended {
    pub(super) count: usize,
    /// Of some of it all versions that were known went before what came.
    pub(super) has_removed: bool,
}

/// Tells what is wrong with one object from what is wrong with a server.
#[derive(Debug, Default)]
struct Troubles {
    /// Objects in a row that got no answer.
    away: u32,
}

impl Troubles {
    fn are_of_one(&mut self, wrong: &Wrong) -> bool {
        match wrong {
            Wrong::Strange { .. } | Wrong::TooLarge { .. } => true,
            Wrong::Away { .. } => {
                self.away += 1;
                self.away < AWAY_MAX
            }
            _ => false,
        }
    }
}

/// Whether an id can stand in a path.
fn is_askable(id: &str) -> bool {
    !matches!(id, "" | "." | "..")
}

/// What is in an answer.
struct Seen {
    id: Box<str>,
    version: Option<Timestamp>,
    objects: usize,
    others: usize,
}

impl Seen {
    fn of(id: &str) -> Self {
        Self { id: name_of(id, Format::Stix21), version: None, objects: 0, others: 0 }
    }

    const fn is_nothing(&self) -> bool {
        self.objects == 0 && self.others == 0
    }

    const fn is_sound(&self) -> bool {
        self.objects > 0 && self.others == 0
    }
}

impl Taker for Seen {
    fn document(&mut self, _: &Symbol, _: Format) {}

    fn object(&mut self, _: &Piece<'_>, identity: &Identity) {
        if identity.id == self.id {
            self.objects += 1;
            self.version = self.version.max(identity.version);
        } else {
            self.others += 1;
        }
    }

    fn damaged(&mut self, _: &Unreadable<'_>) {
        self.others += 1;
    }

    fn closed(&mut self, _: Option<Tlp>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_in_memory_of_what_is_gone_has_an_end() {
        let size = usize::try_from(KEPT_BYTES_MAX).unwrap() / 2;
        let one = |_| Found {
            text: String::new(),
            bytes: vec![b' '; size],
            version: None,
            is_sound: true,
        };
        let found = |count| (0..count).map(one).collect();
        let mut verdicts = Verdicts::default();
        assert!(!verdicts.is_full());
        verdicts.gone.push(("a".to_owned(), found(2)));
        assert!(!verdicts.is_full());
        verdicts.gone.push(("b".to_owned(), found(1)));
        assert!(verdicts.is_full());
    }
}
