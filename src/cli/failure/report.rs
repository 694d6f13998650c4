//! An error as people and programs are told of it.

use std::fmt;

use serde::Serialize;

use crate::{
    agent::{Ending, WentBack},
    cli::Exit,
    model::Fault,
};

use super::Kind;

/// What ended a verb, or a run at one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// What kind of error it is.
    pub kind: Kind,
    /// Where, why, and what to do.
    #[serde(flatten)]
    pub fault: Fault,
    /// What is wrong beside that, where several things are, in order.
    pub also: Vec<Fault>,
    /// The exit code of its kind.
    pub exit_code: u8,
}

/// `misp-trickle/error/2`: the last line of the answer of a verb that an error ended.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/error/2")]
pub struct ErrorAnswer<'a> {
    /// The error.
    #[serde(flatten)]
    pub report: &'a Report,
}

impl Report {
    /// A single fault.
    #[must_use]
    pub const fn new(kind: Kind, fault: Fault) -> Self {
        Self { kind, fault, also: Vec::new(), exit_code: kind.exit().code() }
    }

    /// Several faults, at least one.
    #[must_use]
    pub fn of_list(kind: Kind, faults: Vec<Fault>) -> Self {
        let mut faults = faults.into_iter();
        let first = faults.next().expect("who reports has at least one fault");
        Self { also: faults.collect(), ..Self::new(kind, first) }
    }

    /// Arguments that make no sense, in the words of clap.
    #[must_use]
    pub fn of_usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let mut cure = Vec::new();
        let mut cause = "there is no verb".to_owned();
        for paragraph in text.split("\n\n") {
            let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            match line.strip_prefix("error: ") {
                Some(error) => cause = error.to_owned(),
                None if line.starts_with("tip: ") || line.starts_with("Usage: ") => cure.push(line),
                None => {}
            }
        }
        cure.push("try --help".to_owned());
        Self::new(Kind::Usage, Fault::new(cause, cure.join("; ")).at("the command line"))
    }

    /// Why a run ended before it was done; `None` if it was, in whole or in part.
    #[must_use]
    pub fn of_ending(ending: &Ending) -> Option<Self> {
        const GOES_ON: &str = "the next `sync` goes on from here";
        let (kind, fault) = match ending {
            Ending::Done | Ending::Partial | Ending::AllWithheld => return None,
            Ending::KeyRefused(words) => {
                let cause = format!("MISP refuses the key or its role: {words}");
                (Kind::KeyRefused, Fault::new(cause, "run `misp-trickle doctor`"))
            }
            Ending::Network(why) => {
                let cause = format!("MISP cannot be reached any more: {why}");
                (Kind::Unreachable, Fault::new(cause, "run `sync` again"))
            }
            Ending::AnotherMisp => (
                Kind::AnotherMisp,
                Fault::new(
                    "this looks like another or a restored MISP: most of what was sent is not there, and nothing \
                     more was sent",
                    "check `url`, or give this MISP a destination name of its own; if it was restored or replaced on \
                     purpose, `misp-trickle repair --adopt` learns what it holds, `repair --resend --yes` has all of \
                     it sent again",
                ),
            ),
            Ending::MispOf(other) => (
                Kind::AnotherMisp,
                Fault::new(
                    format!(
                        "`url` and key lead to the MISP of destination {other}, by what the store knows, and not to the \
                         one that was sent to before; nothing was sent"
                    ),
                    "put `url` and key back: they may be exchanged with those of the other destination; a destination \
                     with another name says so with `was`. If it is meant, `misp-trickle repair --adopt --destination \
                     NAME` learns what this MISP holds",
                ),
            ),
            Ending::WentBack(WentBack { event, lacking, of }) => (
                Kind::AnotherMisp,
                Fault::new(
                    format!(
                        "event {event} is as it was once: {lacking} of {of} attributes that MISP proved to hold are not \
                         there, and nothing more was sent"
                    ),
                    "was MISP restored from a backup, `misp-trickle repair --adopt` learns what it holds and the next \
                     `sync` sends what it lacks, and `repair --resend --yes` has all of it sent again; either sends \
                     anew what an analyst deleted for good, and leaves alone what was deleted the usual way",
                ),
            ),
            Ending::Interrupted => (Kind::Interrupted, Fault::new("interrupted", GOES_ON)),
            Ending::OutOfTime => (Kind::Deadline, Fault::new("the deadline passed", GOES_ON)),
            Ending::OutOfBytes => {
                (Kind::MaxTransfer, Fault::new("max_transfer is used up", GOES_ON))
            }
        };
        Some(Self::new(kind, fault))
    }

    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.kind.exit()
    }
}

/// One line for each fault.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        self.also.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}
