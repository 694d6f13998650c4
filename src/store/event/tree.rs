//! An event's attributes as a tree of content-addressed buckets, ordered by identity: the UUID that
//! follows from event, type and value.
//!
//! The head has slots; each slot is a range of identities and names a bucket, or an index node with slots of
//! its own. A change rewrites the buckets it falls into and the nodes above them, no more. Attributes are
//! never removed, so buckets are split and never joined.

use std::collections::BTreeMap;

use crate::{
    history::{Leads, LedgerError},
    model::{AttributeUuid, Digest, EventUuid, Interner},
    plan::KnownAttribute,
    store::{
        event::overlay::{Overlay, raw},
        record::{
            Identified, SlotV1, decode_bucket, encode_bucket,
            envelope::{Place, damaged, encode, undamaged},
        },
    },
};

/// How many things stand together before they are split into equal shares of at most two thirds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Most attributes in a bucket.
    bucket_max: usize,
    /// Most slots in a node, the head included.
    fanout_max: usize,
}

/// The shape of every tree that is stored. It may change: a reader takes any.
pub(crate) const SHAPE: Shape = Shape { bucket_max: 96, fanout_max: 96 };
/// A bucket is closed early once the texts in it are this long, so that it fits one value once packed.
const BUCKET_BYTES_MAX: usize = 16 << 10;
/// Far more levels than any event needs; more are damage.
const DEPTH_MAX: u8 = 8;

/// Attributes by identity.
pub(crate) type Attributes = BTreeMap<AttributeUuid, KnownAttribute>;

/// The top of a tree, as the head holds it.
#[derive(Debug, Default)]
pub(crate) struct Root {
    pub(crate) depth: u8,
    pub(crate) slots: Vec<SlotV1>,
}

impl Root {
    /// How many attributes there are.
    pub(crate) fn count(&self) -> u64 {
        self.slots.iter().map(|slot| slot.count).sum()
    }
}

/// The event whose tree it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// The key of its head.
    pub(crate) key: &'a [u8],
    pub(crate) event: EventUuid,
    pub(crate) shape: Shape,
}

impl<'a> Owner<'a> {
    /// Where the bucket or node of a slot is used: its range is enough to tell it from all others of its
    /// level.
    fn place(self, level: u8, first: &'a [u8; 16]) -> Place<'a> {
        let role = if level == 0 { "attributes" } else { "index" };
        Place { key: self.key, role, number: level.into(), at: first }
    }
}

/// All attributes of an event.
pub(crate) fn read(
    overlay: &Overlay<'_>,
    owner: Owner<'_>,
    root: &Root,
) -> Result<Attributes, LedgerError> {
    let (mut found, mut interner) = (Vec::new(), Interner::default());
    check_depth(root.depth)?;
    read_level(overlay, owner, root.depth, &root.slots, &mut interner, &mut found)?;
    let sorted = found.is_sorted_by(|(a, _), (b, _)| a < b);
    if !sorted || found.len() as u64 != root.count() {
        return Err(damaged(format!("the attributes of event {} are out of order", owner.event)));
    }
    Ok(found.into_iter().collect())
}

/// The tree with these attributes in it, new or as they are now. Adds what leads to those to which it did
/// not before.
pub(crate) fn update(
    overlay: &mut Overlay<'_>,
    owner: Owner<'_>,
    root: Root,
    changed: Attributes,
    leads: &mut Leads,
) -> Result<Root, LedgerError> {
    if changed.is_empty() {
        return Ok(root);
    }
    check_depth(root.depth)?;
    let mut depth = root.depth;
    let mut slots = update_level(overlay, owner, depth, root.slots, changed, leads)?;
    while slots.len() > owner.shape.fanout_max {
        depth += 1;
        slots = write_nodes(overlay, owner, depth, &slots)?;
    }
    Ok(Root { depth, slots })
}

/// Gathers all attributes that can be read, and counts those that cannot.
///
/// # Errors
/// If the operating system refuses, or something is of a later version: neither is damage.
pub(crate) fn salvage(
    overlay: &Overlay<'_>,
    owner: Owner<'_>,
    root: &Root,
    found: &mut Attributes,
) -> Result<u64, LedgerError> {
    check_depth(root.depth)?;
    let mut lost = 0;
    for slot in &root.slots {
        lost += if let Some(depth) = root.depth.checked_sub(1) {
            match undamaged(read_node(overlay, owner, root.depth, slot))? {
                Some(slots) => salvage(overlay, owner, &Root { depth, slots }, found)?,
                None => slot.count,
            }
        } else {
            match undamaged(read_bucket(overlay, owner, slot, &mut Interner::default()))? {
                Some(bucket) => {
                    found.extend(bucket);
                    0
                }
                None => slot.count,
            }
        };
    }
    Ok(lost)
}

/// The digests of all objects below, nodes before what they name; a check compares them with what is there.
pub(crate) fn objects(
    overlay: &Overlay<'_>,
    owner: Owner<'_>,
    root: &Root,
    found: &mut Vec<Digest>,
) -> Result<(), LedgerError> {
    check_depth(root.depth)?;
    for slot in &root.slots {
        found.extend(digests(slot));
        if let Some(depth) = root.depth.checked_sub(1) {
            let slots = read_node(overlay, owner, root.depth, slot)?;
            objects(overlay, owner, &Root { depth, slots }, found)?;
        }
    }
    Ok(())
}

fn read_level(
    overlay: &Overlay<'_>,
    owner: Owner<'_>,
    level: u8,
    slots: &[SlotV1],
    interner: &mut Interner,
    found: &mut Vec<Identified>,
) -> Result<(), LedgerError> {
    for slot in slots {
        match level.checked_sub(1) {
            Some(below) => {
                let slots = read_node(overlay, owner, level, slot)?;
                read_level(overlay, owner, below, &slots, interner, found)?;
            }
            None => found.extend(read_bucket(overlay, owner, slot, interner)?),
        }
    }
    Ok(())
}

fn update_level(
    overlay: &mut Overlay<'_>,
    owner: Owner<'_>,
    level: u8,
    slots: Vec<SlotV1>,
    mut changed: Attributes,
    leads: &mut Leads,
) -> Result<Vec<SlotV1>, LedgerError> {
    if slots.is_empty() {
        changed.values().for_each(|known| leads.attribute(known));
        return write_buckets(overlay, owner, changed);
    }
    let ends: Vec<_> = slots.iter().skip(1).map(|next| Some(uuid(&next.first))).collect();
    let mut updated = Vec::with_capacity(slots.len());
    for (slot, end) in slots.into_iter().zip(ends.into_iter().chain([None])) {
        let later = end.map_or_else(Attributes::new, |end| changed.split_off(&end));
        let here = std::mem::replace(&mut changed, later);
        if here.is_empty() {
            updated.push(slot);
            continue;
        }
        let old: Vec<Digest> = digests(&slot).collect();
        if let Some(below) = level.checked_sub(1) {
            let slots = read_node(overlay, owner, level, &slot)?;
            let slots = update_level(overlay, owner, below, slots, here, leads)?;
            overlay.free(&owner.place(level, &slot.first), &old);
            updated.extend(write_nodes(overlay, owner, level, &slots)?);
        } else {
            let known = read_bucket(overlay, owner, &slot, &mut Interner::default())?;
            let mut all: Attributes = known.into_iter().collect();
            for (identity, known) in here {
                if !all.get(&identity).is_some_and(|old| is_found_alike(old, &known)) {
                    leads.attribute(&known);
                }
                all.insert(identity, known);
            }
            overlay.free(&owner.place(0, &slot.first), &old);
            updated.extend(write_buckets(overlay, owner, all)?);
        }
    }
    Ok(updated)
}

/// Whether the same terms lead to both.
fn is_found_alike(old: &KnownAttribute, new: &KnownAttribute) -> bool {
    old.attribute.uuid == new.attribute.uuid && old.sources == new.sources
}

fn write_buckets(
    overlay: &mut Overlay<'_>,
    owner: Owner<'_>,
    attributes: Attributes,
) -> Result<Vec<SlotV1>, LedgerError> {
    let most = share(attributes.len(), owner.shape.bucket_max);
    let (mut slots, mut bucket, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (identity, known) in attributes {
        bytes += text_bytes(&known);
        bucket.push((identity, known));
        if bucket.len() == most || bytes >= BUCKET_BYTES_MAX {
            slots.push(write_bucket(overlay, owner, &bucket)?);
            (bucket, bytes) = (Vec::new(), 0);
        }
    }
    if !bucket.is_empty() {
        slots.push(write_bucket(overlay, owner, &bucket)?);
    }
    Ok(slots)
}

fn write_bucket(
    overlay: &mut Overlay<'_>,
    owner: Owner<'_>,
    bucket: &[Identified],
) -> Result<SlotV1, LedgerError> {
    let first = *bucket[0].0.uuid().as_bytes();
    let parts = overlay.put_pack(&owner.place(0, &first), &encode_bucket(bucket)?)?;
    Ok(SlotV1 { first, count: bucket.len() as u64, parts: raw(&parts) })
}

fn read_bucket(
    overlay: &Overlay<'_>,
    owner: Owner<'_>,
    slot: &SlotV1,
    interner: &mut Interner,
) -> Result<Vec<Identified>, LedgerError> {
    let parts: Vec<Digest> = digests(slot).collect();
    let body = overlay.pack(&owner.place(0, &slot.first), &parts)?;
    let known = decode_bucket(owner.event, &body, interner)?;
    let first = known.first().map(|(identity, _)| *identity.uuid().as_bytes());
    if first != Some(slot.first) || known.len() as u64 != slot.count {
        return Err(damaged(format!("a bucket of event {} is not the one named", owner.event)));
    }
    Ok(known)
}

fn write_nodes(
    overlay: &mut Overlay<'_>,
    owner: Owner<'_>,
    level: u8,
    slots: &[SlotV1],
) -> Result<Vec<SlotV1>, LedgerError> {
    let most = share(slots.len(), owner.shape.fanout_max);
    let nodes = slots.chunks(most).map(|node| {
        let first = node[0].first;
        let parts = overlay.put_pack(&owner.place(level, &first), &encode(&node)?)?;
        let count = node.iter().map(|slot| slot.count).sum();
        Ok(SlotV1 { first, count, parts: raw(&parts) })
    });
    nodes.collect()
}

fn read_node(
    overlay: &Overlay<'_>,
    owner: Owner<'_>,
    level: u8,
    slot: &SlotV1,
) -> Result<Vec<SlotV1>, LedgerError> {
    let parts: Vec<Digest> = digests(slot).collect();
    let body = overlay.pack(&owner.place(level, &slot.first), &parts)?;
    let slots: Vec<SlotV1> = body.decode("an index of attributes")?;
    let count: u64 = slots.iter().map(|slot| slot.count).sum();
    if slots.first().map(|first| first.first) != Some(slot.first) || count != slot.count {
        return Err(damaged(format!("an index of event {} is not the one named", owner.event)));
    }
    Ok(slots)
}

/// How many to put together: all of them, or as many as are in each of the fewest equal shares that have
/// room to grow.
fn share(count: usize, max: usize) -> usize {
    let target = (max / 3 * 2).max(2);
    if count <= max { count.max(1) } else { count.div_ceil(count.div_ceil(target)) }
}

fn text_bytes(known: &KnownAttribute) -> usize {
    let attribute = &known.attribute;
    let raw = known.sources.iter().filter_map(|source| source.raw.as_deref()).map(str::len);
    let entities = known.sources.iter().map(|source| source.entity.as_str().len());
    attribute.value.as_str().len()
        + attribute.comment.len()
        + attribute.tags.iter().map(|tag| tag.len()).sum::<usize>()
        + raw.sum::<usize>()
        + entities.sum::<usize>()
}

fn digests(slot: &SlotV1) -> impl Iterator<Item = Digest> + '_ {
    slot.parts.iter().map(|part| Digest::from_bytes(*part))
}

fn uuid(bytes: &[u8; 16]) -> AttributeUuid {
    AttributeUuid::new(uuid::Uuid::from_bytes(*bytes))
}

fn check_depth(depth: u8) -> Result<(), LedgerError> {
    match depth {
        0..=DEPTH_MAX => Ok(()),
        _ => Err(damaged(format!("a head speaks of {depth} levels of attributes"))),
    }
}

#[cfg(test)]
mod tests;
