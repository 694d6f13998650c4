//! Standard output and standard error: whether they are terminals, how wide, and whether in colour.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
};

use anstream::{AutoStream, ColorChoice};

use crate::{cli::args::When, model::Words};

/// Of a terminal that does not say.
const COLUMNS_USUAL: usize = 80;

/// A stream of this process that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Stream {
    /// Standard output.
    Data,
    /// Standard error.
    Talk,
}

impl Stream {
    /// Whether it is a terminal.
    pub(in crate::cli) fn is_terminal(self) -> bool {
        match self {
            Self::Data => io::stdout().is_terminal(),
            Self::Talk => io::stderr().is_terminal(),
        }
    }

    pub(super) fn is_coloured(self) -> bool {
        let choice = match self {
            Self::Data => AutoStream::choice(&io::stdout()),
            Self::Talk => AutoStream::choice(&io::stderr()),
        };
        choice != ColorChoice::Never
    }

    /// Whether colours are wanted where nobody knows that they show.
    pub(super) fn is_colour_forced() -> bool {
        let variable = env::var_os("CLICOLOR_FORCE").is_some_and(|it| !it.is_empty() && it != "0");
        match ColorChoice::global() {
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Auto => variable,
            ColorChoice::Never => false,
        }
    }

    /// How wide it is; what nobody looks at has no width.
    pub(super) fn columns(self) -> Option<usize> {
        if !self.is_terminal() {
            return None;
        }
        let said = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        // As in the answer of a terminal that does not know it, 0 is no width.
        let said = said.filter(|it| *it > 0);
        let measured = || self.size().map(|(columns, _)| columns).filter(|it| *it > 0);
        Some(said.or_else(measured).unwrap_or(COLUMNS_USUAL))
    }

    /// How many lines show at once, where that is known.
    pub(super) fn lines(self) -> Option<usize> {
        self.size().map(|(_, lines)| lines).filter(|it| *it > 0)
    }

    fn size(self) -> Option<(usize, usize)> {
        let found = match self {
            Self::Data => terminal_size::terminal_size_of(io::stdout()),
            Self::Talk => terminal_size::terminal_size_of(io::stderr()),
        };
        found.map(|(columns, lines)| (columns.0.into(), lines.0.into()))
    }
}

/// From now on colours are shown as `--color` says, by clap as well: it is looked for before anything else, as wrong
/// arguments are told in colours, too.
pub(in crate::cli) fn choose_colours(args: impl Iterator<Item = OsString>) {
    const NAME: &str = "--color";
    let mut before = OsString::new();
    for arg in args.take_while(|arg| arg != "--") {
        let text = arg.to_string_lossy();
        let joined = text.strip_prefix(NAME).and_then(|rest| rest.strip_prefix('='));
        let word = joined.or_else(|| (before == NAME).then_some(&*text));
        match word.and_then(When::of_word) {
            Some(When::Auto) => ColorChoice::Auto.write_global(),
            Some(When::Always) => ColorChoice::Always.write_global(),
            Some(When::Never) => ColorChoice::Never.write_global(),
            None => {}
        }
        before = arg;
    }
    // `anstream` colours such a terminal where `CI` is set, as build servers show colours without a terminal.
    if is_dumb() && ColorChoice::global() == ColorChoice::Auto && !Stream::is_colour_forced() {
        ColorChoice::Never.write_global();
    }
}

/// Whether the terminal, if there is one, can do no more than show lines.
pub(super) fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}
