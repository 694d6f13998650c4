//! Seeds of chance over a server that grows, forgets, breaks and shows things late.

use misp_trickle_testing::dice::Dice;

use super::*;

fn some_ways(dice: &mut Dice) -> Ways {
    let paging = [Paging::Place, Paging::Pops];
    let manifests = [Paging::Place, Paging::Pops, Paging::Silent];
    let one_stamp = dice.chance(30);
    let manifest = match one_stamp {
        // Nobody can read more than a page of one stamp.
        true => *dice.pick(&paging).unwrap(),
        false => *dice.pick(&manifests).unwrap(),
    };
    Ways {
        objects: *dice.pick(&paging).unwrap(),
        manifest,
        // Where a page of one is the next one's beginning, nobody comes to the end.
        page_max: 2 + dice.below(6) as usize,
        one_stamp,
        has_date: dice.chance(80),
        has_stamps: dice.chance(85),
        stamps_ahead: *dice.pick(&[0, 0, 0, -5_000, 5_000]).unwrap(),
        ..Ways::default()
    }
}

fn some_trouble(dice: &mut Dice) -> Trouble {
    match dice.below(6) {
        0 => Trouble::Say(500, "", "{}"),
        1 => Trouble::Say(429, "Retry-After: 3", ""),
        2 => Trouble::Say(400, "", "{}"),
        3 => Trouble::Say(200, "", "<html>"),
        _ => Trouble::Cut(dice.below(600) as usize),
    }
}

/// Whatever happens meanwhile: nothing that is there is taken for gone, and once the server is steady the mirror comes to
/// what a whole read gives.
#[test]
fn whatever_happens_a_steady_server_comes_to_what_one_whole_read_gives() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("TAXII_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TAXII_SEEDS").unwrap_or(40),
    };
    seeds.for_each(life);
}

/// Ids of all that is in the mirror.
fn ids(world: &World, fold: &Fold) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    world.mirror().objects(fold, |object| ids.extend([object.id.to_owned()])).unwrap();
    ids
}

fn life(seed: u64) {
    let mut dice = Dice::new(seed);
    let names: &[&str] = if dice.chance(50) { &["one", "two"] } else { &["one"] };
    let mut world = World::new(some_ways(&mut dice), names);
    world.tries_max = 3;
    // Some servers show all within the overlap and forget nothing: there it has to go without manifests.
    let is_prompt = dice.chance(40);
    if is_prompt {
        world.settings.manifest_every = None;
    } else if !world.taxii.state().ways.has_date {
        // Nobody but our own clock says when a day has passed.
        world.settings.manifest_every = Some(Duration::ZERO);
    }
    let mut minutes = [0_usize; 40];
    let mut there = BTreeSet::new();
    for _ in 0..40 {
        let collection = *dice.pick(names).unwrap();
        match dice.below(10) {
            0..=2 => {
                // New ones, and newer versions; seen at once, late, or far too late.
                let far = if is_prompt { 0 } else { 3 * 60 * MINUTE };
                let late = [0, 0, 4 * MINUTE, 9 * MINUTE, far];
                let late = *dice.pick(&late).unwrap();
                let numbers = (0..1 + dice.below(5)).map(|_| dice.below(40) as usize);
                let numbers: BTreeSet<usize> = numbers.collect();
                for number in &numbers {
                    minutes[*number] = (minutes[*number] + 1).min(59);
                }
                let objects = numbers.iter().flat_map(|number| incident(*number, minutes[*number]));
                world.taxii.post(collection, &objects.collect::<Vec<_>>(), late);
            }
            3 if !is_prompt => {
                if let Some(id) = dice.pick(&world.taxii.ids(collection)) {
                    world.taxii.delete(collection, id, dice.chance(30));
                }
            }
            4 => {
                let target = ["objects/", "next=", "manifest", "collections", "objects/i"];
                let target = dice.pick(&target).unwrap();
                let (after, times) = (dice.below(4) as usize, 1 + dice.below(6) as usize);
                let trouble = match *target {
                    // A list that lacks all that there is.
                    "manifest" if dice.chance(40) => Trouble::Say(200, "", "{}"),
                    _ => some_trouble(&mut dice),
                };
                world.taxii.trouble(target, after, times, trouble);
            }
            5 => world.taxii.advance(dice.below(1_500) as i64),
            6 if dice.chance(10) => {
                world.files = MemoryFiles::default();
                there.clear();
            }
            7 if dice.chance(20) => world.taxii.advance(DAY),
            _ => {
                let (_, fold) = world.pull();
                let (before, seen) = (std::mem::take(&mut there), world.taxii.seen());
                there = ids(&world, &fold);
                // What was there, and can be seen, is there.
                let lost: Vec<_> =
                    before.difference(&there).filter(|id| seen.contains(*id)).collect();
                assert_eq!(lost, [""; 0], "seed {seed}");
                world.taxii.advance(MINUTE);
            }
        }
    }
    world.taxii.clear();
    // All is seen, an overlap passed, and the manifest is due.
    world.taxii.advance(DAY);
    world.pulled();
    world.taxii.advance(DAY);
    let (_, fold) = world.pulled();
    let (mirror, server) = (world.told(&fold), read(&world.taxii.whole()));
    let lacks: Vec<_> = server.difference(&mirror).collect();
    let more: Vec<_> = mirror.difference(&server).collect();
    let ways = world.taxii.state().ways.clone();
    assert!(mirror == server, "seed {seed}: {ways:#?} it lacks {lacks:#?} and has {more:#?}");
    assert!(fold.is_whole(), "seed {seed}");
    world.taxii.advance(20 * MINUTE);
    world.pulled();
    assert_eq!(world.pulled().0, Pulled::Unchanged, "seed {seed}");
}
