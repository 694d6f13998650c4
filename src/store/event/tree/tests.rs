//! A tree of tiny buckets and nodes grows deep, holds what a map holds, and leaves nothing behind.

use std::collections::BTreeSet;

use crate::{
    misp::attribute_uuid,
    model::{Context, Digest, Encoder},
    store::{
        Disk, MemoryEngine,
        engine::Engine,
        event::tree::*,
        record::keys,
        tests::script::{Dice, attribute, events},
    },
};

const TINY: Shape = Shape { bucket_max: 4, fanout_max: 3 };

fn some(dice: &mut Dice, event: EventUuid, count: u64) -> Attributes {
    let known = (0..count).map(|_| {
        let number = dice.below(900);
        let known = attribute(dice, event, number);
        let identity = attribute_uuid(event, known.attribute.kind, &known.attribute.value);
        (identity, known)
    });
    known.collect()
}

#[test]
fn a_deep_tree_is_a_map() {
    let (disk, event, mut dice) = (Disk::default(), events()[0], Dice(11));
    let owner = Owner { key: b"h/x", event, shape: TINY };
    let (mut root, mut model) = (Root::default(), Attributes::new());
    for count in [1, 3, 200, 1, 1, 40, 300, 2, 150] {
        let changed = some(&mut dice, event, count);
        model.extend(changed.clone());
        let mut engine = MemoryEngine::on(disk.clone());
        let mut overlay = Overlay::over(&engine);
        root = update(&mut overlay, owner, root, changed, &mut Leads::default()).unwrap();
        assert!(read(&overlay, owner, &root).unwrap() == model, "before the commit");
        let writes = overlay.into_writes();
        engine.commit(&writes).unwrap();
        let overlay = Overlay::over(&engine);
        assert!(read(&overlay, owner, &root).unwrap() == model, "after the commit");
        assert_eq!(root.count(), model.len() as u64);
        let mut needed = Vec::new();
        objects(&overlay, owner, &root, &mut needed).unwrap();
        let there: BTreeSet<Digest> =
            disk.keys().iter().filter_map(|key| keys::object_digest(key)).collect();
        assert_eq!(needed.iter().copied().collect::<BTreeSet<_>>(), there);
        assert_eq!(needed.len(), there.len(), "each object is used in one place");
    }
    assert!((4..DEPTH_MAX).contains(&root.depth), "{}", root.depth);
}

#[test]
fn an_update_that_changes_nothing_writes_nothing_new() {
    let (disk, event, mut dice) = (Disk::default(), events()[0], Dice(12));
    let owner = Owner { key: b"h/x", event, shape: TINY };
    let all = some(&mut dice, event, 60);
    let mut engine = MemoryEngine::on(disk.clone());
    let mut overlay = Overlay::over(&engine);
    let root =
        update(&mut overlay, owner, Root::default(), all.clone(), &mut Leads::default()).unwrap();
    let slots = root.slots.clone();
    let writes = overlay.into_writes();
    engine.commit(&writes).unwrap();
    let mut overlay = Overlay::over(&engine);
    let one = all.into_iter().take(1).collect();
    let mut leads = Leads::default();
    assert_eq!(update(&mut overlay, owner, root, one, &mut leads).unwrap().slots, slots);
    assert!(leads.whole.is_empty() && leads.parts.is_empty(), "they lead there already: {leads:?}");
    for (key, value) in overlay.into_writes() {
        assert_eq!(disk.value(&key), value, "what is put again is what was there");
    }
}

#[test]
fn a_bucket_that_is_not_the_one_named_is_damage() {
    let (event, mut dice) = (events()[0], Dice(13));
    let owner = Owner { key: b"h/x", event, shape: TINY };
    let engine = MemoryEngine::on(Disk::default());
    let mut overlay = Overlay::over(&engine);
    let all = some(&mut dice, event, 60);
    let mut root =
        update(&mut overlay, owner, Root::default(), all, &mut Leads::default()).unwrap();
    let whole = root.slots.clone();
    let spoils: [fn(&mut SlotV1); 4] = [
        |slot| slot.count += 1,
        |slot| slot.first[0] ^= 1,
        |slot| slot.parts.clear(),
        |slot| slot.parts[0] = *Encoder::new(Context::Object).finish().as_bytes(),
    ];
    for spoil in spoils {
        spoil(&mut root.slots[0]);
        let error = read(&overlay, owner, &root).unwrap_err();
        assert!(matches!(&error, LedgerError::Damaged { .. }), "{error}");
        root.slots.clone_from(&whole);
    }
    root.slots.swap(0, 1);
    assert!(read(&overlay, owner, &root).is_err());
}
