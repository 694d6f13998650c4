//! Whether each feed can be read, what it is, and what it holds.

use crate::{
    agent::{Candidates, Input, Job},
    cli::{CliError, Exit, job, verbs::doctor::finding::Finding},
    config::{Config, Feed, FeedKind},
    graph::Aliases,
    source::{self, Part},
};

const CHECK: &str = "source";

/// A feed that was looked at.
pub(crate) struct Seen {
    /// Its name.
    pub(crate) feed: String,
    /// Tags of its incidents.
    pub(crate) tags: Vec<Box<str>>,
}

/// Reads every feed whose data can be read more than once; those that a run can read.
pub(crate) fn examine(config: &Config) -> (Vec<Seen>, Vec<Finding>) {
    let (mut seen, mut findings) = (Vec::new(), Vec::new());
    for feed in &config.feeds {
        let (one, found) = look(config, feed);
        seen.extend(one);
        findings.extend(found);
    }
    if config.feeds.is_empty() {
        let cure = "write [source] with `path`, or give `sync` --source PATH";
        findings.push(Finding::odd(CHECK, "the configuration names none", cure));
    }
    (seen, findings)
}

fn look(config: &Config, feed: &Feed) -> (Option<Seen>, Vec<Finding>) {
    if feed.kind == FeedKind::Stdin || feed.path.is_none() {
        let what = format!("feed {} is read from standard input: not looked at", feed.name);
        return (None, vec![Finding::good(CHECK, what)]);
    }
    let job = match any_job(config, feed) {
        Ok(job) => job,
        Err(error) => return (None, vec![Finding::fault(CHECK, error.exit(), error.to_string())]),
    };
    // What can be read only once is left to the run.
    if source::open(&job.source).is_ok_and(|parts| !parts.iter().all(Part::can_be_read_again)) {
        let what = format!("feed {} is a pipe: not looked at", feed.name);
        return (None, vec![Finding::good(CHECK, what)]);
    }
    match Input::read(&job, &Aliases::default(), None) {
        Err(error) => (None, vec![Finding::fault(CHECK, Exit::Error, error.to_string())]),
        Ok(input) => {
            let seen = Seen { feed: feed.name.to_string(), tags: input.tags(&job.rules) };
            (Some(seen), told(&input))
        }
    }
}

/// What a run of the feed does, whatever the destination.
fn any_job(config: &Config, feed: &Feed) -> Result<Job, CliError> {
    let wishes = job::Wishes { feed: Some(feed.name.to_string()), ..job::Wishes::default() };
    let jobs = job::jobs(config, &wishes)?;
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
