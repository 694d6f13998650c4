//! `apply`: carries out a saved plan, and refuses if anything moved since it was made.

use std::fs;

use crate::{
    agent::{LedgerHandle, PLAN_SCHEMA, SavedPlan},
    cli::{
        CliError, Context, Exit,
        args::ApplyArgs,
        job::{self, CliOverrides},
        live::Live,
        source::last_pulled,
        verbs::{
            plan::{PlanFile, preview_of},
            sync,
        },
    },
};

/// Plans anew, compares, and delivers.
pub(crate) fn run(args: &ApplyArgs, context: &mut Context) -> Result<Exit, CliError> {
    context.limit(args.bwlimit);
    let file = read(args)?;
    let overrides = CliOverrides {
        source: file.source_path.clone(),
        feed: Some(file.saved.feed.clone()),
        destination: Some(file.saved.destination.clone()),
        accept_mapping: file.accept_mapping,
        allow_empty: file.allow_empty,
        accept_removals: file.accept_removals,
        bwlimit: args.bwlimit,
        ..CliOverrides::default()
    };
    let config = context.config()?;
    let jobs = job::jobs(&config, &overrides)?;
    let store = context.store(&config.store_path)?;
    let feed = config.feed(Some(&file.saved.feed), file.source_path.as_deref())?;
    let dataset = last_pulled(&feed, Some(&store))?;
    for (job, destination) in &jobs {
        let now = preview_of(job, destination, &dataset, Some(&store))?.saved;
        let moved = moved(&file.saved, &now);
        if !moved.is_empty() {
            return Err(CliError::Stale { moved });
        }
    }
    let live = Live::start(context)?;
    let datasets = [(feed.name, Ok(dataset))].into();
    sync::deliver_all(context, &live, &LedgerHandle::new(store), &jobs, &datasets)
}

fn read(args: &ApplyArgs) -> Result<PlanFile, CliError> {
    let path = &args.plan;
    let not_a_plan = |cause: String| CliError::NotAPlan { path: path.clone(), cause };
    let text = fs::read_to_string(path).map_err(|cause| CliError::read(path, &cause))?;
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
