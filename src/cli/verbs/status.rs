//! `status`: how things stand at each destination, and when each route last did what it is for.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    agent::{Clock, SystemClock, is_at_new_url},
    cli::{
        CliError, Context, Exit,
        context::known_destinations,
        render::{
            self,
            json::{FeedStatus, Held, RouteStatus},
        },
        routes::last_run,
    },
    config::{Config, parse_duration},
    history::{
        Ledger, Pull,
        query::{self, RouteHistory},
    },
    model::{FeedName, RouteName, Timestamp},
    schedule::seed,
};

#[cfg(unix)]
use crate::{cli::daemon::Paused, daemon::Hold};

/// Arguments of `status`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Args {
    /// Only this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
    /// Exit with 9 if the last success of a route is longer ago, or it never had one
    #[arg(long, value_name = "DUR", value_parser = parse_duration)]
    pub max_age: Option<Duration>,
    /// All that needs a person, at a terminal as well
    #[arg(long)]
    pub all: bool,
}

/// Prints how things stand.
///
/// # Errors
/// If the ledger cannot be read or does not know the destination.
pub(crate) fn run(
    args: &Args,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    let (routes, feeds) = routes(args.destination.as_deref(), context, ledger)?;
    let is_configured = |name: &str| routes.iter().any(|route| route.destination.as_str() == name);
    let found = match known_destinations(ledger, args.destination.as_deref()) {
        // A destination that nothing was sent to yet is no unknown one, if the configuration has it.
        Err(CliError::UnknownDestination { asked, .. }) if is_configured(&asked) => Vec::new(),
        found => found?,
    };
    let found = found.iter().map(|name| query::status(ledger, name));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let is_late = routes.iter().any(|route| route.is_late(args.max_age));
    let (detail, whole) = (context.detail(false, args.all), context.whole());
    let resume = context.with_given_paths("misp-trickle resume");
    context.answer(
        || render::json::StatusAnswer::new(&found, &routes, &feeds),
        || render::status::status(&found, &routes, &feeds, (detail, &whole), &resume),
    )?;
    if found.is_empty() {
        context.say("nothing was sent anywhere yet");
    }
    context.next(after(&found, &routes));
    Ok(if is_late { Exit::Late } else { Exit::Done })
}

/// Which command comes after.
fn after(found: &[query::Status], routes: &[RouteStatus]) -> &'static str {
    let needs_somebody = |status: &query::Status| {
        !status.exposed.is_empty()
            || !status.refused_tags.is_empty()
            || !status.removals_wait.is_empty()
    };
    if routes.iter().any(|route| route.failures > 0) {
        return "`misp-trickle log --outcome failed` says why attempts failed";
    }
    if found.is_empty() {
        return "`misp-trickle sync` sends what MISP does not have yet";
    }
    match found.iter().any(needs_somebody) {
        true => "do by hand what stands behind each `!`",
        false => {
            "`misp-trickle log` lists the runs, and `misp-trickle show` what the newest changed"
        }
    }
}

/// The routes of the configuration, and those that the ledger knows beside; and their feeds, as far as those are pulled.
pub(in crate::cli) fn routes(
    asked: Option<&str>,
    context: &Context,
    ledger: &dyn Ledger,
) -> Result<(Vec<RouteStatus>, Vec<FeedStatus>), CliError> {
    let now = SystemClock.now();
    let config = configured(context);
    let former = config.as_ref().map(Config::former_names).unwrap_or_default();
    let mut known = query::routes(ledger, &former)?;
    let mut feeds = feeds(config.as_ref(), &known, now);
    let mut routes = Vec::new();
    if let Some(config) = config {
        let held = held(&config, &known)?;
        for name in config.routes() {
            let held = held.get(&name).copied();
            let history = known.remove(&name);
            let runs = context.host.is_some() && held.is_none();
            let next_run = runs.then(|| next_run(&config, &name, history.as_ref(), now)).flatten();
            let new_url = new_url(&config, &name, ledger)?;
            let route = route(name, history.as_ref(), now, true);
            routes.push(RouteStatus { held, next_run, new_url, ..route });
        }
    }
    let left: BTreeMap<_, RouteHistory> = known;
    routes.extend(left.into_iter().map(|(name, history)| route(name, Some(&history), now, false)));
    routes.retain(|route| asked.is_none_or(|asked| route.destination.as_str() == asked));
    feeds.retain(|status| routes.iter().any(|route| route.feed == status.feed));
    Ok((routes, feeds))
}

/// The feeds that are pulled, by the configuration or by what became of them.
fn feeds(
    config: Option<&Config>,
    known: &BTreeMap<RouteName, RouteHistory>,
    now: Timestamp,
) -> Vec<FeedStatus> {
    let configured = config.iter().flat_map(|config| &config.feeds);
    let configured = configured.filter(|feed| feed.source.asked().is_some());
    let mut feeds: BTreeMap<&FeedName, (Option<&Pull>, Option<Timestamp>)> =
        configured.map(|feed| (&feed.name, (None, None))).collect();
    for (RouteName { feed, .. }, history) in known {
        let Some(pull) = &history.last_pull else { continue };
        let (last, good) = feeds.entry(feed).or_default();
        *last = last.take().into_iter().chain([pull]).max_by_key(|pull| pull.begun);
        *good = history.last_good_pull.max(*good);
    }
    let status = |(feed, (last, good)): (&FeedName, (Option<&Pull>, Option<Timestamp>))| {
        let age = |at: Timestamp| at.age(now).map(|age| age.as_secs());
        FeedStatus {
            feed: feed.clone(),
            last_pull: last.cloned(),
            pull_age_seconds: last.and_then(|pull| age(pull.begun)),
            last_good_pull: good,
            good_pull_age_seconds: good.and_then(age),
        }
    };
    feeds.into_iter().map(status).collect()
}

/// When a daemon runs a route next.
fn next_run(
    config: &Config,
    name: &RouteName,
    history: Option<&RouteHistory>,
    now: Timestamp,
) -> Option<Timestamp> {
    let feed = config.feeds.iter().find(|feed| feed.name == name.feed)?;
    feed.schedule.when.due(now, history.map(last_run).as_ref(), seed(name))
}

/// The address of a route's destination, where MISP was asked at another one last.
fn new_url(
    config: &Config,
    name: &RouteName,
    ledger: &dyn Ledger,
) -> Result<Option<String>, CliError> {
    let destination = config.destinations.iter().find(|it| it.name == name.destination);
    let Some(url) = destination.map(|it| it.url.to_string()) else { return Ok(None) };
    let known = ledger.destination(&name.destination)?;
    Ok(Some(url).filter(|url| known.is_some_and(|known| is_at_new_url(&known, url))))
}

/// The configuration, with `--store` applied. Who names a store alone needs none.
fn configured(context: &Context) -> Option<Config> {
    let mut config = Config::load(&context.global.config).ok()?;
    if let Some(store) = &context.global.store {
        config.store_path.clone_from(store);
    }
    Some(config)
}

/// The routes that do not run by themselves.
#[cfg(unix)]
fn held(
    config: &Config,
    known: &BTreeMap<RouteName, RouteHistory>,
) -> Result<BTreeMap<RouteName, Held>, CliError> {
    let paused = Paused::read(&config.store_path)?;
    let mut held = BTreeMap::new();
    for route in config.routes() {
        let feed = config.feeds.iter().find(|feed| feed.name == route.feed);
        let first_run = feed.expect("routes are made of feeds").schedule.first_run;
        match paused.hold(&route, first_run, known.contains_key(&route)) {
            None => {}
            Some(Hold::Paused) => drop(held.insert(route, Held::Paused)),
            Some(Hold::FirstRun) => drop(held.insert(route, Held::FirstRun)),
        }
    }
    Ok(held)
}

/// Elsewhere no route runs by itself.
#[cfg(not(unix))]
fn held(
    _: &Config,
    _: &BTreeMap<RouteName, RouteHistory>,
) -> Result<BTreeMap<RouteName, Held>, CliError> {
    Ok(BTreeMap::new())
}

fn route(
    RouteName { feed, destination }: RouteName,
    history: Option<&RouteHistory>,
    now: Timestamp,
    is_configured: bool,
) -> RouteStatus {
    let age = |at: Timestamp| at.age(now).map(|age| age.as_secs());
    let last_success = history.and_then(|history| history.last_success);
    let pull = history.and_then(|history| history.last_pull.clone());
    RouteStatus {
        feed,
        destination,
        is_configured,
        last_success,
        age_seconds: last_success.and_then(age),
        last_attempt: history.map(|history| history.last_attempt().1),
        last_outcome: history.map(|history| history.last.outcome),
        failures: history.map_or(0, |history| history.failures),
        new_url: None,
        held: None,
        next_run: None,
        pull_age_seconds: pull.as_ref().and_then(|pull| age(pull.begun)),
        last_pull: pull,
    }
}
