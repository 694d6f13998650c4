//! A run as its user sees it: a bar on a terminal, notes as they come.

use std::cell::{Cell, RefCell};

use indicatif::{DecimalBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::agent::{self, Observer, Phase};

use super::Context;

const WIDE: &str = "{msg} [{bar:24}] {pos}/{len} events, {prefix}, {eta} left";

/// Watches one run.
pub(super) struct Progress<'c> {
    context: RefCell<&'c mut Context>,
    bar: ProgressBar,
    phase: Cell<Option<Phase>>,
}

impl<'c> Progress<'c> {
    /// Where standard error is no terminal, the bar draws nothing; neither does it beside a log.
    pub(super) fn new(context: &'c mut Context) -> Self {
        let global = &context.global;
        let target = match global.quiet || global.verbose > 0 {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(8),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        Self { context: RefCell::new(context), bar, phase: Cell::new(None) }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress<'_> {
    fn progress(&self, progress: agent::Progress) {
        if self.phase.replace(Some(progress.phase)) != Some(progress.phase) {
            let (message, template) = match progress.phase {
                Phase::Reading => ("reading", "{msg} {spinner}"),
                Phase::Delivering => ("delivering", WIDE),
                Phase::Finishing => ("finishing", "{msg}"),
            };
            let style = ProgressStyle::with_template(template).expect("the templates are sound");
            self.bar.set_style(style);
            self.bar.set_message(message);
        }
        let (sent, bytes) = (progress.attributes_sent, DecimalBytes(progress.bytes));
        self.bar.set_prefix(format!("{sent} attributes, {bytes}"));
        self.bar.set_length(progress.events);
        self.bar.set_position(progress.events_done);
    }

    fn note(&self, note: &str) {
        let mut context = self.context.borrow_mut();
        self.bar.suspend(|| context.say(format_args!("note: {}", super::render::Clean(note))));
    }
}
