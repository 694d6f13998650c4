//! An export in which somebody changed a place: an import takes a line only if all in it is as the program makes
//! it, and what it takes can be gone on with.

use arbitrary::{Result, Unstructured};
use serde_json::Value;

use misp_trickle::{
    history::{Commit, DatasetTally, DestinationTally, EventUpdate, KnownLoss, Ledger, RunRecord},
    model::{Context, Encoder, EventUuid, Reader, Timestamp},
    plan::{AttributeTally, DestinationRecord, KnownAttribute, MappingTally},
    store::{
        Disk,
        probe::{Told, told_by},
    },
};

use super::case::Case;

/// As far as every reader of JSON counts.
const NUMBER_MAX: u64 = 1 << 53;
/// Changes that are tried of one export.
const CHANGES: usize = 300;
/// Longest text of MISP's columns.
const TEXT_MAX: usize = 65_535;

/// The case as the program could have made it.
fn sane(case: &Case) -> Commit {
    let Case { known, record, cursor, run, changes, aliases, rules, losses, .. } = case;
    let (mut head, mut record, mut run) = (known.head.clone(), record.clone(), run.clone());
    let count = |count: &mut u64| *count %= NUMBER_MAX;
    let stamp = |stamp: &mut i64| *stamp %= 1 << 53;
    head.uuid = EventUuid::new(uuid::Uuid::new_v5(&head.uuid.uuid(), b"sane"));
    head.fields.info = format!("{}!", short(&head.fields.info)).into();
    head.fields.tags.iter_mut().for_each(cut);
    head.tags = head.tags.iter().filter(|tag| tag.name.len() < 100).cloned().collect();
    head.fields.date = "2024-02-29".into();
    head.fields.analysis %= 3;
    head.owner %= 32;
    head.misp_id.iter_mut().chain(&mut head.seen.numbered).for_each(count);
    head.timestamp
        .iter_mut()
        .chain(&mut head.seen.proven_up_to)
        .chain(&mut head.seen.not_before)
        .chain(&mut head.seen.fields_at)
        .for_each(stamp);
    head.foreign.iter_mut().for_each(|(_, row)| stamp(&mut row.timestamp));
    for feed in head.feeds.values_mut() {
        (feed.reader, feed.attributes, feed.mapping) =
            (Reader::NOW, run_tally(), MappingTally::default());
    }
    let mut attributes: Vec<KnownAttribute> = known.attributes.values().cloned().collect();
    attributes.retain(|known| (1..=1_000).contains(&known.attribute.value.as_str().len()));
    for known in &mut attributes {
        cut(&mut known.attribute.comment);
        known.attribute.tags.iter_mut().for_each(cut);
        known.attribute.category = known.attribute.kind.default_category();
        let [first, last] = [&mut known.attribute.first_seen, &mut known.attribute.last_seen];
        for time in first.iter_mut().chain(last.iter_mut()) {
            *time = Timestamp::from_seconds(time.seconds().rem_euclid(1 << 31));
        }
        *last = (*last).max(*first);
        known.timestamp.iter_mut().for_each(stamp);
        count(&mut known.since.0);
    }
    stamp(&mut record.clock_offset_seconds);
    let texts = [&mut record.url, &mut record.version].into_iter().chain(&mut record.reorders);
    for text in texts.chain(&mut record.encodings) {
        *text = short(text).to_owned();
    }
    record.permissions = record.permissions.iter().map(|name| short(name).to_owned()).collect();
    record.tags.retain(|tag, _| tag.len() < 100);
    record.proven_tags.retain(|tag| tag.len() < 100);
    run.source = short(&run.source).to_owned();
    record.feeds.sort_unstable();
    record.feeds.dedup();
    run.tally = DestinationTally::default();
    run.dataset = DatasetTally::default();
    if let Some(pull) = &mut run.pull {
        (pull.requests, pull.bytes_received, pull.objects) = (1, 2, 3);
    }
    Commit {
        events: vec![EventUpdate { head, attributes, changes: changes.clone() }],
        cursor: Some((run.feed.clone(), cursor.clone())),
        run: Some(run),
        destination: Some(record),
        aliases: aliases.clone(),
        rules: Some(rules.clone()),
        losses: losses.clone(),
    }
}

/// The beginning of a text, which is as long as any.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(100)]
}

fn cut(text: &mut Box<str>) {
    *text = short(text).into();
}

fn run_tally() -> AttributeTally {
    AttributeTally { planned: 1, sent: 1, ..AttributeTally::default() }
}

/// Changes one place of one line of an export, and reads it.
pub(super) fn changed(case: &Case) -> Result<()> {
    let mut store = super::over(&Disk::default()).expect("an empty disk is a new store");
    let commit = store.commit(&case.destination, case.run.number, sane(case));
    commit.expect("a disk in memory takes everything");
    let mut bytes = Vec::new();
    let Ok(()) = store.export(&mut bytes, Timestamp::from_seconds(0)).map(drop) else {
        panic!("a sound store is exported");
    };
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').skip(1).collect();
    let Some((_, lines)) = lines.split_last() else { return Ok(()) };
    if lines.is_empty() {
        return Ok(());
    }
    for line in lines {
        match told_by(line) {
            Ok(told) => sound(&told),
            Err(why) => panic!("what was just exported is refused: {why}: {}", shown(line)),
        }
    }
    // What made the case is used up mostly.
    let seed = Encoder::new(Context::Record).raw(&bytes).finish();
    let seed = seed.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let more = crate::seeded(seed, 64 * CHANGES);
    let input = &mut Unstructured::new(&more);
    for _ in 0..CHANGES {
        change(input.choose(lines)?, input)?;
    }
    Ok(())
}

/// Reads a line with one place of it changed.
fn change(line: &[u8], input: &mut Unstructured<'_>) -> Result<()> {
    let Ok(mut value) = serde_json::from_slice::<Value>(line) else { panic!("a line is JSON") };
    let mut places = 0;
    visit("", &mut value, &mut |_, _| places += 1);
    let wanted = input.int_in_range(0..=places.max(1) - 1)?;
    let (mut place, mut old, mut now) = (0, String::new(), String::new());
    let new = other(input)?;
    visit("", &mut value, &mut |name, leaf| {
        if place == wanted {
            let before = std::mem::replace(leaf, new.clone());
            old = match name {
                "" => before.to_string(),
                name => format!("\"{name}\":{before}"),
            };
            now = if name.is_empty() { new.to_string() } else { format!("\"{name}\":{new}") };
        }
        place += 1;
    });
    // The order of the members is that of the line, so the text is changed and not the value.
    let text = String::from_utf8_lossy(line);
    let Some(at) = text.rfind(&old) else { return Ok(()) };
    let text = format!("{}{now}{}", &text[..at], &text[at + old.len()..]);
    if let Ok(told) = told_by(text.as_bytes()) {
        sound(&told);
    }
    Ok(())
}

fn shown(line: &[u8]) -> String {
    line.escape_ascii().to_string().chars().take(2_000).collect()
}

/// Something to stand in place of a number or a text.
fn other(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match input.int_in_range(0..=11_u8)? {
        0 => Value::from(u64::MAX),
        1 => Value::from(i64::MIN),
        2 => Value::from(0),
        3 => Value::from(input.arbitrary::<u64>()?),
        4 => Value::from(""),
        5 => Value::from("x".repeat(70_000)),
        6 => Value::from(format!("@{}us", input.arbitrary::<i64>()?)),
        7 => Value::from(format!("{:04}-02-30", input.int_in_range(0..=9_999)?)),
        9 | 10 => Value::from(input.int_in_range(0..=255)?),
        8 => Value::from(uuid::Uuid::from_u128(input.arbitrary()?).to_string()),
        _ => Value::Null,
    })
}

/// Every number, text and truth value, in order, with the name of the member that it is.
fn visit(name: &str, value: &mut Value, each: &mut impl FnMut(&str, &mut Value)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| visit("", item, each)),
        Value::Object(map) => map.iter_mut().for_each(|(name, item)| visit(name, item, each)),
        leaf => each(name, leaf),
    }
}

fn sound(told: &Told) {
    match told {
        Told::Event(update) => event(update),
        Told::Run(record) => run(record),
        Told::Destination(record) => destination(record),
        Told::Changes(run, commit) => {
            assert!((1..=NUMBER_MAX).contains(run) && *commit <= NUMBER_MAX, "{run} {commit}");
        }
        Told::Cursor(run) => assert!(*run <= NUMBER_MAX, "{run}"),
        Told::Losses(losses) => {
            let within = |known: &KnownLoss| (1..=NUMBER_MAX).contains(&known.since.0);
            assert!(losses.known.iter().all(within), "{losses:?}");
            let is_over = |known: &KnownLoss| known.until.is_some() || known.ended.is_none();
            assert!(losses.known.iter().all(is_over) && losses.forgotten <= NUMBER_MAX);
        }
        Told::Other => {}
    }
}

fn event(update: &EventUpdate) {
    let EventUpdate { head, attributes, .. } = update;
    let fields = &head.fields;
    assert!((1..=5).contains(&head.uuid.uuid().get_version_num()), "{}", head.uuid);
    assert!(!fields.info.trim().is_empty() && fields.info.len() <= TEXT_MAX);
    assert!(fields.analysis <= 2 && head.owner < 32, "{} {}", fields.analysis, head.owner);
    let numbers: Vec<Option<u32>> = fields.date.split('-').map(|it| it.parse().ok()).collect();
    let [Some(year @ 1600..=9998), Some(month @ 1..=12), Some(day)] = numbers[..] else {
        panic!("{:?} is a day", fields.date)
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    assert!((1..=days).contains(&day) && fields.date.len() == 10, "{:?}", fields.date);
    let stamps =
        head.timestamp.iter().chain(attributes.iter().filter_map(|it| it.timestamp.as_ref()));
    let rows = head.foreign.iter().map(|(_, row)| &row.timestamp);
    assert!(stamps.chain(rows).all(|stamp| stamp.unsigned_abs() <= NUMBER_MAX));
    for known in attributes {
        let attribute = &known.attribute;
        assert!(attribute.kind.allows(attribute.category), "{attribute:?}");
        assert!((1..=TEXT_MAX).contains(&attribute.value.as_str().len()));
        assert!(attribute.comment.len() <= TEXT_MAX && known.since.0 <= NUMBER_MAX);
        assert!(attribute.tags.iter().all(|tag| tag.chars().count() <= 255));
        if let (Some(first), Some(last)) = (attribute.first_seen, attribute.last_seen) {
            assert!(first <= last, "{attribute:?}");
        }
        for time in attribute.first_seen.iter().chain(&attribute.last_seen) {
            assert!(!time.to_string().starts_with('@'), "{time}");
        }
    }
}

fn run(record: &RunRecord) {
    assert!((1..=NUMBER_MAX).contains(&record.number.0), "{}", record.number);
    let tally = &record.tally;
    let counts = [tally.requests, tally.bytes_sent, tally.bytes_received, record.dataset.incidents];
    let pulled = record.pull.iter();
    let pulled = pulled.flat_map(|pull| [pull.requests, pull.bytes_received, pull.objects]);
    assert!(counts.into_iter().chain(pulled).all(|count| count <= NUMBER_MAX), "{counts:?}");
}

fn destination(record: &DestinationRecord) {
    assert!(record.clock_offset_seconds.unsigned_abs() <= NUMBER_MAX);
    assert!(record.version.len() <= 2_000 && record.feeds.len() <= 32);
}
