//! Whether MISP still holds what the ledger says, at the price of a few headers.
//!
//! MISP answers a question for rows with 304 where they are as expected, and with all of them where they
//! are not. So two cheap questions come first: which rows changed since the newest that we know, and how
//! many live ones there are, halved until the events are found that have another number. What they tell
//! is only foreseen; the ETag of the rows proves it, of many events in one question where nothing is
//! suspected, of one event where something is.

mod colours;
mod finding;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

use crate::{
    model::AttributeUuid,
    plan::{DestinationRecord, KnownEvent, Row},
};

use super::{Call, RefusedWhy, Reply, TaggedRow, rows};

use colours::{Carriers, Colours};
pub use finding::{Difference, Drift, Finding, LostColour, There};

/// Most events that are looked at together: a question for the rows of 50 costs 2.8 KB.
pub const EVENTS_MAX: usize = 50;
/// Most rows that are looked at together, those of a single event aside.
pub const ROWS_MAX: usize = 50_000;
/// So few rows may come back, 52 bytes each, before the cheap questions pay: they cost 2.4 KB.
const FEW_ROWS: usize = 200;
/// Most rows of our own that may come back, because other events were written to later.
const ECHO_MAX: usize = 20;
/// Where more is to be heard of, one of so many rows may come back.
const ECHO_PARTS: usize = 20;

/// Of so few rows a list costs no more than the questions that need none.
const FEW_ROWS_OF_ONE: usize = 40;

/// How a MISP lists rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Habits {
    /// It keeps what was soft-deleted to itself unless it is asked for it alone.
    pub hides_deleted: bool,
    /// Its order is not that in which rows were added.
    pub reorders: bool,
}

/// The questions about up to [`EVENTS_MAX`] events, one after the other.
#[derive(Debug)]
pub struct Verification {
    /// In MISP's order; those without a number first.
    subjects: Vec<Subject>,
    questions: VecDeque<Question>,
    /// From when on the cheap questions ask.
    since: i64,
    stage: Stage,
    /// Fewer events than were named carry a colour: the tag, the events, and how many do.
    short: Vec<(Box<str>, Vec<usize>, u64)>,
}

/// What the questions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Looking,
    Proving,
    Colours,
}

#[derive(Debug)]
struct Subject {
    event: KnownEvent,
    /// What MISP holds, as far as it is known or foreseen.
    rows: Vec<Row>,
    /// It is not as the ledger says, or cannot be asked about together with others.
    suspect: bool,
    /// The order of its rows cannot be foretold: what changed and how many there are stand in for its list.
    by_time: bool,
    /// What is to have a TLP tag there, as long as that is not proven.
    colours: Colours,
    finding: Option<Finding>,
}

#[derive(Debug)]
enum Question {
    /// What changed, perhaps only what was soft-deleted.
    Since {
        only_deleted: bool,
    },
    /// How many live rows `asked` has; it and `rest` have `total` together.
    Count {
        asked: Range<usize>,
        rest: Range<usize>,
        total: u64,
    },
    /// What changed in an event whose list cannot be foretold.
    Changed(usize),
    /// How many live rows it has.
    Live(usize),
    Rows(Vec<usize>),
    /// The same with the tags of the attributes, which can be foreseen.
    TaggedRows(Vec<usize>),
    Metadata(usize),
    /// How many of them carry a tag.
    Carry {
        tag: Box<str>,
        who: Carriers,
    },
    /// Which tags the event itself has.
    Tags(usize),
}

impl Subject {
    /// Takes over a row that is another than we know.
    fn foresee(&mut self, row: Row) {
        match self.rows.iter_mut().find(|known| known.uuid == row.uuid) {
            Some(known) if *known == row => return,
            Some(known) => *known = row,
            None => self.rows.push(row),
        }
        self.suspect = true;
    }

    /// The rows with the tags that they are to have.
    fn tagged_rows(&self) -> impl Iterator<Item = TaggedRow> {
        let cell = |row: &Row| self.colours.cells.as_ref()?.get(&row.uuid).cloned();
        self.rows
            .iter()
            .map(move |row| TaggedRow { row: *row, tags: cell(row).unwrap_or_default() })
    }
}

impl Verification {
    /// Begins with events that MISP has, as far as we know.
    #[must_use]
    pub fn of(events: Vec<KnownEvent>, habits: Habits, book: &DestinationRecord) -> Self {
        let subject = |event: KnownEvent| {
            let rows = rows::expected(&event);
            let unforeseen = event.head.seen.goes_by_time(habits.reorders);
            let by_time = unforeseen && rows.len() > FEW_ROWS_OF_ONE;
            let suspect = event.head.misp_id.is_none();
            let colours = Colours::of(&event, book);
            Subject { rows, suspect, by_time, colours, finding: None, event }
        };
        let mut subjects: Vec<Subject> = events.into_iter().map(subject).collect();
        subjects.sort_by_key(|subject| subject.event.head.misp_id);
        let stage = Stage::Looking;
        let mut it =
            Self { subjects, questions: VecDeque::new(), since: 0, stage, short: Vec::new() };
        it.since = it.since();
        let numbered = it.numbered();
        let count: usize = it.subjects[numbered.clone()].iter().map(|each| each.rows.len()).sum();
        let hears_of_edits = numbered.len() > 1 || it.heard_in_part().is_some();
        it.count_colours();
        if count > FEW_ROWS && hears_of_edits {
            let rest = numbered.end..numbered.end;
            it.questions.push_back(Question::Since { only_deleted: false });
            if habits.hides_deleted {
                it.questions.push_back(Question::Since { only_deleted: true });
            }
            it.questions.push_back(Question::Count { asked: numbered, rest, total: 0 });
        }
        it
    }

    /// The next question; asked again without an answer in between, it is the same.
    pub fn question(&mut self) -> Option<Call> {
        if self.questions.is_empty() && self.stage == Stage::Looking {
            self.stage = Stage::Proving;
            self.ask_for_proof();
        }
        if self.questions.is_empty() && self.stage == Stage::Proving {
            self.stage = Stage::Colours;
            self.ask_for_colours();
        }
        Some(match self.questions.front()? {
            Question::Since { only_deleted } => Call::RowsSince {
                events: self.numbers(self.numbered()),
                since: self.since,
                only_deleted: *only_deleted,
            },
            Question::Count { asked, .. } => Call::CountLive(self.numbers(asked.clone())),
            Question::Changed(place) => {
                let event = &self.subjects[*place].event;
                let since = rows::known_up_to(event).map_or(0, |known| known.saturating_add(1));
                Call::ChangedRows { event: event.head.uuid, since }
            }
            Question::Live(place) => Call::CountOf(self.subjects[*place].event.head.uuid),
            Question::Rows(group) => Call::Rows {
                events: group.iter().map(|place| self.subjects[*place].event.head.uuid).collect(),
                expected: group.iter().flat_map(|at| self.subjects[*at].rows.clone()).collect(),
            },
            Question::TaggedRows(group) => Call::TaggedRows {
                events: group.iter().map(|place| self.subjects[*place].event.head.uuid).collect(),
                expected: group.iter().flat_map(|at| self.subjects[*at].tagged_rows()).collect(),
            },
            Question::Metadata(place) | Question::Tags(place) => {
                Call::Metadata(self.subjects[*place].event.head.uuid)
            }
            Question::Carry { tag, who } => self.carry(tag, who),
        })
    }

    /// Takes in the answer to the last question.
    ///
    /// # Errors
    /// Gives an answer back that ends everything, such as that the key is refused.
    pub fn take(&mut self, reply: Reply) -> Result<(), Reply> {
        let Some(question) = self.questions.pop_front() else { return Err(reply) };
        match (question, reply) {
            (Question::Since { .. }, Reply::RowsSince(found)) => self.foresee(&found),
            (Question::Count { asked, rest, total }, Reply::Count(live)) => {
                self.narrow(asked, live);
                self.narrow(rest, total.saturating_sub(live));
            }
            (Question::Changed(place), Reply::RowsSince(found)) => {
                for (_, row) in &found {
                    self.subjects[place].foresee(*row);
                }
                self.questions.push_back(Question::Live(place));
            }
            (Question::Live(place), Reply::Count(live)) => {
                if live == self.live(&(place..place + 1)) {
                    let subject = &mut self.subjects[place];
                    subject.finding = Some(Finding::of(&subject.event, &subject.rows));
                } else {
                    self.questions.push_back(Question::Rows(vec![place]));
                }
            }
            (Question::Changed(place) | Question::Live(place), Reply::Refused { why, .. })
                if why != RefusedWhy::Key =>
            {
                self.questions.push_back(Question::Rows(vec![place]));
            }
            // A MISP that does not take the cheap questions, or cuts the answers, is asked the others all the same.
            (Question::Since { .. } | Question::Count { .. }, Reply::Refused { why, .. })
                if why != RefusedWhy::Key =>
            {
                self.questions.clear();
            }
            (Question::Carry { tag, who }, reply) => return self.on_carried(tag, who, reply),
            (question, Reply::Trouble(trouble)) => self.go_around(question, trouble.why()),
            (Question::TaggedRows(group), Reply::NotModified) => {
                for place in group {
                    let subject = &mut self.subjects[place];
                    subject.finding = Some(Finding::of(&subject.event, &subject.rows));
                    subject.colours.own.clear();
                }
            }
            // Whose tags are others is told by the questions about colours.
            (Question::TaggedRows(group), Reply::TaggedRows(found)) => {
                self.sort_out(&group, found.into_iter().map(|found| found.row).collect());
            }
            (Question::TaggedRows(group), Reply::Refused { why, .. }) if why != RefusedWhy::Key => {
                self.questions.push_back(Question::Rows(group));
            }
            (Question::Tags(place), Reply::Metadata(answer)) => {
                let subject = &mut self.subjects[place];
                match answer {
                    Some(answer) => subject.see_tags(&answer.tags),
                    None => subject.finding = Some(Finding::absent(&subject.event)),
                }
            }
            (Question::Rows(group), Reply::NotModified) => {
                for place in group {
                    let subject = &mut self.subjects[place];
                    subject.finding = Some(Finding::of(&subject.event, &subject.rows));
                }
            }
            (Question::Rows(group), Reply::Rows(found)) => self.sort_out(&group, found),
            (Question::Metadata(place), Reply::Metadata(answer)) => {
                let subject = &mut self.subjects[place];
                let holds = answer.as_ref().is_some_and(|it| it.attribute_count != Some(0));
                // What of ours is there and not known to be, is nobody else's: only the rows tell.
                let ours = subject.rows.is_empty() && !subject.event.attributes.is_empty();
                if holds && ours && !std::mem::replace(&mut subject.suspect, true) {
                    self.questions.push_back(Question::Rows(vec![place]));
                    return Ok(());
                }
                subject.finding = Some(match &answer {
                    None => Finding::absent(&subject.event),
                    Some(answer) => Finding::of(&subject.event, &[])
                        .with_extras(answer.attribute_count.unwrap_or(0)),
                });
                if let Some(answer) = answer {
                    subject.see_tags(&answer.tags);
                }
            }
            (_, reply) => return Err(reply),
        }
        Ok(())
    }

    /// A question that MISP, or something before it, does not answer: what it was about is asked otherwise, and at
    /// last each event alone. What cannot be answered even of one is known of no other.
    fn go_around(&mut self, question: Question, why: &str) {
        match question {
            Question::Since { .. } | Question::Count { .. } => self.questions.clear(),
            Question::Changed(place) | Question::Live(place) => {
                self.questions.push_back(Question::Rows(vec![place]));
            }
            Question::Rows(group) if group.len() > 1 => {
                self.questions.extend(group.into_iter().map(|place| Question::Rows(vec![place])));
            }
            Question::Rows(places) => {
                for place in places {
                    self.leave(place, why);
                }
            }
            Question::TaggedRows(group) => self.questions.push_back(Question::Rows(group)),
            Question::Metadata(place) | Question::Tags(place) => self.leave(place, why),
            Question::Carry { .. } => {}
        }
    }

    fn leave(&mut self, place: usize, why: &str) {
        let subject = &mut self.subjects[place];
        subject.finding = Some(Finding::unknown(&subject.event, why));
    }

    /// What was found of each event, once there is no question left.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.subjects.into_iter().filter_map(|subject| subject.finding).collect()
    }

    fn numbered(&self) -> Range<usize> {
        let first = self.subjects.partition_point(|each| each.event.head.misp_id.is_none());
        first..self.subjects.len()
    }

    fn numbers(&self, span: Range<usize>) -> Vec<u64> {
        self.subjects[span].iter().filter_map(|subject| subject.event.head.misp_id).collect()
    }

    /// From when on a row must be another than we know: as early as can be without getting back what we
    /// sent ourselves to events that were written to later.
    fn since(&self) -> i64 {
        let subjects = &self.subjects[self.numbered()];
        let newest = |subject: &Subject| subject.rows.iter().map(|row| row.timestamp).max();
        let quietest = subjects.iter().filter_map(newest).min().unwrap_or_default();
        let all = subjects.iter().flat_map(|subject| &subject.rows);
        let mut times: Vec<i64> = all.map(|row| row.timestamp).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let after = |place: usize| times.get(place).copied().unwrap_or_default();
        let usual = after(ECHO_MAX).max(quietest) + 1;
        // Edits before rows of which only the echo is known are heard of where not too much comes back with them.
        let echo = ECHO_MAX.max(times.len() / ECHO_PARTS);
        self.heard_in_part().map_or(usual, |known| usual.min(known.max(after(echo)) + 1))
    }

    /// The earliest time up to which all rows are known of an event that was only echoed of late.
    fn heard_in_part(&self) -> Option<i64> {
        let subjects = &self.subjects[self.numbered()];
        let in_part = subjects.iter().filter_map(|subject| {
            let newest = subject.rows.iter().map(|row| row.timestamp).max();
            rows::known_up_to(&subject.event).filter(|known| Some(*known) < newest)
        });
        in_part.min()
    }

    /// Takes over what changed. What is new stands behind the rest, as MISP appends it.
    fn foresee(&mut self, found: &[(u64, Row)]) {
        for (number, row) in found {
            let subject =
                self.subjects.iter_mut().find(|each| each.event.head.misp_id == Some(*number));
            let Some(subject) = subject else { continue };
            subject.foresee(*row);
        }
    }

    fn live(&self, span: &Range<usize>) -> u64 {
        let rows = self.subjects[span.clone()].iter().flat_map(|subject| &subject.rows);
        rows.filter(|row| !row.deleted).count() as u64
    }

    /// Halves what holds another number of live rows than foreseen, until single events are left.
    fn narrow(&mut self, span: Range<usize>, live: u64) {
        if live == self.live(&span) {
            return;
        }
        if span.len() <= 1 || live == 0 {
            for subject in &mut self.subjects[span] {
                subject.suspect = true;
            }
            return;
        }
        let middle = span.start + span.len() / 2;
        let (asked, rest) = (span.start..middle, middle..span.end);
        self.questions.push_back(Question::Count { asked, rest, total: live });
    }

    fn ask_for_proof(&mut self) {
        let (mut together, mut tagged, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for (place, subject) in self.subjects.iter().enumerate() {
            match (subject.rows.is_empty(), subject.suspect) {
                _ if subject.by_time => alone.push(Question::Changed(place)),
                (true, _) => alone.push(Question::Metadata(place)),
                (false, true) if subject.colours.cells.is_some() => {
                    alone.push(Question::TaggedRows(vec![place]));
                }
                (false, true) => alone.push(Question::Rows(vec![place])),
                (false, false) if subject.colours.cells.is_some() => tagged.push(place),
                (false, false) => together.push(place),
            }
        }
        if !tagged.is_empty() {
            self.questions.push_back(Question::TaggedRows(tagged));
        }
        if !together.is_empty() {
            self.questions.push_back(Question::Rows(together));
        }
        self.questions.extend(alone);
    }

    /// Gives each event its rows. One that is not ours belongs to the event before it: MISP appends.
    fn sort_out(&mut self, group: &[usize], found: Vec<Row>) {
        let mut owners: BTreeMap<AttributeUuid, usize> = BTreeMap::new();
        for place in group {
            let subject = &self.subjects[*place];
            let ours = subject.event.attributes.values().map(|known| known.attribute.uuid);
            owners.extend(ours.chain(subject.rows.iter().map(|row| row.uuid)).map(|u| (u, *place)));
        }
        let mut of_event: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
        let mut last = group[0];
        for row in found {
            last = owners.get(&row.uuid).copied().unwrap_or(last);
            of_event.entry(last).or_default().push(row);
        }
        let mut silent = Vec::new();
        for place in group {
            let subject = &mut self.subjects[*place];
            match of_event.get(place) {
                Some(rows) => subject.finding = Some(Finding::of(&subject.event, rows)),
                None => silent.push(*place),
            }
        }
        self.ask_again(&silent, group.len() - silent.len());
    }

    /// Asks about events whose rows did not come back. A limit of the server may have cut the answer, by whole
    /// events: as many as did come back come back for certain, so the silent ones are asked in groups of that
    /// size. Who stays silent where nobody answers is absent, invisible or empty, which answer alike.
    fn ask_again(&mut self, silent: &[usize], answered: usize) {
        if answered == 0 {
            self.questions.extend(silent.iter().map(|place| Question::Metadata(*place)));
        } else {
            let groups = silent.chunks(answered).map(|group| Question::Rows(group.to_vec()));
            self.questions.extend(groups);
        }
    }
}
