//! The power goes while a source is pulled: what is kept of it holds all that came before where it says that it stands.

use std::{collections::BTreeSet, io::BufRead, path::Path, sync::Arc, time::Duration};

use misp_trickle::{
    format::Format,
    mirror::{Bookmark, Mirror, MirrorError, PackWriter, Pulled, Source, SourceIdentity},
    model::FeedName,
    store::MirrorFolder,
};

use super::{Dice, Keeper, LIFE_MS, STORE, Unavailable, cut, rounds, seed, world::wait};

const CHILD: &str = "mirror::pulls_until_the_power_goes";
/// Objects that a pull brings.
const BROUGHT: u64 = 40;
/// After so many pulls comes one of all.
const WHOLE_EVERY: u64 = 9;

#[test]
fn what_was_pulled_is_kept() {
    let Some(rounds) = rounds() else { return };
    let mut dice = Dice::apart(seed(), "mirror");
    let mut pulls = 0;
    for round in 0..rounds {
        let life = Duration::from_millis(dice.below(LIFE_MS));
        match cut_once(life) {
            Ok(acknowledged) => pulls += acknowledged,
            Err(Unavailable(why)) => {
                println!("skipped: {why}");
                return;
            }
        }
        println!("round {round} of {rounds}: alive for {life:?}, {pulls} pulls in all");
    }
    assert!(pulls > rounds as u64, "hardly anything was pulled: nothing was shown");
}

/// One life of a mirror. Gives the number of pulls that ended.
fn cut_once(life: Duration) -> Result<u64, Unavailable> {
    let (told, mounted) = cut(CHILD, Keeper::Sled, life)?;
    let lines = told.lines().map(Result::unwrap);
    let done = lines.filter_map(|line| line.strip_prefix("done ")?.parse().ok()).max();
    let acknowledged: u64 = done.unwrap_or(0);
    let mirror = mirror(&mounted.path().join("state"));
    let fold = mirror.fold().unwrap();
    let mut kept = BTreeSet::new();
    mirror.objects(&fold, |object| kept.extend([object.id.to_owned()])).unwrap();
    let stands: u64 = fold.bookmark().map_or(0, |it| it.as_str().parse().unwrap());
    let under_way = acknowledged + 1;
    assert!((acknowledged..=under_way).contains(&stands), "{stands} is not {acknowledged}");
    // Of the pull under way packs may be there that it ended, which stand where the one before stood.
    let (least, most) = (held_after(stands), held_after(stands + 1));
    let added = kept.difference(&least).filter(|id| !most.contains(*id)).count();
    let lost = least.difference(&kept).filter(|id| most.contains(*id)).count();
    assert_eq!((added, lost), (0, 0), "after {acknowledged} pulls, at {stands}");
    assert_eq!(fold.strays().len(), 0, "{:?}", fold.strays());
    Ok(acknowledged)
}

fn mirror(store: &Path) -> Mirror {
    Mirror::new(Arc::new(MirrorFolder::of(store, &FeedName::new("main"))), identity())
}

fn identity() -> SourceIdentity {
    SourceIdentity::new("test").with("feed", "1")
}

fn id_of(number: u64) -> String {
    format!("incident--00000000-0000-4000-8000-{number:012x}")
}

/// What a source holds after so many changes: each brings some, and takes some of two before away.
fn held_after(changes: u64) -> BTreeSet<String> {
    (1..=changes).flat_map(|change| numbers_of(change, changes)).map(id_of).collect()
}

fn numbers_of(change: u64, now: u64) -> impl Iterator<Item = u64> {
    let all = (0..BROUGHT).map(move |it| change * BROUGHT + it);
    all.filter(move |number| change + 2 > now || !number.is_multiple_of(5))
}

/// A source whose next change is this one.
struct Changing(u64);

fn document(numbers: impl Iterator<Item = u64>) -> String {
    let mut dice = Dice::new(1);
    let objects = numbers.map(|number| {
        let noise: String = (0..12).map(|_| format!("{:016x}", dice.next())).collect();
        let id = id_of(number);
        format!(r#"{{"type":"incident","id":"{id}","modified":"2026-01-01T00:00:00Z","name":"{noise}"}}"#)
    });
    format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.collect::<Vec<_>>().join(","))
}

impl Source for Changing {
    type Error = MirrorError;

    async fn pull(
        &mut self,
        _: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, MirrorError> {
        let Self(now) = *self;
        let (before, at) = (Bookmark::new(&(now - 1).to_string()), Bookmark::new(&now.to_string()));
        if now % WHOLE_EVERY == 1 {
            let mut pack = into.whole(&identity())?;
            for change in 1..=now {
                let text = document(numbers_of(change, now));
                pack.document(&format!("text {change}"), Format::Stix21, text.as_bytes())?;
            }
            return pack.end(&at);
        }
        let mut pack = into.delta(&identity())?;
        for part in 0..2 {
            let numbers = numbers_of(now, now).filter(|number| number % 2 == part);
            let text = document(numbers);
            pack.document(&format!("text {now} {part}"), Format::Stix21, text.as_bytes())?;
            if part == 0 && now.is_multiple_of(2) {
                pack.end(&before)?;
                pack = into.delta(&identity())?;
            }
        }
        for gone in numbers_of(now.saturating_sub(2), 0).filter(|number| number.is_multiple_of(5)) {
            pack.remove(&id_of(gone), Format::Stix21)?;
        }
        pack.end(&at)
    }
}

#[test]
#[ignore = "the process whose power goes; the test above starts it"]
fn pulls_until_the_power_goes() {
    let Some(path) = std::env::var_os(STORE) else {
        println!("skipped: nobody said where");
        return;
    };
    // The store, which no mirror makes, and its name on the disk.
    let path = Path::new(&path);
    std::fs::create_dir_all(path).unwrap();
    std::fs::File::open(path.parent().unwrap()).unwrap().sync_all().unwrap();
    println!("\nready");
    for now in 1.. {
        let mut mirror = mirror(path);
        wait(mirror.pull(&mut Changing(now))).unwrap().0.unwrap();
        println!("done {now}");
    }
}
