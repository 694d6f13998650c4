//! A destination gets another name: what is known of it stands under the new one with one commit, and nowhere else.

use std::collections::BTreeSet;

use crate::{
    history::{EventUpdate, Ledger, LedgerError},
    model::{DestinationName, Digest},
    store::{
        Store,
        engine::{Engine, Writes},
        event::{layout, overlay::Overlay},
        record::{
            DestinationV3, RunV3,
            envelope::{Place, encode},
            keys::{self, IndexOf, Kind, Name},
        },
    },
};

impl Store {
    /// Gives a destination the name that it has by now: events, losses, cursors, index, runs, and what is known of its
    /// MISP. Whether there was one of the old name. It takes memory for all that is known of the destination; after an
    /// interruption all of it is as it was.
    ///
    /// Nothing may be known yet under the new name but who its MISP is.
    ///
    /// # Errors
    /// If the store is damaged, or cannot be written; then nothing changed.
    pub fn rename_destination(
        &mut self,
        old: &DestinationName,
        new: &DestinationName,
    ) -> Result<bool, LedgerError> {
        let Some(record) = self.destination(old)? else { return Ok(false) };
        self.check_writable()?;
        let mut move_ = Move {
            engine: &*self.engine,
            overlay: Overlay::over(&*self.engine),
            garbage: Writes::new(),
            from: Name::of(old.as_str()),
            to: Name::of(new.as_str()),
        };
        move_.heads()?;
        move_.as_they_are(Kind::Losses)?;
        move_.as_they_are(Kind::Index)?;
        move_.cursors()?;
        move_.runs(old, new)?;
        let body = encode(&DestinationV3::of(new, &record))?;
        move_.overlay.put_record(keys::destination(new), &body)?;
        move_.overlay.remove_record(keys::destination(old))?;
        let Move { overlay, mut garbage, .. } = move_;
        let mut writes = overlay.into_writes();
        writes.append(&mut garbage);
        self.write(writes)?;
        Ok(true)
    }
}

/// All that one destination gives to another, until it is written.
struct Move<'e> {
    engine: &'e dyn Engine,
    overlay: Overlay<'e>,
    /// Objects of heads under the old name.
    garbage: Writes,
    from: Name,
    to: Name,
}

impl Move<'_> {
    /// An object says where it is used, so those of events are made anew.
    fn heads(&mut self) -> Result<(), LedgerError> {
        for key in self.keys_of(Kind::Head)? {
            let Some(moved) = keys::at_destination(&key, &self.from, &self.to) else { continue };
            let Some(body) = self.overlay.record(&key)? else { continue };
            let event = layout::event(&self.overlay, &key, &body)?;
            let old: BTreeSet<Digest> =
                layout::objects(&self.overlay, &key, &body)?.into_iter().collect();
            // What leads there is in the index already, which moves as it is.
            drop(layout::put(&mut self.overlay, moved, EventUpdate::whole(event))?);
            self.overlay.remove_record(key.clone())?;
            self.give_up(&key, &old)?;
        }
        Ok(())
    }

    fn give_up(&mut self, head: &[u8], old: &BTreeSet<Digest>) -> Result<(), LedgerError> {
        let place = Place { key: head, role: "", number: 0, at: &[] };
        let garbage = &mut self.garbage;
        self.engine.scan(&keys::objects_near(place.near()), &mut |key, _| {
            if keys::object_digest(key).is_some_and(|digest| old.contains(&digest)) {
                garbage.insert(key.to_vec(), None);
            }
            Ok(())
        })
    }

    /// Records whose body says nothing of where they stand.
    fn as_they_are(&mut self, kind: Kind) -> Result<(), LedgerError> {
        for key in self.keys_of(kind)? {
            // Aliases are of no destination.
            if keys::index_names(&key).is_some_and(|(_, of, _)| of == IndexOf::Aliases) {
                continue;
            }
            let Some(moved) = keys::at_destination(&key, &self.from, &self.to) else { continue };
            self.carry(key, moved)?;
        }
        Ok(())
    }

    fn cursors(&mut self) -> Result<(), LedgerError> {
        for key in self.keys_of(Kind::Cursor)? {
            let named = keys::cursor_names(&key).filter(|(_, name)| *name == self.from);
            let Some((feed, _)) = named else { continue };
            self.carry(key, keys::cursor_of(&feed, &self.to))?;
        }
        Ok(())
    }

    fn runs(&mut self, old: &DestinationName, new: &DestinationName) -> Result<(), LedgerError> {
        for key in self.keys_of(Kind::Run)? {
            let Some(body) = self.overlay.record(&key)? else { continue };
            let mut run = RunV3::read(&body)?;
            if run.destination == *old {
                run.destination = new.clone();
                self.overlay.put_record(key, &encode(&RunV3::of(&run))?)?;
            }
        }
        Ok(())
    }

    fn carry(&mut self, from: Vec<u8>, to: Vec<u8>) -> Result<(), LedgerError> {
        if let Some(body) = self.overlay.record(&from)? {
            self.overlay.put_record(to, &body)?;
            self.overlay.remove_record(from)?;
        }
        Ok(())
    }

    fn keys_of(&self, kind: Kind) -> Result<Vec<Vec<u8>>, LedgerError> {
        let mut keys = Vec::new();
        self.engine.scan(kind.prefix(), &mut |key, _| {
            keys.push(key.to_vec());
            Ok(())
        })?;
        Ok(keys)
    }
}
