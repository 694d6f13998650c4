//! What has to be known of a MISP before anything is sent to it.

use crate::{
    delivery::{Backoff, Call, Exchange, REST_SECONDS_MAX, Reply, Trouble, Wire},
    history::DestinationTally,
    model::{Timestamp, Tlp},
    plan::DestinationRecord,
};

use super::Clock;

/// Kept in place of the encodings that MISP names, where none of them gets there.
pub const PLAIN: &str = "identity";

/// Why a MISP cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// MISP refuses the key.
    #[error("MISP refuses the key: {words}; check the key and that its user is enabled")]
    Key {
        /// In MISP's words.
        words: Box<str>,
    },
    /// MISP does not answer, or something else does.
    #[error("MISP at {url} cannot be used: {why}")]
    Unreachable {
        /// The destination's URL.
        url: String,
        /// What happened.
        why: Box<str>,
    },
}

/// Asks, patiently where there is no answer, version, role and, where the key may not make tags, which TLP tags are there.
///
/// # Errors
/// If MISP refuses the key, does not answer, or is no MISP.
pub async fn learn(
    wire: &impl Wire,
    record: &mut DestinationRecord,
    extra_tags: &[Box<str>],
    clock: &dyn Clock,
    backoff: Backoff,
    tally: &mut DestinationTally,
) -> Result<(), LearnError> {
    let url = record.url.clone();
    greet(wire, record, clock, backoff, tally).await?;
    match ask_patiently(wire, &Call::Whoami, record, clock, backoff, tally).await {
        Reply::Whoami { org, permissions } => {
            record.org = Some(org);
            record.permissions = permissions.into_iter().collect();
        }
        other => return Err(refusal(url, other)),
    }
    record.tags.clear();
    if !record.may("perm_tag_editor") {
        let tlp = Tlp::ALL.iter().map(|tlp| Box::from(tlp.tag()));
        let wanted: Vec<Box<str>> = tlp.chain(extra_tags.iter().cloned()).collect();
        let call = Call::FindTags(wanted.clone());
        match ask_patiently(wire, &call, record, clock, backoff, tally).await {
            Reply::Tags(found) => {
                record.tags =
                    wanted.into_iter().map(|tag| (tag.clone(), found.contains(&tag))).collect();
            }
            // Fail safe: a tag that is not known to be there cannot be carried.
            Reply::Refused { .. } => {
                record.tags = wanted.into_iter().map(|tag| (tag, false)).collect();
            }
            other => return Err(refusal(url, other)),
        }
    }
    record.asked = Some(clock.now());
    Ok(())
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
    let mut tries = 0;
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
        let rests_too_long = retry_after.is_some_and(|seconds| seconds > REST_SECONDS_MAX);
        if rests_too_long || tries >= backoff.tries_max {
            return exchange.reply;
        }
        let next = backoff.until(now, tries, tally.requests, retry_after);
        tokio::time::sleep(now.until(next)).await;
    }
}

/// Counts an exchange, and notes how MISP's clock differs from ours.
pub(super) fn count(
    exchange: &Exchange,
    record: &mut DestinationRecord,
    now: Timestamp,
    tally: &mut DestinationTally,
) {
    tally.requests += 1;
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

pub(super) fn refusal(url: String, reply: Reply) -> LearnError {
    match reply {
        Reply::Refused { words, .. } => LearnError::Key { words },
        Reply::Trouble(trouble) => LearnError::Unreachable { url, why: trouble.why().into() },
        _ => LearnError::Unreachable { url, why: "it answers another question than asked".into() },
    }
}
