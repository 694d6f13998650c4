//! Runs as their user sees them: a bar for each destination on a terminal, elsewhere a line each minute; notes as they come.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, Write},
    time::{Duration, Instant},
};

use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    agent::{Observer, Phase, Progress},
    cli::{
        Context,
        render::{Clean, Notes},
    },
    model::{DestinationName, Span},
};

use super::{Stream, narrow::Narrow, stream::is_dumb};

/// The bar takes what room there is.
const DELIVERING: &str = "{msg} [{wide_bar}] {eta}";
const OTHERWISE: &str = "{msg} {spinner}";
/// Longer names of destinations are cut.
const NAME_CHARS_MAX: usize = 10;
/// In a second.
const FRAMES: u8 = 8;
/// How often somebody who reads a log is told that a run goes on.
const BEAT: Duration = Duration::from_secs(60);

/// The runs that go side by side.
pub(in crate::cli) struct Bars {
    all: MultiProgress,
    each: BTreeMap<DestinationName, (ProgressBar, Option<Phase>)>,
    /// Several destinations are told apart by their names.
    named: bool,
    /// Of runs whose talk goes into a file.
    heart: Option<Heart>,
    notes: Notes,
}

impl Bars {
    /// For so many destinations. Beside a log, and for somebody else, nothing is shown.
    pub(in crate::cli) fn new(context: &Context, destinations: usize) -> Self {
        let global = &context.global;
        let is_seen = context.host.is_none() && !global.quiet && global.verbose == 0;
        let is_terminal = Stream::Talk.is_terminal();
        let target = match is_seen && is_terminal && !is_dumb() {
            true => ProgressDrawTarget::term_like_with_hz(Box::new(Narrow), FRAMES),
            false => ProgressDrawTarget::hidden(),
        };
        let heart = (is_seen && !is_terminal).then(|| Heart::new(Instant::now()));
        Self {
            all: MultiProgress::with_draw_target(target),
            each: BTreeMap::new(),
            named: destinations > 1,
            heart,
            notes: Notes::default(),
        }
    }

    /// Shows how far the run at a destination is.
    pub(in crate::cli) fn show(&mut self, destination: &DestinationName, progress: Progress) {
        let text = text(self.named.then_some(destination), progress);
        let made = || (self.all.add(ProgressBar::no_length()), None);
        let (bar, phase) = self.each.entry(destination.clone()).or_insert_with(made);
        if phase.replace(progress.phase) != Some(progress.phase) {
            let is_delivering = progress.phase == Phase::Delivering;
            let template = if is_delivering { DELIVERING } else { OTHERWISE };
            let style = ProgressStyle::with_template(template).expect("the templates are sound");
            bar.set_style(style);
        }
        bar.set_message(text.clone());
        bar.set_length(progress.events);
        bar.set_position(progress.events_done);
        if let Some(heart) = &mut self.heart {
            drop(heart.under_way.insert(destination.clone(), text));
        }
    }

    /// Says that runs go on, where that was not said for long and nobody sees a bar.
    pub(in crate::cli) fn beat(&mut self, context: &mut Context) {
        let lines = self.heart.as_mut().map(|heart| heart.beat(Instant::now()));
        lines.into_iter().flatten().for_each(|line| context.say(line));
    }

    /// Says what the run at a destination has to say; of what it says of many events alike, the first.
    pub(in crate::cli) fn note(
        &mut self,
        context: &mut Context,
        destination: &DestinationName,
        note: &str,
    ) {
        if self.notes.is_new(destination, note) {
            self.say(context, destination, note);
        }
    }

    fn say(&self, context: &mut Context, destination: &DestinationName, note: &str) {
        let note = Clean(note);
        self.all.suspend(|| match self.named {
            true => context.say(format_args!("note: {destination}: {note}")),
            false => context.say(format_args!("note: {note}")),
        });
    }

    /// The run at a destination is over.
    pub(in crate::cli) fn ended(&mut self, destination: &DestinationName) {
        if let Some(heart) = &mut self.heart {
            drop(heart.under_way.remove(destination));
        }
    }

    /// Takes the bars away, and says how many notes were not said.
    pub(in crate::cli) fn finish(&mut self, context: &mut Context) {
        for (bar, _) in self.each.values() {
            bar.finish_and_clear();
        }
        for (destination, rest) in std::mem::take(&mut self.notes).rest() {
            self.say(context, &destination, &rest);
        }
    }
}

/// How far a run is, in words.
fn text(name: Option<&DestinationName>, progress: Progress) -> String {
    let Progress { phase, events_done, events, attributes_sent, bytes } = progress;
    let name = name.map(|name| {
        let mut short: String = name.as_str().chars().take(NAME_CHARS_MAX).collect();
        if short.len() < name.as_str().len() {
            short.push('…');
        }
        format!("{short}: ")
    });
    let name = name.unwrap_or_default();
    match phase {
        Phase::Reading => format!("{name}reading the source"),
        Phase::Comparing => format!("{name}comparing with what is known"),
        Phase::Asking => format!("{name}asking MISP"),
        Phase::Delivering => {
            let bytes = DecimalBytes(bytes);
            format!("{name}{events_done}/{events} events, {attributes_sent} attributes, {bytes}")
        }
        Phase::Publishing => format!("{name}looking at what is published"),
        Phase::Finishing => format!("{name}finishing"),
    }
}

/// What is told of runs that nobody sees.
struct Heart {
    began: Instant,
    last: Instant,
    under_way: BTreeMap<DestinationName, String>,
}

impl Heart {
    const fn new(now: Instant) -> Self {
        Self { began: now, last: now, under_way: BTreeMap::new() }
    }

    /// A line for each run under way, once in each [`BEAT`].
    fn beat(&mut self, now: Instant) -> Vec<String> {
        if now.duration_since(self.last) < BEAT {
            return Vec::new();
        }
        self.last = now;
        let since = Span(now.duration_since(self.began).as_secs());
        self.under_way.values().map(|text| format!("after {since}: {text}")).collect()
    }
}

/// Removes what a bar left where the program ends without its runs.
pub(in crate::cli) fn wipe() {
    /// To the beginning of the line, and away with all that stands there and below.
    const WIPE: &[u8] = b"\r\x1b[J";
    if Stream::Talk.is_terminal() && !is_dumb() {
        drop(io::stderr().write_all(WIPE));
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
        self.bars.get_mut().finish(self.context.get_mut());
    }
}

impl Observer for Watcher<'_> {
    fn progress(&self, progress: Progress) {
        self.bars.borrow_mut().show(&self.destination, progress);
        self.bars.borrow_mut().beat(&mut self.context.borrow_mut());
    }

    fn note(&self, note: &str) {
        let mut context = self.context.borrow_mut();
        self.bars.borrow_mut().note(&mut context, &self.destination, note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Progress = Progress {
        phase: Phase::Delivering,
        events_done: 99_999,
        events: 99_999,
        attributes_sent: 9_999_999,
        bytes: 999_990_000,
    };

    #[test]
    fn a_bar_has_room_behind_the_longest_text() {
        let name = DestinationName::new("a-destination-with-a-long-name");
        let longest = text(Some(&name), FAR);
        assert!(longest.starts_with("a-destinat…: 99999/"), "{longest}");
        // Brackets, spaces, and what is left.
        assert!(longest.chars().count() + " [------] 59m".len() <= 76, "{longest}");
    }

    #[test]
    fn who_sees_no_bar_is_told_each_minute_what_is_under_way() {
        let began = Instant::now();
        let mut heart = Heart::new(began);
        let after = |seconds| began + Duration::from_secs(seconds);
        assert!(heart.beat(after(60)).is_empty());
        drop(heart.under_way.insert(DestinationName::new("main"), text(None, FAR)));
        assert!(heart.beat(after(100)).is_empty());
        let said = heart.beat(after(180));
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("after 3 min: 99999/99999 events, "), "{said:?}");
        assert!(heart.beat(after(200)).is_empty());
    }
}
