//! Notes of runs and pulls: those that say the same of several events are one line.

use std::fmt::Write;

use crate::model::Count;

use super::words::{Clean, line};

/// How a note of one event begins, behind which stand its UUID and what there is to say of it.
const OF_EVENT: &str = "event ";
const UUID_CHARS: usize = 36;

/// What a note says, without the event that it says it of.
pub(in crate::cli) fn without_event(note: &str) -> Option<(&str, &str)> {
    let rest = note.strip_prefix(OF_EVENT)?;
    let (uuid, said) = rest.split_at_checked(UUID_CHARS)?;
    uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-').then_some((uuid, said))
}

/// Each note a line, in the order in which they came; of those that say the same, the first and how many there are.
pub(super) fn lines(out: &mut String, indent: &str, notes: &[String]) {
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
                line!(out, "{indent}{} (the same for {others} more events)", Clean(note));
            }
        }
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
        lines(&mut out, "  ", &notes.map(str::to_owned));
        let shown = format!(
            "  {} (the same for 2 more events)\n  x (2 times)\n  event horizon\n  {}\n",
            event("a"),
            event("ä")
        );
        assert_eq!(out, shown);
    }
}
