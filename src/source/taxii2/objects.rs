//! The objects of a collection, from their pages into a pack.

use std::time::Duration;

use crate::{
    format::Format,
    mirror::{Damage, MirrorError, Pack},
    model::Timestamp,
    source::peer::Rests,
};

use super::{
    Taxii2, TaxiiError,
    collection::Collection,
    mark::{Mark, Stand, Times},
    page::{List, Next, Page},
    walk::{Envelope, Fail, Takes, Walked, of_text},
};

/// Puts pages into a pack.
struct Packing<'p, 'w, 'm> {
    pack: &'p mut Pack<'w, 'm>,
    mark: &'p mut Mark,
    collection: &'p Collection,
    /// How it stood before.
    stood: Stand,
    overlap: Duration,
}

impl Takes for Packing<'_, '_, '_> {
    fn take(&mut self, page: &Page, text: &str) -> Result<Envelope, Fail> {
        match self.pack.document(text, Format::Stix21, &*page.bytes) {
            Ok(pages) => {
                let next = pages.next.filter(|_| pages.is_page).map(Next::new);
                Ok(Envelope { more: pages.is_page, next, last: None })
            }
            Err(MirrorError::Format(error)) => Err(Fail::Unreadable(error.fault().cause)),
            Err(error) => Err(Fail::Lasting(error.into())),
        }
    }

    fn proven(&mut self, last: Timestamp) -> Result<(), TaxiiError> {
        let within = self.stood.within(self.collection.asked, last, self.overlap);
        *self.mark.stand(&self.collection.name) = within;
        Ok(self.pack.checkpoint(&self.mark.bookmark())?)
    }

    fn disproven(&mut self) -> Result<(), TaxiiError> {
        *self.mark.stand(&self.collection.name) = self.stood.clone();
        Ok(self.pack.checkpoint(&self.mark.bookmark())?)
    }
}

impl<T: Rests> Taxii2<T> {
    /// Reads what was added to a collection after a time. The mark follows, also where it breaks off.
    pub(super) async fn objects(
        &self,
        collection: &Collection,
        from: Option<Timestamp>,
        mark: &mut Mark,
        pack: &mut Pack<'_, '_>,
    ) -> Result<Walked, TaxiiError> {
        let stood = Stand { id: collection.id.clone(), ..mark.stand(&collection.name).clone() };
        let overlap = self.settings.overlap;
        let mut packing = Packing { pack, mark, collection, stood: stood.clone(), overlap };
        let walked = self.walk(collection, List::Objects, from, &mut packing).await?;
        let Walked { last, ended, count, .. } = walked;
        let begun = collection.asked;
        let settled = match last {
            None if count > 0 => stood.settled_by_date(begun, overlap),
            last => stood.settled(Times { begun, ended, last }, overlap),
        };
        *mark.stand(&collection.name) = Stand { window: walked.window.clone(), ..settled };
        Ok(walked)
    }
}

/// Says that pages of earlier readings are no more, as all that was on them was read anew: what was damaged on them, and
/// of which nobody knows what it was, does not stand for ever. Whether there were any.
pub(super) fn heal(
    damaged: &[Damage],
    collection: &str,
    from: Option<Timestamp>,
    walked: &Walked,
    pack: &mut Pack<'_, '_>,
) -> Result<bool, MirrorError> {
    let mut any = false;
    for Damage { text, .. } in damaged {
        let is_behind = of_text(collection, text).is_some_and(|begun| begun >= from);
        if is_behind {
            any = true;
            if !walked.texts.contains(&**text) {
                pack.document(text, Format::Stix21, &b"{}"[..])?;
            }
        }
    }
    Ok(any)
}
