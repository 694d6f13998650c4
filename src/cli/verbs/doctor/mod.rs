//! `doctor`: whether everything is as it has to be, and what to do where it is not.
//!
//! A check is a function from what was learned to [`Finding`]s; [`CHECKS`] are those of a destination, in the order
//! in which they are shown.

mod asked;
mod finding;
mod outlook;
mod rights;
mod server;
pub(in crate::cli) mod show;
mod source;
mod tags;
mod writing;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    agent::{
        AgentError, Asking, Careful, Clock, Ending, Job, LedgerHandle, PLAIN, SystemClock,
        WantedTags, has_moved, is_another, which_question, whose,
    },
    cli::{
        CliError, Context, Exit, Report,
        args::DoctorArgs,
        job,
        live::{Live, connect},
        renames,
        source::{beside_pulls, last_pulled},
        verbs::doctor::{
            finding::{Finding, exit},
            outlook::Speed,
        },
    },
    config::{Config, Destination, Feed},
    delivery::{Backoff, Call, Reply, Wire},
    history::{Commit, DestinationTally, Ledger, MemoryLedger},
    mirror::Files,
    model::{FeedName, Timestamp},
    plan::{DestinationRecord, EventHead},
    remote::Remote,
    store::{OpenError, OpenMode, Store},
};

/// Whoever looks for a fault wants to see it at once.
const IMPATIENT: Backoff = Backoff { tries_max: 1, ..job::BACKOFF };

/// What is looked at of a destination once MISP answered.
const CHECKS: [fn(&Subject<'_>) -> Vec<Finding>; 10] = [
    server::version,
    server::packing,
    server::clock,
    server::limit,
    rights::organisation,
    rights::role,
    rights::key,
    tags::tags,
    tags::without_colour,
    tags::sharing_group,
];

/// A destination, and what was learned of it.
struct Subject<'a> {
    destination: &'a Destination,
    remote: &'a Remote,
    record: &'a DestinationRecord,
    now: Timestamp,
    /// Whether a packed body was taken. `None`: none was sent.
    packed: Option<bool>,
    /// The keys of the key's user.
    keys: Option<&'a Reply>,
    /// The sharing groups, where one is asked for.
    groups: Option<&'a Reply>,
    /// Some rows of whatever there is.
    rows: Option<&'a Reply>,
}

/// All that was found.
struct Found<'a> {
    store: Vec<Finding>,
    source: Vec<Finding>,
    destinations: Vec<(&'a Destination, Vec<Finding>)>,
}

/// The store, as far as there is one.
enum Shelf {
    Open(LedgerHandle<Store>),
    /// None yet: it is made once there is something to remember.
    Absent,
    /// One that cannot be opened.
    Unusable,
}

/// Checks store, sources and destinations, and remembers what MISP told.
pub(crate) fn run(args: &DoctorArgs, context: &mut Context) -> Result<Exit, CliError> {
    let config = context.config()?;
    let destinations = job::destinations(&config, args.destination.as_deref())?;
    config.serve.secret_warnings().iter().for_each(|warning| context.warn(warning));
    let live = Live::start(context)?;
    let (mut shelf, about_store) = open_store(context, &config);
    let store = match &shelf {
        Shelf::Open(store) => Some(store),
        Shelf::Absent | Shelf::Unusable => None,
    };
    let (feeds, about_source) = source::examine(context, &live, &config, store)?;
    let mut found = Found { store: vec![about_store], source: about_source, destinations: vec![] };
    for destination in destinations {
        let mut visit =
            Visit { context: &mut *context, live: &live, config: &config, feeds: &feeds };
        let findings = visit.examine(&mut shelf, destination, args)?;
        found.destinations.push((destination, findings));
    }
    context.answer(|| show::json(&found), || show::text(&found))?;
    let of_destinations = || found.destinations.iter().flat_map(|(_, findings)| findings);
    let exit = exit(found.store.iter().chain(&found.source).chain(of_destinations()));
    context.next(match exit {
        // A daemon pulls for itself, and lets nobody else.
        Exit::Done if of_destinations().any(outlook::is_never_pulled) => match context.host {
            Some(_) => "`misp-trickle sync` pulls what was not pulled yet, and sends what may go",
            None => "`misp-trickle plan --pull` pulls what was not pulled yet, and shows what a run would send",
        },
        Exit::Done => "`misp-trickle plan` shows what a run would send",
        _ => "do what stands behind each `->`, and then `misp-trickle doctor` again",
    });
    Ok(exit)
}

fn open_store(context: &mut Context, config: &Config) -> (Shelf, Finding) {
    const CHECK: &str = "store";
    let path = &config.store_path;
    if let Some(host) = &context.host {
        let what = format!("the daemon has {}", path.display());
        return (Shelf::Open(host.ledger()), Finding::good(CHECK, what));
    }
    let opened = context.open(path, OpenMode::ReadWrite).and_then(|mut store| {
        renames::rename(&mut store, config)?;
        renames::none_lost_its_name(&store, config)?;
        Ok(store)
    });
    match opened {
        Ok(store) => {
            let what = format!("{} is free and can be written", path.display());
            (Shelf::Open(LedgerHandle::new(store)), Finding::good(CHECK, what))
        }
        Err(CliError::Store(OpenError::NoStore { .. })) => {
            let what =
                format!("there is none at {} yet: it is made now or by `sync`", path.display());
            (Shelf::Absent, Finding::good(CHECK, what))
        }
        Err(error) => (Shelf::Unusable, Finding::fault(CHECK, &error.report())),
    }
}

/// A look at one destination after the other.
struct Visit<'a> {
    context: &'a mut Context,
    live: &'a Live,
    config: &'a Config,
    feeds: &'a [source::Seen],
}

impl Visit<'_> {
    fn examine(
        &mut self,
        shelf: &mut Shelf,
        destination: &Destination,
        args: &DoctorArgs,
    ) -> Result<Vec<Finding>, CliError> {
        let _turn = self.context.turn(&destination.name)?;
        // It may have changed while others were at it.
        let config = self.context.config()?;
        let destination = config.destination(Some(destination.name.as_str()))?;
        let known = match &shelf {
            Shelf::Open(store) => store.destination(&destination.name)?,
            Shelf::Absent | Shelf::Unusable => None,
        };
        let connected = match &shelf {
            Shelf::Open(store) => connect(self.context, destination, store),
            _ => connect(self.context, destination, &MemoryLedger::default()),
        };
        let remote = match connected {
            Ok(remote) => remote,
            Err(error) => {
                return Ok(vec![Finding::fault("access", &error.report())]);
            }
        };
        let known_before = known.clone();
        let mut record = known.clone().unwrap_or_default();
        let (mut findings, round_trip) = match self.learn(destination, &remote, &mut record)? {
            Ok(learned) => learned,
            Err(fault) => return Ok(vec![fault]),
        };
        if matches!(shelf, Shelf::Absent) {
            *shelf = Shelf::Open(self.context.shared_store(self.config)?);
        }
        let speed = Speed { round_trip, bwlimit: destination.bwlimit };
        let mut commit = Commit { destination: Some(record.clone()), ..Commit::default() };
        match shelf {
            Shelf::Open(store) => {
                let heads = store.heads(&destination.name)?;
                let sees_more = known.is_none_or(|known| record.may_see_more_than(&known));
                if sees_more && heads.iter().any(EventHead::is_hidden) {
                    // Whoever looks for those asks who the key is before.
                    commit.destination = Some(DestinationRecord { user: None, ..record.clone() });
                }
                let told =
                    self.proof(destination, &remote, store, known_before.as_ref(), &record)?;
                let is_known = told.is_none();
                findings.extend(told);
                if args.push_test_event {
                    let uuid = writing::test_event(store.lock().id(), destination);
                    let push = writing::push(&remote, uuid, &record, SystemClock.now());
                    findings.push(writing::told(self.ask(push)?, uuid));
                }
                let run = store.last_run()?;
                if is_known {
                    store.commit(&destination.name, run, commit)?;
                }
                let files = |feed: &FeedName| Some(store.lock().mirror_files(feed));
                findings.extend(self.outlook(destination, store, &files, speed)?);
            }
            Shelf::Absent | Shelf::Unusable => {
                let mut ledger = MemoryLedger::default();
                let run = ledger.last_run()?;
                ledger.commit(&destination.name, run, commit)?;
                findings.extend(self.outlook(destination, &ledger, &|_| None, speed)?);
            }
        }
        Ok(findings)
    }

    /// Asks MISP all that the checks look at, and how long it takes for an answer. What it says of itself is in the
    /// record afterwards.
    fn learn(
        &self,
        destination: &Destination,
        remote: &Remote,
        record: &mut DestinationRecord,
    ) -> Result<Result<(Vec<Finding>, Duration), Finding>, CliError> {
        record.url = destination.url.to_string();
        // What was found not to get there is tried anew.
        record.encodings.clear();
        let of_events: Vec<Box<str>> =
            self.feeds.iter().flat_map(|feed| feed.tags.iter().cloned()).collect();
        let wanted = WantedTags { always: &destination.event.tags, of_events: &of_events };
        let (now, mut tally) = (SystemClock.now(), DestinationTally::default());
        let careful = Careful::new(remote);
        let mut asking = Asking::new(&careful, record, &SystemClock, IMPATIENT, &mut tally);
        let begun = Instant::now();
        if let Err(why) = self.ask(asking.learn(wanted))? {
            return Ok(Err(Finding::fault("MISP", &Report::from(&AgentError::Learn(why)))));
        }
        let asked_for = u32::try_from(tally.requests.max(1)).unwrap_or(u32::MAX);
        let round_trip = begun.elapsed() / asked_for;
        let packed = self.ask(remote.takes_packed())?;
        if packed == Some(false) {
            record.encodings = vec![PLAIN.to_owned()];
        }
        let asked = |call: &Call| Ok::<_, CliError>(self.ask(remote.exchange(call))?.reply);
        let keys = record.user.map(|user| asked(&Call::KeysOf(user))).transpose()?;
        let group = destination.event.sharing_group_id;
        let groups = group.map(|_| asked(&Call::SharingGroups)).transpose()?;
        let few = asked(&Call::AnyRows(server::ROWS_TRIED))?;
        let (keys, groups) = (keys.as_ref(), groups.as_ref());
        let rows = Some(&few);
        let subject = Subject { destination, remote, record, now, packed, keys, groups, rows };
        let taken = Finding::good("access", format!("{} takes the key", destination.url));
        let findings = CHECKS.iter().flat_map(|check| check(&subject));
        let cure = "find out what answers in its place: it may hide what MISP holds";
        let notes =
            careful.take_notes().into_iter().map(|note| Finding::odd("answers", note, cure));
        Ok(Ok((std::iter::once(taken).chain(notes).chain(findings).collect(), round_trip)))
    }

    /// What is to be said of a MISP at another address, or of another organisation, that is not the one that was sent to, or
    /// does not show whether it is. It is asked as a run asks it.
    fn proof(
        &self,
        destination: &Destination,
        remote: &Remote,
        ledger: &LedgerHandle<Store>,
        known: Option<&DestinationRecord>,
        record: &DestinationRecord,
    ) -> Result<Option<Finding>, CliError> {
        const CHECK: &str = "MISP";
        let name = &destination.name;
        let Some(known) = known.filter(|known| has_moved(known, record)) else { return Ok(None) };
        let Some(question) = which_question(ledger, name)? else { return Ok(None) };
        let ending = match whose(ledger, name, known, record)? {
            Some(other) => Ending::MispOf(other),
            None => {
                let reply = self.ask(remote.exchange(&question))?.reply;
                match is_another(&question, &reply) {
                    Some(false) => return Ok(None),
                    Some(true) => Ending::AnotherMisp,
                    None => {
                        let what = format!(
                            "{} does not say whether it is the MISP that was sent to at {}",
                            destination.url, known.url
                        );
                        let cure =
                            "the next `sync` asks before it sends anything or counts as done";
                        return Ok(Some(Finding::odd(CHECK, what, cure)));
                    }
                }
            }
        };
        Ok(Report::of_ending(&ending).map(|report| Finding::fault(CHECK, &report)))
    }

    fn ask<T>(&self, question: impl Future<Output = T>) -> Result<T, CliError> {
        self.live.ask(question).ok_or(CliError::Interrupted)
    }

    /// What a run of each feed would send, as far as its source can be read now or was pulled.
    fn outlook(
        &self,
        destination: &Destination,
        ledger: &impl Ledger,
        files: &dyn Fn(&FeedName) -> Option<Arc<dyn Files>>,
        speed: Speed,
    ) -> Result<Vec<Finding>, CliError> {
        let mut findings = Vec::new();
        for feed in self.config.feeds.iter().filter(|feed| feed.goes_to(&destination.name)) {
            let seen = self.feeds.iter().find(|seen| seen.feed == feed.name.as_str());
            if seen.is_none() && feed.source.asked().is_none() {
                continue;
            }
            let overrides = job::CliOverrides {
                feed: Some(feed.name.to_string()),
                destination: Some(destination.name.to_string()),
                ..job::CliOverrides::default()
            };
            for (job, _) in job::jobs(self.config, &overrides)? {
                findings.push(match seen {
                    Some(seen) => outlook::examine(&job, ledger, seen, speed),
                    None => pulled(&job, ledger, feed, files(&feed.name).as_ref(), speed),
                });
            }
        }
        Ok(findings)
    }
}

/// The same of a feed that was pulled before; what is wrong with its source, the checks of that say.
fn pulled(
    job: &Job,
    ledger: &impl Ledger,
    feed: &Feed,
    files: Option<&Arc<dyn Files>>,
    speed: Speed,
) -> Finding {
    match beside_pulls(|| last_pulled(feed, files.cloned())) {
        Ok(dataset) if dataset.is_kept() => outlook::examine_pulled(job, ledger, &dataset, speed),
        _ => outlook::never_pulled(&feed.name),
    }
}
