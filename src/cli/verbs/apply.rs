//! `apply`: carries out a saved plan, and refuses if anything moved since it was made.

use crate::{
    agent::{PLAN_SCHEMA, SavedPlan},
    cli::{
        CliError, Context, Exit,
        args::ApplyArgs,
        job::{self, CliOverrides},
        live::Live,
        source::{beside_pulls, last_pulled},
        verbs::{
            plan::{PlanFile, preview_of},
            sync,
        },
    },
    config::{Holds, read_text},
    model::DestinationName,
};

/// Plans anew, compares, and delivers.
pub(crate) fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, CliError> {
    context.limit(args.bwlimit);
    let file = read(args, context)?;
    let overrides = CliOverrides {
        source: file.source_path.clone(),
        feed: Some(file.saved.feed.clone()),
        destination: Some(file.saved.destination.clone()),
        accept_mapping: file.accept_mapping,
        allow_empty: file.allow_empty,
        accept_removals: file.accept_removals,
        bwlimit: context.throttles.of_process(),
        ..CliOverrides::default()
    };
    // What is wrong is told at once; what is to be done goes by the configuration that holds once it may.
    job::jobs(&context.config()?, &overrides)?;
    if context.host.is_some() && file.source_path.is_some() {
        let what = "the plan is of a source of its own, and it runs feeds as they are configured";
        return Err(CliError::AskedTooMuch { what });
    }
    let _turn = context.turn(&DestinationName::new(&file.saved.destination))?;
    let config = context.config()?;
    let jobs = job::jobs(&config, &overrides)?;
    let ledger = context.shared_store(&config)?;
    let feed = config.feed(Some(&file.saved.feed), file.source_path.as_deref())?;
    let dataset = beside_pulls(|| {
        let dataset = last_pulled(&feed, Some(ledger.lock().mirror_files(&feed.name)))?;
        for (job, destination) in &jobs {
            let now = preview_of(job, destination, &dataset, Some(&ledger))?.saved;
            let moved = moved(&file.saved, &now);
            if !moved.is_empty() {
                return Err(CliError::Stale { moved });
            }
        }
        Ok(dataset)
    })?;
    let live = Live::start(context)?;
    let datasets = [(feed.name, Ok(dataset))].into();
    sync::deliver_all(context, &live, &ledger, &jobs, &datasets)
}

fn read(args: &ApplyArgs, context: &Context) -> Result<PlanFile, CliError> {
    let path = &args.plan;
    let not_a_plan = |cause: String| CliError::NotAPlan { path: path.clone(), cause };
    let text = match &context.host {
        // A host opens none of the files that others name.
        Some(host) => {
            let sent = host.input().map(str::to_owned);
            sent.ok_or_else(|| not_a_plan("the question came without it".to_owned()))?
        }
        None => read_text(path, Holds::Data).map_err(|cause| CliError::read(path, &cause))?,
    };
    let file: PlanFile =
        serde_json::from_str(&text).map_err(|error| not_a_plan(error.to_string()))?;
    if file.saved.schema != PLAN_SCHEMA {
        return Err(not_a_plan(format!("its schema is {:?}", file.saved.schema)));
    }
    Ok(file)
}

/// What is not as it was when the plan was made; if nothing else, what it would do.
fn moved(then: &SavedPlan, now: &SavedPlan) -> Vec<String> {
    let mut moved = Vec::new();
    let pairs = [
        ("the dataset", &then.source, &now.source),
        ("the mapping rules", &then.rules, &now.rules),
        ("policy or event settings", &then.policy, &now.policy),
    ];
    let differing = pairs.into_iter().filter(|(_, then, now)| then != now);
    moved.extend(differing.map(|(what, _, _)| what.to_owned()));
    if moved.is_empty() && then.plan != now.plan {
        moved.push("what is known of MISP, and with it what is to be done".to_owned());
    }
    moved
}
