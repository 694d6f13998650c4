//! `pause` and `resume`: whether routes run by themselves.

use serde::Serialize;

use crate::{
    cli::{CliError, Context, Exit, args::RouteArgs, daemon},
    model::{DestinationName, FeedName, RouteName},
};

/// Pauses routes, or resumes them: for the next daemon.
pub(crate) fn run(
    args: &RouteArgs,
    context: &mut Context,
    is_paused: bool,
) -> Result<Exit, CliError> {
    let config = context.config()?;
    let chosen = args.of(config.routes())?;
    let store = context.store_for(&config)?;
    daemon::Paused::read(&config.store_path)?.set(&chosen, is_paused)?;
    drop(store);
    say(context, &chosen, is_paused)?;
    Ok(Exit::Done)
}

/// `pause` and `resume`: the routes that were meant, as they are from now on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/pause/1")]
pub(crate) struct PauseAnswer<'a> {
    /// Each of them.
    routes: Vec<PausedRoute<'a>>,
}

/// Whether a route runs by itself.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PausedRoute<'a> {
    /// The feed.
    feed: &'a FeedName,
    /// The destination.
    destination: &'a DestinationName,
    /// Whether it runs only when somebody asks.
    is_paused: bool,
}

/// Says what is so from now on.
pub(crate) fn say<'r>(
    context: &mut Context,
    routes: &'r [RouteName],
    is_paused: bool,
) -> Result<(), CliError> {
    let view = |route: &'r RouteName| {
        let RouteName { feed, destination } = route;
        PausedRoute { feed, destination, is_paused }
    };
    let state = match is_paused {
        true => "is paused: it runs only when `sync` asks",
        false => "runs by its schedule",
    };
    let text = || routes.iter().map(|route| format!("{route} {state}\n")).collect();
    context.answer(|| PauseAnswer { routes: routes.iter().map(view).collect() }, text)
}
