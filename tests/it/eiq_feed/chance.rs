//! Seeds of chance over a platform that moves, breaks and lies.

use super::*;

/// Numbers that look like chance.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// The next day of a dataset: incidents come and change, and go where that is told.
pub(super) fn next_day(
    before: &[(usize, usize, usize)],
    chance: &mut Chance,
    forgets: bool,
) -> Vec<(usize, usize, usize)> {
    let mut day: Vec<_> =
        before.iter().copied().filter(|_| !forgets || chance.below(4) > 0).collect();
    for (_, second, domains) in &mut day {
        if chance.below(3) == 0 {
            (*second, *domains) = (*second + 1, *domains + chance.below(2));
        }
    }
    let next = before.iter().map(|(number, ..)| number + 1).max().unwrap_or(0);
    day.extend((next..next + chance.below(3)).map(|number| (number, 1, 1)));
    day
}

pub(super) fn elements_of(day: &[(usize, usize, usize)]) -> Vec<Value> {
    day.iter().flat_map(|(number, second, domains)| incident(*number, *second, *domains)).collect()
}

pub(super) fn some_trouble(chance: &mut Chance) -> Trouble {
    match chance.below(6) {
        0 => Trouble::Status([404, 410, 500, 503][chance.below(4)]),
        1 => Trouble::Cut(chance.below(400)),
        2 => Trouble::Page("<html>Log in</html>".to_owned()),
        3 => Trouble::Busy("1".to_owned()),
        _ => Trouble::Run,
    }
}

/// Whatever happens while it is read: what the mirror holds for whole is a state that the dataset had, and once the
/// platform is steady both are the same.
#[test]
fn whatever_happens_a_steady_feed_comes_to_what_one_whole_read_gives() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let strategy = [Packaged::Replace, Packaged::Append][chance.below(2)];
        let forgets = strategy == Packaged::Replace;
        let mut day = vec![(0, 1, 1), (1, 1, 1)];
        let links = [Links::Paths, Links::Urls][chance.below(2)];
        let paths = [Paths::Both, Paths::Private][chance.below(2)];
        let block_elements = (1 + chance.below(5)).try_into().ok();
        let setup = Setup { links, paths, block_elements, ..Setup::new(12, strategy) };
        let mut world = World::new(setup, &elements_of(&day));
        let mut states = vec![read(&elements_of(&day))];
        for _ in 0..12 {
            match chance.below(6) {
                0 => {
                    day = next_day(&day, &mut chance, forgets);
                    states.push(read(&elements_of(&day)));
                    world.put(&elements_of(&day));
                }
                1 => {
                    let what = ["begin", "package"][chance.below(2)];
                    world.command(json!({"do": what}));
                }
                2 => {
                    let path =
                        ["", BLOCKS, "outgoing-feeds/", "outgoing-feed-download/"][chance.below(4)];
                    let times = 1 + u32::try_from(chance.below(8)).unwrap();
                    let after = u32::try_from(chance.below(4)).unwrap();
                    let trouble = some_trouble(&mut chance);
                    world.trouble(path, after, times, trouble);
                }
                3 if forgets => {
                    world.command(json!({"do": "recreate", "from_one": chance.below(2) == 0}));
                }
                _ => {
                    let (_, fold) = world.pull();
                    if fold.is_whole() {
                        assert!(states.contains(&world.told(&fold)), "seed {seed}");
                    }
                }
            }
        }
        world.command(json!({"do": "clear"}));
        world.command(json!({"do": "package"}));
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), states[states.len() - 1], "seed {seed}");
        assert_eq!(fold.damaged(), [], "seed {seed}");
        assert_eq!(fold.is_whole(), forgets, "seed {seed}");
        assert_eq!(world.pulled().0, Pulled::Unchanged, "seed {seed}");
    }
}
