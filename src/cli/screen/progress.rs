//! Runs as their user sees them: a bar for each destination on a terminal, notes as they come.

use std::{cell::RefCell, collections::BTreeMap};

use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    agent::{Observer, Phase, Progress},
    cli::{Context, render::Clean},
    model::DestinationName,
};

const WIDE: &str = "{msg} [{bar:24}] {pos}/{len} events, {prefix}, {eta} left";

/// The bars of runs that go side by side.
pub(in crate::cli) struct Bars {
    all: MultiProgress,
    each: BTreeMap<DestinationName, (ProgressBar, Option<Phase>)>,
    /// Several destinations are told apart by their names.
    named: bool,
}

impl Bars {
    /// For so many destinations. Where standard error is no terminal, nothing is drawn; neither is it beside a log, or for somebody else.
    pub(in crate::cli) fn new(context: &Context, destinations: usize) -> Self {
        let global = &context.global;
        let is_seen = context.host.is_none() && !global.quiet && global.verbose == 0;
        let target = match is_seen {
            true => ProgressDrawTarget::stderr_with_hz(8),
            false => ProgressDrawTarget::hidden(),
        };
        let all = MultiProgress::with_draw_target(target);
        Self { all, each: BTreeMap::new(), named: destinations > 1 }
    }

    /// Shows how far the run at a destination is.
    pub(in crate::cli) fn show(&mut self, destination: &DestinationName, progress: Progress) {
        let made = || (self.all.add(ProgressBar::no_length()), None);
        let (bar, phase) = self.each.entry(destination.clone()).or_insert_with(made);
        if phase.replace(progress.phase) != Some(progress.phase) {
            let (message, template) = match progress.phase {
                Phase::Reading => ("reading", "{msg} {spinner}"),
                Phase::Delivering => ("delivering", WIDE),
                Phase::Finishing => ("finishing", "{msg}"),
            };
            let style = ProgressStyle::with_template(template).expect("the templates are sound");
            bar.set_style(style);
            bar.set_message(match self.named {
                true => format!("{destination}: {message}"),
                false => message.to_owned(),
            });
        }
        let (sent, bytes) = (progress.attributes_sent, DecimalBytes(progress.bytes));
        bar.set_prefix(format!("{sent} attributes, {bytes}"));
        bar.set_length(progress.events);
        bar.set_position(progress.events_done);
    }

    /// Says what the run at a destination has to say.
    pub(in crate::cli) fn note(
        &self,
        context: &mut Context,
        destination: &DestinationName,
        note: &str,
    ) {
        let note = Clean(note);
        self.all.suspend(|| match self.named {
            true => context.say(format_args!("note: {destination}: {note}")),
            false => context.say(format_args!("note: {note}")),
        });
    }

    /// Takes the bars away.
    pub(in crate::cli) fn finish(&self) {
        for (bar, _) in self.each.values() {
            bar.finish_and_clear();
        }
    }
}

/// Watches the only run under way.
pub(in crate::cli) struct Watcher<'c> {
    context: RefCell<&'c mut Context>,
    bars: RefCell<Bars>,
    destination: DestinationName,
}

impl<'c> Watcher<'c> {
    /// Watches a run at this destination.
    pub(in crate::cli) fn new(context: &'c mut Context, destination: DestinationName) -> Self {
        let bars = RefCell::new(Bars::new(context, 1));
        Self { context: RefCell::new(context), bars, destination }
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.bars.get_mut().finish();
    }
}

impl Observer for Watcher<'_> {
    fn progress(&self, progress: Progress) {
        self.bars.borrow_mut().show(&self.destination, progress);
    }

    fn note(&self, note: &str) {
        let mut context = self.context.borrow_mut();
        self.bars.borrow().note(&mut context, &self.destination, note);
    }
}
