//! Objects that are asked for one by one: those that seem to be gone, were hidden, or could not be read.

use crate::{
    format::{Format, FormatError, Identity, Pages, Piece, Taker, Unreadable, name_of, take_apart},
    mirror::{Damage, Pack},
    model::{Symbol, Timestamp, Tlp, limits::ANSWER_BYTES_MAX},
    source::peer::{Ask, PeerError, Rests, Wrong},
};

use super::{
    Taxii2, TaxiiError,
    census::Census,
    collection::{Collection, segment},
    page::{Contained, List},
    walk::OBJECTS,
};

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
    /// Ids, and of those of which an older version is the newest now, that.
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
        let mut look = Look::of(id);
        let read = take_apart(&*bytes, &Symbol::new(&text), Format::Stix21, &mut look);
        match read {
            Ok(_) if look.is_nothing() => Ok(None),
            Ok::<Pages, FormatError>(_) => {
                let (version, is_sound) = (look.version, look.is_sound());
                Ok(Some(Found { text, bytes, version, is_sound }))
            }
            Err(error) => {
                let wrong = Wrong::Strange { what: error.fault().cause };
                Err(PeerError { url, wrong })
            }
        }
    }

    /// Asks all collections for what none of them lists.
    pub(super) async fn verdicts(
        &self,
        collections: &[Collection],
        ids: &[String],
        census: &Census,
    ) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for id in ids.iter().filter(|id| is_askable(id)) {
            let mut found = Vec::new();
            for collection in collections {
                match self.object(collection, id).await {
                    Ok(object) => found.extend(object),
                    Err(trouble) => {
                        verdicts.trouble = Some(trouble.to_string());
                        return verdicts;
                    }
                }
            }
            let is_older = |it: &Found| it.is_sound && census.is_older(id, it.version);
            if found.iter().all(is_older) {
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
        let mut count = 0;
        for id in ids.iter().filter(|id| is_askable(id)) {
            match self.object(collection, id).await? {
                Some(Found { text, bytes, is_sound: true, .. }) => {
                    pack.document(&text, Format::Stix21, &*bytes)?;
                    count += 1;
                }
                Some(Found { text, .. }) => {
                    self.note(format!("{text} cannot be read; it is asked for again"));
                }
                None => {}
            }
        }
        Ok(count)
    }

    /// Asks again for what could not be read, as far as its id is known; gives how much of it is settled.
    pub(super) async fn mend(
        &self,
        collections: &[Collection],
        damaged: &[Damage],
        pack: &mut Pack<'_, '_>,
    ) -> Result<usize, TaxiiError> {
        let mut count = 0;
        for Damage { id, version, .. } in damaged {
            let Some(id) = id.as_deref().filter(|id| is_askable(id)) else { continue };
            let mut found = Vec::new();
            for collection in collections {
                found.extend(self.object(collection, id).await?);
            }
            if !found.iter().all(|it| it.is_sound) {
                continue;
            }
            // Which version could not be read nobody knows, so nothing else would settle it.
            if version.is_none() || found.is_empty() {
                pack.remove(id, Format::Stix21)?;
            }
            for Found { text, bytes, .. } in &found {
                pack.document(text, Format::Stix21, &**bytes)?;
            }
            count += 1;
        }
        Ok(count)
    }
}

/// Whether an id can stand in a path.
fn is_askable(id: &str) -> bool {
    !matches!(id, "" | "." | "..")
}

/// What is in an answer.
struct Look {
    id: Box<str>,
    version: Option<Timestamp>,
    objects: usize,
    others: usize,
}

impl Look {
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

impl Taker for Look {
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
