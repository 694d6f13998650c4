//! Events in the store: a head under its name, its foreign rows and its attributes in objects.

use crate::{
    history::{EventUpdate, Leads, LedgerError},
    misp::attribute_uuid,
    model::{Digest, EventUuid},
    plan::{EventHead, KnownEvent, Row},
    store::{
        event::{
            overlay::{Overlay, raw},
            tree::{self, Attributes, Owner, Root, SHAPE},
        },
        record::{
            FOREIGN_ROWS_MAX, HeadV4, RowV1,
            envelope::{Body, Place, damaged, encode, undamaged},
            rows_of, stored_rows,
        },
    },
};

/// The head of an event whose record was read from under this key.
pub(crate) fn head(
    overlay: &Overlay<'_>,
    key: &[u8],
    body: &Body,
) -> Result<EventHead, LedgerError> {
    let stored = HeadV4::read(body)?;
    stored.head(event_of(key)?, foreign(overlay, key, &stored)?)
}

/// The event with all its attributes.
pub(crate) fn event(
    overlay: &Overlay<'_>,
    key: &[u8],
    body: &Body,
) -> Result<KnownEvent, LedgerError> {
    let stored = HeadV4::read(body)?;
    let event = event_of(key)?;
    let head = stored.head(event, foreign(overlay, key, &stored)?)?;
    let root = Root { depth: stored.base.depth, slots: stored.base.slots };
    let attributes = tree::read(overlay, Owner { key, event, shape: SHAPE }, &root)?;
    Ok(KnownEvent { head, attributes })
}

/// What can be read of an event whose record is whole.
pub(crate) struct Salvaged {
    pub(crate) event: KnownEvent,
    /// Attributes that cannot be read any more.
    pub(crate) attributes_lost: u64,
    /// Whether rows that are not ours cannot be read any more.
    pub(crate) rows_lost: bool,
}

/// Reads of an event what can be read. Where that is not all, the head says that it is unproven and no feed
/// is settled: the next run lists the event before it writes to it.
///
/// # Errors
/// If the operating system refuses, or something is of a later version.
pub(crate) fn salvage(
    overlay: &Overlay<'_>,
    key: &[u8],
    body: &Body,
) -> Result<Salvaged, LedgerError> {
    let stored = HeadV4::read(body)?;
    let event = event_of(key)?;
    let rows = undamaged(foreign(overlay, key, &stored))?;
    let rows_lost = rows.is_none();
    let mut head = stored.head(event, rows.unwrap_or_default())?;
    let mut attributes = Attributes::new();
    let root = Root { depth: stored.base.depth, slots: stored.base.slots };
    let owner = Owner { key, event, shape: SHAPE };
    let attributes_lost = tree::salvage(overlay, owner, &root, &mut attributes)?;
    if rows_lost || attributes_lost > 0 {
        head.unproven = true;
        for feed in head.feeds.values_mut() {
            feed.settled = false;
        }
    }
    let event = KnownEvent { head, attributes };
    Ok(Salvaged { event, attributes_lost, rows_lost })
}

/// Writes the head, and of its attributes those that changed. What the history gains is written elsewhere. Gives
/// what leads to the event now and did not before.
pub(crate) fn put(
    overlay: &mut Overlay<'_>,
    key: Vec<u8>,
    update: EventUpdate,
) -> Result<Leads, LedgerError> {
    let EventUpdate { head, attributes, changes: _ } = update;
    let mut leads = Leads::default();
    let (root, old_foreign) = match overlay.record(&key)? {
        Some(body) => {
            let old = HeadV4::read(&body)?;
            if old.base.misp_id != head.misp_id || *old.base.info != *head.fields.info {
                leads.head(&head);
            }
            (Root { depth: old.base.depth, slots: old.base.slots }, old.base.foreign)
        }
        None => {
            leads.head(&head);
            (Root::default(), Vec::new())
        }
    };
    let owner = Owner { key: &key, event: head.uuid, shape: SHAPE };
    let changed = attributes.into_iter().map(|known| {
        let attribute = &known.attribute;
        (attribute_uuid(owner.event, attribute.kind, &attribute.value), known)
    });
    let changed: Attributes = changed.collect();
    let root = tree::update(overlay, owner, root, changed, &mut leads)?;
    let foreign = put_foreign(overlay, &key, &old_foreign, &head.foreign)?;
    let mut stored = HeadV4::of(&head);
    let base = &mut stored.base;
    (base.depth, base.slots, base.foreign) = (root.depth, root.slots, foreign);
    let body = encode(&stored)?;
    overlay.put_record(key, &body)?;
    Ok(leads)
}

/// The digests of every object that a head needs.
pub(crate) fn objects(
    overlay: &Overlay<'_>,
    key: &[u8],
    body: &Body,
) -> Result<Vec<Digest>, LedgerError> {
    let stored = HeadV4::read(body)?;
    let mut found = overlay.record_parts(key)?;
    found.extend(stored.base.foreign.iter().flatten().map(|part| Digest::from_bytes(*part)));
    let root = Root { depth: stored.base.depth, slots: stored.base.slots };
    tree::objects(overlay, Owner { key, event: event_of(key)?, shape: SHAPE }, &root, &mut found)?;
    Ok(found)
}

/// The event that the key of its head names.
pub(crate) fn event_of(key: &[u8]) -> Result<EventUuid, LedgerError> {
    let bytes = key.last_chunk::<16>();
    let bytes = bytes.ok_or_else(|| damaged("the key of an event's head is cut off".to_owned()))?;
    Ok(EventUuid::new(uuid::Uuid::from_bytes(*bytes)))
}

fn foreign(
    overlay: &Overlay<'_>,
    key: &[u8],
    stored: &HeadV4<'_>,
) -> Result<Vec<(u32, Row)>, LedgerError> {
    let mut rows = Vec::new();
    for (number, parts) in stored.base.foreign.iter().enumerate() {
        let parts: Vec<Digest> = parts.iter().map(|part| Digest::from_bytes(*part)).collect();
        let body = overlay.pack(&foreign_place(key, number), &parts)?;
        let chunk: Vec<RowV1> = body.decode("rows that are not ours")?;
        rows.extend(rows_of(&chunk));
    }
    Ok(rows)
}

/// Rows are mostly added at the end: the chunks before stay the same objects, put again over the freed
/// ones and so not written anew.
fn put_foreign(
    overlay: &mut Overlay<'_>,
    key: &[u8],
    old: &[Vec<[u8; 32]>],
    rows: &[(u32, Row)],
) -> Result<Vec<Vec<[u8; 32]>>, LedgerError> {
    for (number, parts) in old.iter().enumerate() {
        let parts: Vec<Digest> = parts.iter().map(|part| Digest::from_bytes(*part)).collect();
        overlay.free(&foreign_place(key, number), &parts);
    }
    let chunks = rows.chunks(FOREIGN_ROWS_MAX).enumerate().map(|(number, chunk)| {
        let body = encode(&stored_rows(chunk))?;
        Ok(raw(&overlay.put_pack(&foreign_place(key, number), &body)?))
    });
    chunks.collect()
}

fn foreign_place(key: &[u8], number: usize) -> Place<'_> {
    Place { key, role: "foreign rows", number: number as u64, at: &[] }
}
