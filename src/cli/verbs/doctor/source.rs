//! Whether each feed can be read, what it is, and what it holds.

use std::collections::BTreeSet;

use crate::{
    agent::{Candidates, Input, Job, LedgerHandle, readers_for},
    cli::{CliError, Context, Report, job, live::Live, verbs::doctor::finding::Finding},
    config::{Config, Feed, FeedSource, LocalPlace, LocalSource},
    graph::Aliases,
    history::Ledger,
    model::Reader,
    source::{self, Part},
    store::Store,
};

use super::asked;

pub(super) const CHECK: &str = "source";

/// A feed that was looked at.
pub(crate) struct Seen {
    /// Its name.
    pub(crate) feed: String,
    /// Tags of its incidents.
    pub(crate) tags: Vec<Box<str>>,
    /// What was read.
    pub(crate) input: Input,
    /// The readers that it was read for, beside the one of now.
    pub(crate) readers: BTreeSet<Reader>,
}

/// Reads every feed once. What can be read only once is left to the run: it would miss what is read here.
pub(crate) fn examine(
    context: &mut Context,
    live: &Live,
    config: &Config,
    store: Option<&LedgerHandle<Store>>,
) -> Result<(Vec<Seen>, Vec<Finding>), CliError> {
    let (mut seen, mut findings) = (Vec::new(), Vec::new());
    for feed in &config.feeds {
        if feed.source.asked().is_some() {
            findings.extend(asked::examine(context, live, feed)?);
            continue;
        }
        let (one, found) = look(config, feed, store);
        seen.extend(one);
        findings.extend(found);
    }
    if config.feeds.is_empty() {
        let cure = "write [source] with `path`, or give `sync` --source PATH";
        findings.push(Finding::odd(CHECK, "the configuration names none", cure));
    }
    Ok((seen, findings))
}

fn look(
    config: &Config,
    feed: &Feed,
    store: Option<&LedgerHandle<Store>>,
) -> (Option<Seen>, Vec<Finding>) {
    let left_out = |what: &str| {
        let why = "what is read of it is gone for the run, so it is not looked at";
        let cure = "`misp-trickle map` looks at such data without a run";
        (None, vec![Finding::good(CHECK, format!("feed {} is {what}: {why}; {cure}", feed.name))])
    };
    if !matches!(&feed.source, FeedSource::Local(local) if has_path(local)) {
        return left_out("read from standard input");
    }
    let fault = |report: &Report| (None, vec![Finding::fault(CHECK, report)]);
    let job = match any_job(config, feed) {
        Ok(job) => job,
        Err(error) => return fault(&error.report()),
    };
    if source::open(&job.source).is_ok_and(|parts| !parts.iter().all(Part::can_be_read_again)) {
        return left_out("a pipe");
    }
    let known = store.map_or_else(|| Ok(Default::default()), |store| known(&job, store));
    let (aliases, readers) = match known {
        Ok(known) => known,
        Err(error) => return fault(&error.report()),
    };
    match Input::read(&job, &aliases, readers.iter().copied()) {
        Err(error) => fault(&CliError::from(error).report()),
        Ok(input) => {
            let (mut findings, tags) = (told(&input), input.tags(&job.rules));
            for left in source::left_out(&job.source).unwrap_or_default() {
                let what = format!("{}: {}", input.name, left.what);
                findings.push(Finding::odd(CHECK, what, left.cure));
            }
            (Some(Seen { feed: feed.name.to_string(), tags, input, readers }), findings)
        }
    }
}

/// Whether there is something that can be read without the command line.
const fn has_path(local: &LocalSource) -> bool {
    matches!(local.place, LocalPlace::File(Some(_)) | LocalPlace::Folder(Some(_)))
}

/// What the store knows that decides how a source is read.
fn known(job: &Job, store: &LedgerHandle<Store>) -> Result<(Aliases, BTreeSet<Reader>), CliError> {
    Ok((Aliases(store.aliases()?), readers_for(job, store)?))
}

/// What a run of the feed does; which destination is the first one's matter.
fn any_job(config: &Config, feed: &Feed) -> Result<Job, CliError> {
    let overrides =
        job::CliOverrides { feed: Some(feed.name.to_string()), ..job::CliOverrides::default() };
    let jobs = job::jobs(config, &overrides)?;
    Ok(jobs.into_iter().next().expect("a configuration without destinations is refused").0)
}

fn told(input: &Input) -> Vec<Finding> {
    let incidents = input.graph.incident_count();
    let (name, formats) = (&input.name, input.formats.join(" and "));
    let formats = if formats.is_empty() { "empty" } else { &formats };
    let what = format!("{name} is {formats}: {}", count(incidents, "incident"));
    let mut findings = match Candidates::of(&input.graph).notes() {
        notes if notes.is_empty() => vec![Finding::good(CHECK, what)],
        notes => vec![Finding::odd(CHECK, what, notes.join("; "))],
    };
    if input.skipped > 0 {
        let what = format!("{name}: {} skipped as damaged", count(input.skipped, "object"));
        let cure = "`misp-trickle map` names them; until it is whole, nothing is retired";
        findings.push(Finding::odd(CHECK, what, cure));
    }
    findings
}

/// A number of things.
pub(crate) fn count(number: usize, thing: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{end}")
}
