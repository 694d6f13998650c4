//! What a run would cost: the very conversations that a run would have, with a MISP that takes everything. Nothing
//! is sent, and nothing of it is kept.

mod willing;

use std::collections::{BTreeSet, VecDeque};

use crate::{
    delivery::{Call, Estimate, Step, Token, WHICH_EVENTS_MAX, verify::Verification},
    model::{EventUuid, RunNumber, Timestamp},
    plan::{DestinationRecord, EventPlan, KnownEvent},
};

use super::{Job, drive, planner::misp_now, verify::habits};
use willing::{HEADERS, LISTED, TAG, Willing};

/// The answers to what a run asks before its first request: version, who we are, a tag.
const VERSION: u64 = 700;
const WHOAMI: u64 = 2_700;
/// No rows.
const PROBE: u64 = 760;
/// More steps than a conversation that goes well takes, for each event and each thousand attributes.
const STEPS_MAX: usize = 64;

/// What a run would begin with, beside its plans.
pub(super) struct Opening {
    /// The run and its time.
    pub(super) moment: (RunNumber, Timestamp),
    /// Events that are to be looked at.
    pub(super) due: Vec<KnownEvent>,
    /// Events of which it is asked at the end whether MISP shows them as published.
    pub(super) publishing: BTreeSet<EventUuid>,
    /// The store knows of no event that MISP has.
    pub(super) knows_nothing: bool,
}

/// What carrying out these plans costs if nothing goes wrong. `weigh` says what a request weighs.
pub(super) fn rehearse(
    job: &Job,
    record: &DestinationRecord,
    plans: &[EventPlan],
    opening: Opening,
    weigh: &dyn Fn(&Call) -> u64,
) -> Estimate {
    let Opening { moment: (run, now), due, mut publishing, knows_nothing } = opening;
    let mut session = drive::session(job, job.settings.clone(), record, run, now);
    if knows_nothing {
        session = session.knowing_nothing();
    }
    let mut misp = Willing::new(record, misp_now(record, now));
    let mut waiting: VecDeque<&EventPlan> = plans.iter().filter(|plan| plan.needs_misp()).collect();
    let sends: usize = waiting.iter().map(|plan| plan.send.len()).sum();
    let steps = STEPS_MAX * (1 + waiting.len() + sends / 100);
    let (mut cost, mut now) = (Estimate::default(), now);
    let mut flights: VecDeque<(Token, Call)> = VecDeque::new();
    let mut shown_honest = false;
    let mut questions = Verification::of(due.clone(), habits(record), record);
    misp.knows_events(due);
    while let Some(call) = questions.question() {
        let (reply, bytes) = misp.answer(&call);
        cost.add(1, weigh(&call), bytes);
        shown_honest = prove_honest(&call, shown_honest, &mut cost, weigh);
        if questions.take(reply).is_err() {
            break;
        }
    }
    for _ in 0..steps {
        while session.has_room()
            && let Some(plan) = waiting.pop_front()
        {
            misp.knows(plan);
            session.offer(plan.clone());
        }
        if waiting.is_empty() {
            session.no_more();
        }
        match session.next(now) {
            Step::Send(token, call) => {
                cost.add(1, weigh(&call), 0);
                flights.push_back((token, call));
                continue;
            }
            Step::Done => break,
            Step::Wait(until) if flights.is_empty() => now = now.max(until),
            Step::Wait(_) | Step::Idle => {}
        }
        // What it learned and what became of it is nobody's business.
        drop((session.take_updates(), session.take_reports()));
        if let Some((token, call)) = flights.pop_front() {
            let (reply, bytes) = misp.answer(&call);
            shown_honest = prove_honest(&call, shown_honest, &mut cost, weigh);
            if let Call::Publish(event) = call {
                publishing.insert(event);
            }
            cost.add(0, 0, bytes);
            session.on_reply(token, reply, now);
        }
    }
    // Whether they are published by then is asked at the end.
    let publishing: Vec<EventUuid> = publishing.into_iter().collect();
    for events in publishing.chunks(WHICH_EVENTS_MAX) {
        let call = Call::WhichEvents(events.to_vec());
        cost.add(1, weigh(&call), HEADERS + LISTED * events.len() as u64);
    }
    cost
}

/// The first 304 counts from a MISP that answered a tag that nothing has: where none did, it is asked.
fn prove_honest(
    call: &Call,
    is_shown: bool,
    cost: &mut Estimate,
    weigh: &dyn Fn(&Call) -> u64,
) -> bool {
    let is_compared = matches!(call, Call::Rows { .. } | Call::TaggedRows { .. });
    if is_compared && !is_shown {
        cost.add(1, weigh(&Call::Probe), PROBE);
    }
    is_shown || is_compared || call.has_false_tag()
}

/// What it takes to find out whether a MISP at a new address holds what was sent.
pub(super) fn asking_what_is_there(call: &Call, weigh: &dyn Fn(&Call) -> u64) -> Estimate {
    let mut cost = Estimate::default();
    if let Call::WhichEvents(events) = call {
        cost.add(1, weigh(call), HEADERS + LISTED * events.len() as u64);
    }
    cost
}

/// What a run asks before its first request.
pub(super) fn preface(
    tags: usize,
    learns: bool,
    hears: bool,
    weigh: &dyn Fn(&Call) -> u64,
) -> Estimate {
    let mut cost = Estimate::default();
    if learns || hears {
        cost.add(1, weigh(&Call::Version), VERSION);
    }
    if learns {
        cost.add(1, weigh(&Call::Whoami), WHOAMI);
        let names = (0..tags.max(1)).map(|_| "tlp:colour".into()).collect();
        cost.add(1, weigh(&Call::FindTags(names)), HEADERS + tags as u64 * TAG);
    }
    cost
}
