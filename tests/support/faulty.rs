//! A wire that lies, loses, cuts, delays and repeats, by a seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use misp_trickle::{
    delivery::{Call, Exchange, Reply, Trouble, Wire},
    model::Tlp,
    remote::{self, Answer},
};
use uuid::Uuid;

use crate::{
    dice::Dice,
    sabotage::{self, AskedTags, Sabotage},
    world::LocalWire,
};

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    LostBefore,
    LostAfter,
    Twice,
    /// The request stays on the way, and arrives after others; nobody waits for the answer any more.
    Late,
    /// The request arrives, and once more after others.
    Repeated,
    Cut,
    /// One bit of the answer is another.
    Flipped,
    Garbled,
    Status(u16),
    LoginPage,
}

/// What one agent put on the wire over all of its runs.
#[derive(Debug, Default)]
pub struct Traffic {
    /// The timestamp that each attribute was first sent with.
    first: BTreeMap<Uuid, i64>,
    /// Attributes that were sent again with a newer timestamp, with their events.
    pub renewed: BTreeSet<(Uuid, Uuid)>,
    /// Attributes that were sent with a timestamp that MISP's clock had not reached, with both.
    pub ahead: BTreeSet<(Uuid, i64, i64)>,
    /// For the sabotage: attributes that were sent before.
    sent: BTreeSet<Uuid>,
    /// The same: events that MISP took the request to publish of.
    queued: BTreeSet<Uuid>,
    /// The same: events whose rows a limit cut off.
    cut: BTreeSet<Uuid>,
    /// The same: events of which a value was refused.
    blamed: BTreeSet<Uuid>,
    /// The same: the tags that were asked for, by event or attribute.
    asked: AskedTags,
    /// Of each event the attribute that something before MISP does not let through.
    pub refused: BTreeMap<Uuid, Uuid>,
}

/// What something before MISP says to a body that it does not let through.
const REFUSALS: [(u16, &[u8]); 10] = [
    (200, b"<html>no</html>"),
    (302, b""),
    (403, b"<html>no</html>"),
    (404, b"<html>no</html>"),
    (406, b"<html>no</html>"),
    (413, b"<html>no</html>"),
    (451, b"<html>no</html>"),
    (500, b"<html>no</html>"),
    (501, b"<html>no</html>"),
    (504, b"<html>no</html>"),
];

/// Writes on their way, each with the number of requests that overtake it.
type Delayed = Vec<(u64, Call)>;

/// The sandbox behind a faulty network.
pub struct FaultyWire {
    inner: Arc<LocalWire>,
    dice: Mutex<Dice>,
    /// Faults per hundred requests.
    percent: u64,
    /// Decide which writes are delayed, if any are.
    late: Option<Mutex<Dice>>,
    delayed: Mutex<Delayed>,
    traffic: Arc<Mutex<Traffic>>,
    /// Something before MISP answers 304 to every tag, and MISP drops attributes in silence.
    lies: Option<Mutex<Dice>>,
    /// Something before MISP refuses one value of some events, in this way.
    refuses: Option<(u16, &'static [u8])>,
    /// MISP leaves a TLP tag of an event or of a single attribute out, and does not say so.
    drops: Option<Mutex<Dice>>,
    sabotage: Option<Sabotage>,
}

impl FaultyWire {
    pub fn new(
        inner: Arc<LocalWire>,
        seed: u64,
        percent: u64,
        traffic: Arc<Mutex<Traffic>>,
    ) -> Self {
        let dice = Mutex::new(Dice::new(seed));
        let delayed = Mutex::default();
        let (late, lies, refuses, drops, sabotage) = (None, None, None, None, None);
        Self { inner, dice, percent, late, delayed, traffic, lies, refuses, drops, sabotage }
    }

    /// Lets writes come late, too.
    pub fn with_delays(mut self, seed: u64) -> Self {
        self.late = Some(Mutex::new(Dice::apart(seed, "late")));
        self
    }

    /// Proves what is not so.
    pub fn with_lies(mut self, seed: u64) -> Self {
        self.lies = Some(Mutex::new(Dice::apart(seed, "lies")));
        self
    }

    /// Does not let everything through.
    pub fn with_refusals(mut self, seed: u64) -> Self {
        self.refuses = Some(REFUSALS[(seed % REFUSALS.len() as u64) as usize]);
        self
    }

    /// Leaves out colours that it was asked for.
    pub fn with_dropped_colours(mut self, seed: u64) -> Self {
        self.drops = Some(Mutex::new(Dice::apart(seed, "drops")));
        self
    }

    pub fn with_sabotage(mut self, sabotage: Option<Sabotage>) -> Self {
        self.sabotage = sabotage;
        self
    }

    fn fault(&self, call: &Call) -> Option<Fault> {
        let mut dice = self.dice.lock().unwrap();
        if !dice.chance(self.percent) {
            return None;
        }
        let fault = match dice.below(12) {
            0 | 1 => Fault::LostBefore,
            2..=4 => Fault::LostAfter,
            5 => Fault::Twice,
            6 | 7 => Fault::Cut,
            8 if dice.chance(50) => Fault::Flipped,
            8 => Fault::Garbled,
            9 => Fault::Status([429, 503, 504, 502][dice.below(4) as usize]),
            10 => Fault::Status([500, 413][dice.below(2) as usize]),
            _ => Fault::LoginPage,
        };
        let is_late = |late: &Mutex<Dice>| late.lock().unwrap().chance(50);
        // A tag that comes late looks like one that was attached anew: nobody could tell.
        let may_wait = call.writes() && !matches!(call, Call::AttachTag { .. });
        let late = may_wait && self.late.as_ref().is_some_and(is_late);
        Some(match fault {
            Fault::LostBefore | Fault::LostAfter if late => Fault::Late,
            Fault::Twice | Fault::Cut if late => Fault::Repeated,
            fault => fault,
        })
    }

    /// Whether something answers 304 in MISP's place. Who believes any 304 does not find out by another question.
    fn is_lied_to(&self, call: &Call) -> bool {
        let fooled = self.sabotage == Some(Sabotage::BelieveAny304);
        self.lies.is_some() && call.has_tag() && !(fooled && call.has_false_tag())
    }

    /// Whether something does not let a body through: one value of every second event.
    fn is_refused(&self, call: &Call) -> bool {
        let Some(event) = sabotage::event(call).filter(|_| self.refuses.is_some()) else {
            return false;
        };
        let mut traffic = self.traffic.lock().unwrap();
        let carried: Vec<Uuid> =
            sabotage::carried(call).iter().map(|timed| timed.attribute.uuid.uuid()).collect();
        if !traffic.refused.contains_key(&event) && event.as_u128().is_multiple_of(2) {
            let chosen = carried.iter().find(|uuid| uuid.as_u128().is_multiple_of(3));
            traffic.refused.extend(chosen.map(|uuid| (event, *uuid)));
        }
        let holds = traffic.refused.get(&event).is_some_and(|uuid| carried.contains(uuid));
        if self.sabotage == Some(Sabotage::BlameTheEvent) && holds {
            traffic.blamed.insert(event);
        }
        holds || (!carried.is_empty() && traffic.blamed.contains(&event))
    }

    /// MISP drops one attribute of a request, if it is one that drops in silence.
    fn drop_one(&self, call: Call) -> Call {
        let Some(lies) = &self.lies else { return call };
        let mut dice = lies.lock().unwrap();
        if sabotage::carried(&call).is_empty() || !dice.chance(25) {
            return call;
        }
        let mut call = call.bare().clone();
        match &mut call {
            Call::AddEvent(new) => drop(new.attributes.remove(0)),
            Call::AppendQuietly { attributes, .. } => drop(attributes.remove(0)),
            _ => {}
        }
        call
    }

    /// MISP drops the colours of the event or of one attribute of a request, if it is one that drops them.
    fn drop_colours(&self, call: Call) -> Call {
        let Some(drops) = &self.drops else { return call };
        let mut dice = drops.lock().unwrap();
        if !dice.chance(25) {
            return call;
        }
        let mut call = call.bare().clone();
        let of_event = dice.chance(50);
        if let Call::AddEvent(new) = &mut call
            && of_event
        {
            no_colour(&mut new.fields.tags);
            return call;
        }
        let attributes = sabotage::carried_mut(&mut call).iter_mut();
        let mut coloured: Vec<_> = attributes.filter(|it| !it.attribute.tags.is_empty()).collect();
        if !coloured.is_empty() {
            let chosen = dice.below(coloured.len() as u64) as usize;
            no_colour(&mut coloured[chosen].attribute.tags);
        }
        call
    }

    fn delay(&self, call: &Call) {
        let mut late = self.late.as_ref().unwrap().lock().unwrap();
        let overtaking = if late.chance(50) { late.below(6) } else { u64::MAX };
        self.delayed.lock().unwrap().push((overtaking, call.clone()));
    }

    /// Delivers what has been on its way long enough, the last one first.
    async fn catch_up(&self) {
        let due = {
            let mut delayed = self.delayed.lock().unwrap();
            let due: Delayed = delayed.extract_if(.., |(left, _)| *left == 0).collect();
            delayed.iter_mut().for_each(|(left, _)| *left -= 1);
            due
        };
        for (_, call) in due.into_iter().rev() {
            drop(self.deliver(&call).await);
        }
    }

    /// What still was on its way arrives.
    pub async fn empty(&self) {
        let rest = std::mem::take(&mut *self.delayed.lock().unwrap());
        for (_, call) in rest.into_iter().rev() {
            drop(self.deliver(&call).await);
        }
    }

    /// UUIDs of what is on its way.
    pub fn under_way(&self) -> BTreeSet<Uuid> {
        let delayed = self.delayed.lock().unwrap();
        let calls = delayed.iter().flat_map(|(_, call)| sabotage::carried(call));
        calls.map(|timed| timed.attribute.uuid.uuid()).collect()
    }

    /// Looks whether a request carries what is later than MISP's now.
    fn watch(&self, call: &Call) {
        let now = self.inner.misp_now();
        let ahead =
            sabotage::carried(call).iter().filter(|timed| !(0..=now).contains(&timed.timestamp));
        let ahead = ahead.map(|timed| (timed.attribute.uuid.uuid(), timed.timestamp, now));
        self.traffic.lock().unwrap().ahead.extend(ahead);
    }

    /// The exchange as the agent is told of it.
    async fn told(&self, call: &Call) -> Exchange {
        let exchange = self.deliver(call).await;
        match self.sabotage {
            Some(Sabotage::TrustOwnClock) => Exchange { date: None, ..exchange },
            Some(Sabotage::BelieveJobQueued) => self.believed(call, exchange),
            Some(Sabotage::MissByOrder) => {
                Exchange { reply: in_place(call, exchange.reply), ..exchange }
            }
            Some(Sabotage::BelieveACutList) => self.cut(call, exchange),
            Some(Sabotage::BelieveTheRequest) => {
                let asked = &mut self.traffic.lock().unwrap().asked;
                Exchange { reply: asked.believed(call, exchange.reply), ..exchange }
            }
            _ => exchange,
        }
    }

    fn believed(&self, call: &Call, mut exchange: Exchange) -> Exchange {
        let queued = &mut self.traffic.lock().unwrap().queued;
        match (call, &mut exchange.reply) {
            (Call::Publish(event), Reply::Done) => drop(queued.insert(event.uuid())),
            (Call::WhichEvents(_), Reply::WhichEvents(shown)) => {
                shown.iter_mut().for_each(|it| it.published |= queued.contains(&it.event.uuid()));
            }
            _ => {}
        }
        exchange
    }

    /// What a cut list left out stays out of all that is asked afterwards.
    fn cut(&self, call: &Call, mut exchange: Exchange) -> Exchange {
        let mut traffic = self.traffic.lock().unwrap();
        let misp = self.inner.misp.lock().unwrap();
        match (call, &exchange.reply) {
            (Call::Rows { events, .. }, Reply::Rows(found)) if events.len() > 1 => {
                let came = |event: &Uuid| {
                    misp.attributes(*event)
                        .iter()
                        .any(|it| found.iter().any(|row| row.uuid.uuid() == it.uuid))
                };
                let events = events.iter().map(|event| event.uuid());
                traffic.cut.extend(events.filter(|event| !came(event)));
            }
            (Call::Rows { events, .. }, _)
                if events.iter().all(|it| traffic.cut.contains(&it.uuid())) =>
            {
                exchange.reply = Reply::Rows(Vec::new());
            }
            (Call::Metadata(event), _) if traffic.cut.contains(&event.uuid()) => {
                exchange.reply = Reply::Metadata(None);
            }
            _ => {}
        }
        exchange
    }

    /// The request as MISP gets it.
    fn arriving(&self, call: &Call) -> Call {
        let mut traffic = self.traffic.lock().unwrap();
        if self.sabotage == Some(Sabotage::NewerTimestampOnRetry) {
            let now = self.inner.clock.seconds() + 1;
            return sabotage::renew(call, &mut traffic.sent, now);
        }
        for timed in sabotage::carried(call) {
            let uuid = timed.attribute.uuid.uuid();
            if *traffic.first.entry(uuid).or_insert(timed.timestamp) < timed.timestamp {
                traffic.renewed.extend(sabotage::event(call).map(|event| (event, uuid)));
            }
        }
        call.clone()
    }

    /// MISP does what it is asked for, and its answer is damaged at some place.
    fn damaged(&self, call: &Call, damage: impl Fn(&mut Vec<u8>, usize, &mut Dice)) -> Reply {
        let (_, mut answer) = self.inner.answer(&self.arriving(call));
        let mut dice = self.dice.lock().unwrap();
        let place = dice.below(answer.body.len() as u64) as usize;
        damage(&mut answer.body, place, &mut dice);
        remote::decode(call, &answer)
    }

    async fn deliver(&self, call: &Call) -> Exchange {
        self.inner.exchange(&self.drop_colours(self.drop_one(self.arriving(call)))).await
    }
}

fn no_colour(tags: &mut Vec<Box<str>>) {
    tags.retain(|tag| Tlp::of_tag(tag).is_none());
}

/// The rows that stand where they are expected.
fn in_place(call: &Call, reply: Reply) -> Reply {
    match (call, reply) {
        (Call::Rows { expected, .. }, Reply::Rows(found)) => {
            let pairs = expected.iter().zip(&found);
            let there = pairs.filter(|(expected, row)| expected.uuid == row.uuid);
            Reply::Rows(there.map(|(_, row)| *row).collect())
        }
        (_, reply) => reply,
    }
}

impl Wire for FaultyWire {
    async fn exchange(&self, call: &Call) -> Exchange {
        let none = |reply| Exchange {
            reply,
            requests: 1,
            bytes_sent: 1,
            bytes_received: 0,
            bytes_beside: 0,
            date: None,
        };
        let answer = |status, body: &[u8]| {
            let answer = Answer { status, body: body.to_vec(), ..Answer::default() };
            none(remote::decode(call, &answer))
        };
        let timed_out = || {
            none(Reply::Trouble(Trouble::Unknown { why: "timed out".into(), retry_after: None }))
        };
        self.catch_up().await;
        self.watch(call);
        if let Some((status, body)) = self.refuses.filter(|_| self.is_refused(call)) {
            return answer(status, body);
        }
        if self.is_lied_to(call) {
            let arrives = call.writes() && self.dice.lock().unwrap().chance(50);
            if arrives {
                drop(self.deliver(call).await);
            }
            return answer(304, b"");
        }
        match self.fault(call) {
            None => self.told(call).await,
            Some(Fault::LostBefore) => {
                let why = "connection refused".into();
                none(Reply::Trouble(Trouble::NoEffect { why, retry_after: None }))
            }
            Some(Fault::LostAfter) => {
                drop(self.deliver(call).await);
                timed_out()
            }
            Some(Fault::Twice) => {
                drop(self.deliver(call).await);
                self.deliver(call).await
            }
            Some(Fault::Late) => {
                self.delay(call);
                timed_out()
            }
            Some(Fault::Repeated) => {
                self.delay(call);
                self.deliver(call).await
            }
            Some(Fault::Cut) => none(self.damaged(call, |body, place, _| body.truncate(place))),
            // Of other answers MISP gives no tag by which it could be seen.
            Some(Fault::Flipped) if matches!(call, Call::Rows { .. } | Call::Listing(_)) => {
                none(self.damaged(call, |body, place, dice| {
                    if let Some(byte) = body.get_mut(place) {
                        *byte ^= 1 << dice.below(8);
                    }
                }))
            }
            Some(Fault::Flipped) => self.deliver(call).await,
            Some(Fault::Garbled) => answer(200, b"{\"Event\":{\"id\":\"7\"}}"),
            Some(Fault::Status(500)) => {
                answer(500, br#"{"name":"An Internal Error Has Occurred."}"#)
            }
            Some(Fault::Status(status)) => answer(status, b"<html>no</html>"),
            // Something before MISP answers for it once; the run stops, the next goes on.
            Some(Fault::LoginPage) => answer(302, b""),
        }
    }
}
