//! The manifest of a collection: which objects it has, without them.

use serde::Deserialize;

use crate::{http::Misread, model::Timestamp, source::peer::Rests};

use super::{
    Taxii2, TaxiiError,
    census::{Census, Sight},
    collection::Collection,
    mark::just_before,
    page::{List, Next, Page},
    walk::{Envelope, Fail, Takes},
};

/// Most objects of a collection that are asked for one by one. Of more, all is read again from the earliest on.
const WANTED_MAX: usize = 200;

/// What a collection has that the mirror should have, and has not.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Ids, where they are few.
    pub(super) ids: Vec<String>,
    /// How many there are.
    count: usize,
    /// The earliest stamp of them, and whether each has one.
    earliest: Option<Timestamp>,
    are_stamped: bool,
}

impl Wanted {
    /// From where on to read where they are many; `None` where they are few.
    pub(super) fn from(&self) -> Option<Option<Timestamp>> {
        let are_many = self.count > WANTED_MAX;
        are_many.then(|| self.earliest.filter(|_| self.are_stamped).map(just_before))
    }

    fn push(&mut self, id: String, stamp: Option<Timestamp>) {
        self.are_stamped = (self.count == 0 || self.are_stamped) && stamp.is_some();
        self.earliest = self.earliest.map_or(stamp, |earliest| stamp.map(|it| it.min(earliest)));
        self.count += 1;
        if self.count <= WANTED_MAX {
            self.ids.push(id);
        } else {
            self.ids.clear();
        }
    }
}

#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    more: Option<bool>,
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    objects: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    date_added: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

/// Compares pages of a manifest with the mirror.
struct Comparing<'c> {
    census: &'c mut Census,
    /// What has a later stamp comes by itself.
    since: Option<Timestamp>,
    wanted: Wanted,
}

impl Takes for Comparing<'_> {
    fn take(&mut self, page: &Page, _: &str) -> Result<Envelope, Fail> {
        let manifest: Manifest = serde_json::from_slice(&page.bytes)
            .map_err(|error| Misread::of(&page.bytes, &error))
            .map_err(|why| Fail::Unreadable(format!("it is no page of a manifest: {why}")))?;
        let Manifest { more, next, objects } = manifest;
        let mut last = None;
        for Entry { id, date_added, version } in objects {
            let time = |text: Option<String>| Timestamp::parse(&text?).ok();
            let (stamp, version) = (time(date_added), time(version));
            last = last.max(stamp);
            let comes = self.since.is_none() || stamp > self.since;
            if self.census.see(&id, version) == Sight::Lacking && !comes {
                self.wanted.push(id, stamp);
            }
        }
        let more = more.unwrap_or(next.is_some());
        Ok(Envelope { more, next: next.filter(|_| more).map(Next::new), last })
    }

    fn proven(&mut self, _: Timestamp) -> Result<(), TaxiiError> {
        Ok(())
    }

    fn disproven(&mut self) -> Result<(), TaxiiError> {
        Ok(())
    }
}

impl<T: Rests> Taxii2<T> {
    /// Reads the manifest of a collection of which all up to a stamp should be in the mirror.
    pub(super) async fn manifest(
        &self,
        collection: &Collection,
        since: Option<Timestamp>,
        census: &mut Census,
    ) -> Result<Wanted, TaxiiError> {
        let mut comparing = Comparing { census, since, wanted: Wanted::default() };
        self.walk(collection, List::Manifest, None, &mut comparing).await?;
        Ok(comparing.wanted)
    }
}
