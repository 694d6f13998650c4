//! What has to be known of a MISP before anything is sent to it.

use std::{collections::BTreeSet, fmt, time::Duration};

use url::Url;

use crate::{
    delivery::{
        Backoff, Call, Exchange, REST_SECONDS_MAX, RefusedWhy, Reply, TagRow, Trouble, Wire,
        fact_of,
    },
    history::DestinationTally,
    model::{Fault, Timestamp, Tlp},
    plan::{DestinationRecord, TAGS_KNOWN_MAX, TagFact, tag_key},
};

use super::Clock;

/// Kept in place of the encodings that MISP names, where none of them gets there.
pub const PLAIN: &str = "identity";

/// So long a wait is told.
const LONG: Duration = Duration::from_secs(5);

/// Tags that are asked about, beside the colours.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedTags<'a> {
    /// Those that every event is to have.
    pub always: &'a [Box<str>],
    /// Those of incidents that somebody wants to know about beforehand. A run does not: MISP's answers show what it
    /// takes.
    pub of_events: &'a [Box<str>],
}

/// Why a MISP cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// MISP refuses the key.
    Key {
        /// The destination's URL.
        url: String,
        /// In MISP's words.
        words: Box<str>,
    },
    /// MISP does not answer, or something else does.
    Unreachable {
        /// The destination's URL.
        url: String,
        /// What happened.
        why: Box<str>,
    },
}

impl LearnError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Key { url, words } => {
                Fault::new(format!("MISP refuses the key: {words}"), key_cure(words)).at(url)
            }
            Self::Unreachable { url, why } => {
                Fault::of_message(&format!("MISP cannot be used: {why}")).at(url)
            }
        }
    }
}

impl fmt::Display for LearnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// Asks, patiently where there is no answer, version and role, and which of the tags that are needed are there, and whose.
///
/// # Errors
/// If MISP refuses the key, does not answer, or is no MISP.
pub async fn learn(
    wire: &impl Wire,
    record: &mut DestinationRecord,
    wanted: WantedTags<'_>,
    clock: &dyn Clock,
    backoff: Backoff,
    tally: &mut DestinationTally,
) -> Result<(), LearnError> {
    let url = record.url.clone();
    greet(wire, record, clock, backoff, tally).await?;
    match ask_patiently(wire, &Call::Whoami, record, clock, backoff, tally).await {
        Reply::Whoami { org, org_id, user, permissions } => {
            // What one user showed to be taken says nothing of another.
            if (record.org, record.user) != (Some(org), user) {
                record.proven_tags.clear();
            }
            record.org = Some(org);
            record.first_org.get_or_insert(org);
            record.key_mark = wire.key_mark();
            (record.org_id, record.user) = (org_id, user);
            record.permissions = permissions.into_iter().collect();
        }
        other => return Err(refusal(url, other)),
    }
    let wanted = asked_tags(record, wanted);
    let call = Call::FindTags(wanted.iter().cloned().collect());
    let listed = match ask_patiently(wire, &call, record, clock, backoff, tally).await {
        Reply::Tags(listed) => listed,
        // Fail safe: a tag that is not known to be there cannot be carried.
        Reply::Refused { .. } => Vec::new(),
        other => return Err(refusal(url, other)),
    };
    record.tags = wanted.iter().map(|tag| (tag.clone(), fact(tag, &listed, record))).collect();
    record.asked = Some(clock.now());
    Ok(())
}

/// The tags that are asked about, in one question: the colours, those that every event is to have, and those that
/// MISP left out before. What else an event carries shows in MISP's answers.
fn asked_tags(record: &DestinationRecord, wanted: WantedTags<'_>) -> BTreeSet<Box<str>> {
    let colours = Tlp::ALL.iter().map(|tlp| tag_key(tlp.tag()));
    let always = wanted.always.iter().map(|tag| tag_key(tag));
    let not_taken = record.tags.iter().filter(|(_, fact)| !matches!(fact, TagFact::Usable(_)));
    let left_out = not_taken.map(|(key, _)| key.clone());
    // Whoever may make tags finds out as they go.
    let of_events = wanted.of_events.iter().filter(|_| !record.may("perm_tag_editor"));
    let of_events = of_events.map(|tag| tag_key(tag));
    let mut asked = BTreeSet::new();
    for tag in colours.chain(always).chain(left_out).chain(of_events) {
        if asked.len() < TAGS_KNOWN_MAX {
            asked.insert(tag);
        }
    }
    asked
}

/// What MISP's list says of a tag. Where MISP refused one that is usable by its list, the refusal stands.
fn fact(tag: &str, listed: &[TagRow], record: &DestinationRecord) -> TagFact {
    match (fact_of(tag, listed, record), record.tag(tag)) {
        (TagFact::Usable(_), Some(refused @ TagFact::Refused(_))) => refused.clone(),
        (fact, _) => fact,
    }
}

/// Asks the version: the cheapest answer that tells MISP's clock.
///
/// # Errors
/// If MISP refuses the key, does not answer, or is no MISP.
pub(super) async fn greet(
    wire: &impl Wire,
    record: &mut DestinationRecord,
    clock: &dyn Clock,
    backoff: Backoff,
    tally: &mut DestinationTally,
) -> Result<(), LearnError> {
    match ask_patiently(wire, &Call::Version, record, clock, backoff, tally).await {
        Reply::Version { version, encodings } => {
            // Whatever MISP says that it takes: what stands before it may not.
            let plain = record.encodings == [PLAIN] && record.version == version;
            if !plain {
                wire.encodings(&encodings);
                record.encodings = encodings;
            }
            record.version = version;
            Ok(())
        }
        other => Err(refusal(record.url.clone(), other)),
    }
}

/// Asks one question, counts it, and asks again where no answer came.
pub(super) async fn ask_patiently(
    wire: &impl Wire,
    call: &Call,
    record: &mut DestinationRecord,
    clock: &dyn Clock,
    backoff: Backoff,
    tally: &mut DestinationTally,
) -> Reply {
    debug_assert!(!call.writes(), "a write is not repeated blindly");
    let (mut tries, mut rested) = (0, 0);
    loop {
        let exchange = wire.exchange(call).await;
        let now = clock.now();
        count(&exchange, record, now, tally);
        let retry_after = match &exchange.reply {
            Reply::Trouble(Trouble::NotMisp { .. } | Trouble::TooLarge { .. }) => {
                return exchange.reply;
            }
            Reply::Trouble(trouble) => trouble.retry_after(),
            _ => return exchange.reply,
        };
        tries += 1;
        rested += retry_after.unwrap_or(0);
        if rested > REST_SECONDS_MAX || tries >= backoff.tries_max {
            return exchange.reply;
        }
        let next = backoff.until(now, tries, tally.requests, retry_after);
        if let (Some(rest), Reply::Trouble(trouble)) = (long_wait(now, next), &exchange.reply) {
            tracing::warn!("{rest}: {}", trouble.why());
        }
        tokio::time::sleep(now.until(next)).await;
    }
}

/// Says how long nothing happens, where it is long enough for somebody to wonder.
pub(super) fn long_wait(now: Timestamp, until: Timestamp) -> Option<String> {
    let wait = now.until(until);
    (wait >= LONG).then(|| format!("MISP is given {} s of rest", wait.as_millis().div_ceil(1_000)))
}

/// Counts an exchange, and notes how MISP's clock differs from ours.
pub(super) fn count(
    exchange: &Exchange,
    record: &mut DestinationRecord,
    now: Timestamp,
    tally: &mut DestinationTally,
) {
    tally.requests += exchange.requests;
    tally.bytes_sent += exchange.bytes_sent;
    tally.bytes_received += exchange.bytes_received;
    if let Some(date) = exchange.date {
        let offset = date.seconds() - now.seconds();
        // Within two seconds the clocks agree as far as a header in whole seconds can tell.
        let agrees = (-2..=0).contains(&offset);
        record.clock_offset_seconds = if agrees { 0 } else { offset };
        record.heard = Some(now);
    }
}

/// What to do about a key that is refused, by MISP's words.
fn key_cure(words: &str) -> &'static str {
    match words.contains("from your IP address") {
        true => {
            "have the address of this machine added to the addresses that the key is allowed from"
        }
        false => "check the key and that its user is enabled",
    }
}

/// Whether a URL goes on behind the host.
fn has_path(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.path().len() > 1)
}

pub(super) fn refusal(url: String, reply: Reply) -> LearnError {
    match reply {
        // A path of MISP's pages before a question makes it another one, which MISP may refuse to anybody.
        Reply::Refused { why: RefusedWhy::NotPermitted, words } if has_path(&url) => {
            let why = format!(
                "it says {words:?} to a question that everybody may ask; `url` is MISP's own address without the \
                 path of any of its pages: correct its path"
            );
            LearnError::Unreachable { url, why: why.into() }
        }
        Reply::Refused { words, .. } => LearnError::Key { url, words },
        Reply::Trouble(trouble) => LearnError::Unreachable { url, why: trouble.why().into() },
        _ => LearnError::Unreachable { url, why: "it answers another question than asked".into() },
    }
}
