//! Notes of runs and pulls: those that say the same of several events are one line.

use std::{collections::BTreeMap, fmt::Write};

use crate::model::{Count, DestinationName};

use super::{
    Detail,
    words::{Clean, line},
};

/// How a note of one event begins, behind which stand its UUID and what there is to say of it.
const OF_EVENT: &str = "event ";
const UUID_CHARS: usize = 36;

/// What a note says, without the event that it says it of.
fn without_event(note: &str) -> Option<(&str, &str)> {
    let rest = note.strip_prefix(OF_EVENT)?;
    let (uuid, said) = rest.split_at_checked(UUID_CHARS)?;
    uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-').then_some((uuid, said))
}

/// Each note a line, in the order in which they came; unless all are wanted, of those that say the same the first and how
/// many there are.
pub(super) fn lines(out: &mut String, indent: &str, notes: &[String], detail: Detail) {
    if detail == Detail::Full {
        notes.iter().for_each(|note| line!(out, "{indent}{}", Clean(note)));
        return;
    }
    let mut told: Vec<(&str, &str, u64)> = Vec::new();
    for note in notes {
        let said = without_event(note).map_or(note.as_str(), |(_, said)| said);
        match told.iter_mut().find(|(_, known, _)| *known == said) {
            Some((_, _, times)) => *times += 1,
            None => told.push((note, said, 1)),
        }
    }
    for (note, said, times) in told {
        match (times, note == said) {
            (1, _) => line!(out, "{indent}{}", Clean(note)),
            (_, true) => line!(out, "{indent}{} ({} times)", Clean(note), Count(times)),
            (_, false) => {
                let others = Count(times - 1);
                let plural = if times == 2 { "" } else { "s" };
                line!(out, "{indent}{} (the same for {others} more event{plural})", Clean(note));
            }
        }
    }
}

/// Notes as they come: what is said of many events is said of the first, and at the end of how many more.
#[derive(Debug, Default)]
pub(in crate::cli) struct Notes {
    /// How often it was said of another event, by destination.
    told: BTreeMap<(DestinationName, String), u64>,
}

impl Notes {
    /// Whether nothing like it was said at this destination.
    pub(in crate::cli) fn is_new(&mut self, destination: &DestinationName, note: &str) -> bool {
        let Some((_, said)) = without_event(note) else { return true };
        let more = self.told.entry((destination.clone(), said.to_owned()));
        let mut is_new = true;
        more.and_modify(|more| {
            *more += 1;
            is_new = false;
        })
        .or_insert(0);
        is_new
    }

    /// What was not said.
    pub(in crate::cli) fn rest(self) -> impl Iterator<Item = (DestinationName, String)> {
        let left = self.told.into_iter().filter(|(_, more)| *more > 0);
        left.map(|((destination, said), more)| {
            let plural = if more == 1 { "" } else { "s" };
            (destination, format!("the same for {} more event{plural}{said}", Count(more)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_many_events_is_said_once() {
        let event = |digit: &str| format!("event {}: no tag", digit.repeat(36));
        let notes = [&event("a"), "x", &event("b"), "event horizon", "x", &event("ä"), &event("c")];
        let mut out = String::new();
        lines(&mut out, "  ", &notes.map(str::to_owned), Detail::Brief);
        let shown = format!(
            "  {} (the same for 2 more events)\n  x (2 times)\n  event horizon\n  {}\n",
            event("a"),
            event("ä")
        );
        assert_eq!(out, shown);
        out.clear();
        lines(&mut out, "", &notes.map(str::to_owned), Detail::Full);
        assert_eq!(out, notes.join("\n") + "\n");
    }

    #[test]
    fn while_a_run_goes_on_the_first_of_many_is_said() {
        let event = |digit: &str| format!("event {}: no tag", digit.repeat(36));
        let (main, other) = (DestinationName::new("main"), DestinationName::new("other"));
        let mut notes = Notes::default();
        assert!(notes.is_new(&main, &event("a")) && notes.is_new(&other, &event("a")));
        assert!(!notes.is_new(&main, &event("b")) && !notes.is_new(&main, &event("c")));
        assert!(notes.is_new(&main, "x") && notes.is_new(&main, "x"));
        let rest: Vec<_> = notes.rest().collect();
        assert_eq!(rest, [(main, "the same for 2 more events: no tag".to_owned())]);
    }
}
