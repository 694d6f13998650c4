//! Mistakes an agent could make, put in from outside: what looks for mistakes has to find these.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use misp_trickle::{
    delivery::{AttributeResult, Call, Reply, TimedAttribute},
    history::Commit,
    model::{Marking, Tlp},
    plan::{Said, Standing},
};
use uuid::Uuid;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// What is about to be sent is written down as sent.
    ClaimBeforeProof,
    /// Commits are acknowledged, and not on the disk when the power goes.
    SkipSync,
    /// What is sent once more carries a newer timestamp, so that MISP takes it for an edit.
    NewerTimestampOnRetry,
    /// MISP's clock is taken for ours.
    TrustOwnClock,
    /// What MISP took the request to publish of is taken for published.
    BelieveJobQueued,
    /// What stands at another place than expected is taken for missing.
    MissByOrder,
    /// What a limit of the server cut off is taken for missing.
    BelieveACutList,
    /// A 304 is taken for a proof, whoever says it.
    BelieveAny304,
    /// Where one value of an event is refused, nothing more of the event gets out.
    BlameTheEvent,
    /// The names that a plan rests on are kept with the last commit of a run, after what went by them.
    AliasAfterIntent,
    /// The tags that were asked for are taken for those that MISP attached.
    BelieveTheRequest,
    /// A pull keeps where the source stands before what it had to say.
    BookmarkBeforePack,
    /// A part of a source is taken for the whole, and what it lacks for gone.
    RetireOnPartialBasis,
    /// Of several feeds that hold one incident the weakest marking decides.
    WeakestHeadDecides,
    /// Runs that begin after a reload go on under the rules of before.
    KeepOldRules,
}

impl Sabotage {
    pub const ALL: [Self; 15] = [
        Self::ClaimBeforeProof,
        Self::SkipSync,
        Self::NewerTimestampOnRetry,
        Self::TrustOwnClock,
        Self::BelieveJobQueued,
        Self::MissByOrder,
        Self::BelieveACutList,
        Self::BelieveAny304,
        Self::BlameTheEvent,
        Self::AliasAfterIntent,
        Self::BelieveTheRequest,
        Self::BookmarkBeforePack,
        Self::RetireOnPartialBasis,
        Self::WeakestHeadDecides,
        Self::KeepOldRules,
    ];

    /// Those that lives of feeds behind mirrors have to find.
    pub const fn is_of_pulls(self) -> bool {
        matches!(
            self,
            Self::BookmarkBeforePack
                | Self::RetireOnPartialBasis
                | Self::WeakestHeadDecides
                | Self::KeepOldRules
        )
    }

    /// Those that a process can be made to commit which is only killed.
    pub const OF_A_PROCESS: [Self; 3] =
        [Self::ClaimBeforeProof, Self::SkipSync, Self::NewerTimestampOnRetry];

    /// The same of the program itself, which nothing can be put into.
    pub const OF_A_DAEMON: [Self; 2] = [Self::SkipSync, Self::NewerTimestampOnRetry];

    /// The one that `SABOTAGE` asks for.
    pub fn from_environment() -> Option<Self> {
        std::env::var("SABOTAGE")
            .ok()
            .map(|name| name.parse().unwrap_or_else(|why| panic!("{why}")))
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaimBeforeProof => "claim-before-proof",
            Self::SkipSync => "skip-sync",
            Self::NewerTimestampOnRetry => "newer-timestamp-on-retry",
            Self::TrustOwnClock => "trust-own-clock",
            Self::BelieveAny304 => "believe-any-304",
            Self::AliasAfterIntent => "alias-after-intent",
            Self::BelieveTheRequest => "believe-the-request",
            Self::BookmarkBeforePack => "bookmark-before-pack",
            Self::RetireOnPartialBasis => "retire-on-partial-basis",
            Self::WeakestHeadDecides => "weakest-head-decides",
            Self::KeepOldRules => "keep-old-rules",
            Self::BlameTheEvent => "blame-the-event",
            Self::BelieveJobQueued => "believe-job-queued",
            Self::MissByOrder => "miss-by-order",
            Self::BelieveACutList => "believe-a-cut-list",
        }
    }
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|each| each.name() == text);
        found.ok_or_else(|| format!("SABOTAGE is one of {:?}", Self::ALL.map(Self::name)))
    }
}

/// Claims in a commit of intents what is only about to be sent.
pub fn claim(commit: &mut Commit) {
    for event in commit.events.iter_mut().filter(|event| event.head.unproven) {
        for known in &mut event.attributes {
            if known.standing == Standing::Pending && !known.wanted.is_empty() {
                known.standing = Standing::Sent;
            }
        }
    }
}

/// Has nobody mark anything stricter than what is freest.
pub fn weaken(commit: &mut Commit) {
    let freest = Marking::of(Some(Tlp::Clear));
    for event in &mut commit.events {
        event.head.feeds.values_mut().for_each(|feed| feed.marking = Some(freest));
        for known in &mut event.attributes {
            known.said = Said(known.wanted.iter().map(|feed| (feed, freest)).collect());
        }
    }
}

/// The attributes that a call carries.
pub fn carried(call: &Call) -> &[TimedAttribute] {
    match call.bare() {
        Call::AddEvent(new) => &new.attributes,
        Call::AppendQuietly { attributes, .. } | Call::AppendLoudly { attributes, .. } => {
            attributes
        }
        _ => &[],
    }
}

/// The same, to be changed.
pub fn carried_mut(call: &mut Call) -> &mut [TimedAttribute] {
    match call {
        Call::AddEvent(new) => &mut new.attributes,
        Call::AppendQuietly { attributes, .. } | Call::AppendLoudly { attributes, .. } => {
            attributes
        }
        _ => &mut [],
    }
}

/// The event that a call brings attributes to.
pub fn event(call: &Call) -> Option<Uuid> {
    match call.bare() {
        Call::AddEvent(new) => Some(new.uuid.uuid()),
        Call::AppendQuietly { event, .. } | Call::AppendLoudly { event, .. } => Some(event.uuid()),
        _ => None,
    }
}

/// Gives what was sent before a newer timestamp.
pub fn renew(call: &Call, sent: &mut BTreeSet<Uuid>, now: i64) -> Call {
    let mut call = call.bare().clone();
    for timed in carried_mut(&mut call) {
        if !sent.insert(timed.attribute.uuid.uuid()) {
            timed.timestamp = now;
        }
    }
    call
}

/// The tags that were asked for, by event or attribute.
#[derive(Debug, Default)]
pub struct AskedTags(BTreeMap<Uuid, BTreeSet<Box<str>>>);

impl AskedTags {
    /// An answer that shows every tag that was asked for, whatever MISP attached.
    pub fn believed(&mut self, call: &Call, reply: Reply) -> Reply {
        if let Call::AddEvent(new) = call.bare() {
            self.ask(new.uuid.uuid(), &new.fields.tags);
        }
        for timed in carried(call) {
            self.ask(timed.attribute.uuid.uuid(), &timed.attribute.tags);
        }
        match (call.bare(), reply) {
            (_, Reply::Event(mut answer)) => {
                self.add(answer.uuid.uuid(), &mut answer.tags);
                Reply::Event(answer)
            }
            (_, Reply::Metadata(Some(mut answer))) => {
                self.add(answer.uuid.uuid(), &mut answer.tags);
                Reply::Metadata(Some(answer))
            }
            (_, Reply::Attributes(mut answers)) => {
                for answer in &mut answers {
                    if let AttributeResult::Saved { tags, .. } = &mut answer.result {
                        self.add(answer.uuid.uuid(), tags);
                    }
                }
                Reply::Attributes(answers)
            }
            (Call::TaggedRows { expected, .. }, Reply::TaggedRows(mut found)) => {
                for row in &mut found {
                    let asked = expected.iter().find(|asked| asked.row.uuid == row.row.uuid);
                    row.tags = asked.map_or_else(|| row.tags.clone(), |asked| asked.tags.clone());
                }
                if found == *expected { Reply::NotModified } else { Reply::TaggedRows(found) }
            }
            (_, reply) => reply,
        }
    }

    fn ask(&mut self, of: Uuid, tags: &[Box<str>]) {
        self.0.entry(of).or_default().extend(tags.iter().cloned());
    }

    fn add(&self, of: Uuid, shown: &mut Vec<Box<str>>) {
        for tag in self.0.get(&of).into_iter().flatten() {
            if !shown.contains(tag) {
                shown.push(tag.clone());
            }
        }
    }
}
