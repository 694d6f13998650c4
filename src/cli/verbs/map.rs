//! `map`: what a dataset becomes, without a store and without MISP.

use std::path::Path;

use crate::{
    agent::{Clock, Input, SystemClock, mapping_tally},
    cli::{CliError, Context, Exit, args::MapArgs, job, render, unmarked},
    config::{Config, DEFAULT_FILE, source_at},
    graph::{self, Aliases},
    history::DatasetTally,
    mapper::{self, IncludeTags, Rules, Tally},
    misp::Claims,
};

/// Prints the rules, or what each incident becomes.
pub(crate) fn run(args: &MapArgs, context: &mut Context) -> Result<Exit, CliError> {
    let Terms { rules, options, denied } = terms(context)?;
    if args.rules {
        let json = || {
            let fingerprint = rules.fingerprint().to_string();
            render::json::RulesAnswer { fingerprint, rules: rules.to_toml() }
        };
        context.answer_with_document(json, || rules.to_toml())?;
    }
    let Some(file) = &args.file else { return Ok(Exit::Done) };
    let spec = source_at(file);
    let input = Input::read_source(&spec, args.format, &Aliases::default(), &options, None)?;
    for note in input.notes() {
        context.say(format_args!("note: {}", render::Clean(&note)));
    }
    let total = each_incident(args, context, &input, &rules)?;
    if let Some(destination) = &denied
        && input.graph.incident_count() > 0
        && input.graph.incidents().all(|incident| incident.entity.tlp.is_none())
    {
        let cure = unmarked::cure(destination);
        context.say(format_args!(
            "note: no incident has a TLP colour, so policy withholds them all: to send them, {cure}"
        ));
    }
    let incidents = input.graph.incidents().count() as u64;
    let json = || render::json::MapTotal {
        dataset: DatasetTally {
            incidents,
            entities: input.graph.entity_count() as u64,
            skipped: input.skipped as u64,
            mapping: mapping_tally(&total),
        },
    };
    // With `--json` each line is an event, unless the sums are asked for.
    if args.total || !context.global.json {
        context.answer(json, || render::map::foot(&total, incidents))?;
    }
    Ok(if input.skipped > 0 { Exit::Partial } else { Exit::Done })
}

fn each_incident(
    args: &MapArgs,
    context: &mut Context,
    input: &Input,
    rules: &Rules,
) -> Result<Tally, CliError> {
    let now = SystemClock.now();
    let mut total = Tally::default();
    mapper::unlinked(&input.graph).for_each(|loss| total.lose(&loss.reason));
    if !context.global.json && !args.total {
        context.ui.text(&render::map::head())?;
    }
    let roots = input.graph.roots().map(|(root, entity)| (root, &*entity.kind));
    let claims = Claims::of(roots, |_| None);
    for incident in input.graph.incidents() {
        let mapped = mapper::map(&incident, claims.event(incident.root), rules, now);
        total.add(&mapped.tally);
        if !args.total {
            let json = || render::json::MapAnswer::new(&mapped);
            context.answer(json, || render::map::row(&mapped))?;
        }
    }
    Ok(total)
}

/// What the configuration says of mapping, and the name of a destination that gets nothing without a colour.
struct Terms {
    rules: Rules,
    options: graph::Options,
    denied: Option<String>,
}

/// The terms of the configuration; the defaults where there is none.
fn terms(context: &mut Context) -> Result<Terms, CliError> {
    let path = &context.global.config;
    if path == Path::new(DEFAULT_FILE) && !path.exists() {
        let rules = job::rules(None, IncludeTags::Event)?;
        let denied = Some("NAME".to_owned());
        return Ok(Terms { rules, options: graph::Options::default(), denied });
    }
    let config: Config = context.config()?;
    let include_tags = match &config.destinations[..] {
        [only] => only.include_tags,
        _ => IncludeTags::Event,
    };
    let rules = job::rules(Some(&config.mapping), include_tags)?;
    let mut denying = config.destinations.iter().filter(|it| unmarked::are_withheld(it));
    let denied = denying.next().map(|destination| destination.name.to_string());
    Ok(Terms { rules, options: config.mapping.graph_options(), denied })
}
