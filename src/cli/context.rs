//! What every verb has at hand: the global arguments, the configuration, the screen.

use std::{num::NonZeroU64, path::PathBuf, sync::Arc};

use clap::{CommandFactory, Parser, parser::ValueSource};
use serde::Serialize;

use crate::{
    config::{Config, StorePrivacy},
    history::Ledger,
    model::DestinationName,
};

use super::{
    Cli, CliError, Ui, args::GlobalArgs, host::Host, render::Detail, screen::Reader,
    throttles::Throttles,
};

/// What every verb has at hand.
#[derive(Debug)]
pub struct Context {
    /// The global arguments.
    pub global: GlobalArgs,
    /// The screen.
    pub ui: Ui,
    /// The verb that runs.
    pub verb: &'static str,
    /// The arguments that it was called with, without the program's name.
    pub args: Vec<String>,
    /// Whether a store that others may read is refused; known once the configuration was read.
    pub store_private: StorePrivacy,
    /// Limits on bytes a second.
    pub throttles: Arc<Throttles>,
    /// The owner of the store, where it runs the verb for somebody else.
    pub(super) host: Option<Arc<dyn Host>>,
    /// Who reads what it answers.
    pub(super) reader: Reader,
    /// Whether it says which command comes next; who runs several verbs by itself knows.
    pub(super) guides: bool,
    /// Whether the warnings of the configuration were said.
    has_warned: bool,
}

impl Context {
    /// Puts the two together.
    #[must_use]
    pub fn new(global: GlobalArgs, ui: Ui) -> Self {
        let reader = ui.reader();
        Self {
            global,
            reader,
            ui,
            verb: "",
            args: Vec::new(),
            store_private: StorePrivacy::Prefer,
            throttles: Arc::default(),
            host: None,
            guides: false,
            has_warned: false,
        }
    }

    /// From now on all destinations together take at most so many bytes a second. A host has limits of its own.
    pub(super) fn limit(&mut self, bwlimit: Option<NonZeroU64>) {
        if self.host.is_none() {
            self.throttles = Arc::new(Throttles::new(bwlimit));
        }
    }

    /// The configuration with `--store` applied; its warnings are said once, unless `--quiet`. Of a host the one in
    /// effect, whose warnings it said when it began.
    ///
    /// # Errors
    /// If it cannot be read or is not valid.
    pub fn config(&mut self) -> Result<Config, CliError> {
        if let Some(host) = &self.host {
            return Ok(host.config());
        }
        let mut config = Config::load(&self.global.config)?;
        if let Some(store) = &self.global.store {
            config.store_path.clone_from(store);
        }
        self.store_private = config.store_private;
        if !std::mem::replace(&mut self.has_warned, true) {
            config.warnings.iter().for_each(|warning| self.warn(warning));
        }
        Ok(config)
    }

    /// The folder of the store; the configuration is read only where `--store` does not say it.
    ///
    /// # Errors
    /// As [`Context::config`].
    pub fn store_path(&mut self) -> Result<PathBuf, CliError> {
        match &self.global.store {
            Some(path) if self.host.is_none() => Ok(path.clone()),
            _ => Ok(self.config()?.store_path),
        }
    }

    /// How much of an answer is shown: at a terminal not all of what is long, unless that is asked for.
    pub(super) const fn detail(&self, only_counts: bool, all: bool) -> Detail {
        match (only_counts, all) {
            (true, _) => Detail::Counts,
            (false, false) if self.reader.is_at_terminal => Detail::Brief,
            (false, _) => Detail::Full,
        }
    }

    /// The command that shows all of an answer: what it was called with, and `--all`.
    pub(super) fn whole(&self) -> String {
        let end = self.args.iter().position(|arg| arg == "--").unwrap_or(self.args.len());
        let (options, rest) = self.args.split_at(end);
        let words = options.iter().map(String::as_str).chain(["--all"]);
        let words = words.chain(rest.iter().map(String::as_str)).map(quoted);
        ["misp-trickle".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
    }

    /// The arguments with which somebody else answers as this would: who runs several verbs says for all of them how they
    /// speak, and not in the line of each.
    #[cfg_attr(not(unix), expect(dead_code, reason = "elsewhere nobody else answers"))]
    pub(super) fn asked(&self) -> Vec<String> {
        let line = ["misp-trickle"].into_iter().chain(self.args.iter().map(String::as_str));
        let said = Cli::try_parse_from(line).map(|cli| cli.global).ok();
        let lacks = |flag: fn(&GlobalArgs) -> bool| {
            flag(&self.global) && said.as_ref().is_some_and(|said| !flag(said))
        };
        let flags = [
            ("--json", lacks(|it| it.json)),
            ("--quiet", lacks(|it| it.quiet)),
            ("--utc", lacks(|it| it.utc)),
        ];
        let flags = flags.into_iter().filter(|(_, lacks)| *lacks).map(|(flag, _)| flag.to_owned());
        flags.chain(self.args.iter().cloned()).collect()
    }

    /// Says something, unless `--quiet`.
    pub fn say(&mut self, text: impl std::fmt::Display) {
        if !self.global.quiet {
            self.ui.say(text);
        }
    }

    /// Says which command comes next. Programs do not ask.
    pub(super) fn next(&mut self, text: impl std::fmt::Display) {
        if self.guides && !self.global.json && !self.global.quiet {
            let text = self.with_given_paths(&text.to_string());
            self.ui.guide(text);
        }
    }

    /// Adds the `--config` and `--store` of this command line to the commands in a text: those in backticks, and one that the
    /// text begins with. Those of the environment need no words, as the next command has the same environment.
    pub(super) fn with_given_paths(&self, text: &str) -> String {
        let line = ["misp-trickle"].into_iter().chain(self.args.iter().map(String::as_str));
        let Ok(said) = Cli::command().try_get_matches_from(line) else { return text.to_owned() };
        let GlobalArgs { config, store, .. } = &self.global;
        let named = [("config", Some(config)), ("store", store.as_ref())].into_iter();
        let named = named.filter(|(id, _)| said.value_source(id) == Some(ValueSource::CommandLine));
        let words =
            named.filter_map(|(id, path)| Some(format!(" --{id} {}", quoted(path?.to_str()?))));
        let begun = format!("misp-trickle{} ", words.collect::<String>());
        let text = text.replace("`misp-trickle ", &format!("`{begun}"));
        match text.strip_prefix("misp-trickle ") {
            Some(rest) => format!("{begun}{rest}"),
            None => text,
        }
    }

    /// Warns, unless `--quiet`.
    pub fn warn(&mut self, text: impl std::fmt::Display) {
        if !self.global.quiet {
            self.ui.warn(text);
        }
    }

    /// Prints an answer as JSON or as text, as `--json` says.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn answer<T: Serialize>(
        &mut self,
        json: impl FnOnce() -> T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.global.json {
            self.ui.json(&json())?;
        } else {
            self.ui.text(&text())?;
        }
        Ok(())
    }

    /// The same for a text that programs read as well.
    ///
    /// # Errors
    /// If nobody takes it.
    pub(super) fn answer_with_document<T: Serialize>(
        &mut self,
        json: impl FnOnce() -> T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.global.json {
            return self.answer(json, String::new);
        }
        Ok(self.ui.document(&text())?)
    }
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "@%+=:,./_-".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The destination of this name, or all that the ledger knows.
///
/// # Errors
/// If the ledger does not know it, or cannot be read.
pub(super) fn known_destinations(
    ledger: &dyn Ledger,
    asked: Option<&str>,
) -> Result<Vec<DestinationName>, CliError> {
    let mut known = ledger.destinations()?;
    let Some(asked) = asked else { return Ok(known) };
    let hint = if known.is_empty() {
        "nothing was sent anywhere yet".to_owned()
    } else {
        let names: Vec<&str> = known.iter().map(DestinationName::as_str).collect();
        format!("the store knows {}", names.join(", "))
    };
    known.retain(|name| name.as_str() == asked);
    if known.is_empty() {
        return Err(CliError::UnknownDestination { asked: asked.to_owned(), hint });
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_takes_them() {
        for (word, shown) in
            [("--since=2d", "--since=2d"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(word), shown);
        }
    }

    fn asked(args: &[&str], change: fn(&mut GlobalArgs)) -> Vec<String> {
        let line = ["misp-trickle"].iter().chain(args);
        let mut global = Cli::try_parse_from(line).unwrap().global;
        change(&mut global);
        let mut context = Context::new(global, Ui::standard(true));
        context.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        context.asked()
    }

    #[test]
    fn the_next_command_is_of_the_same_configuration_and_store() {
        let next = |args: &[&str], text: &str| {
            let line = ["misp-trickle"].iter().chain(args);
            let global = Cli::try_parse_from(line).unwrap().global;
            let mut context = Context::new(global, Ui::standard(true));
            context.args = args.iter().map(|arg| (*arg).to_owned()).collect();
            context.with_given_paths(text)
        };
        let (sync, apply) = ("`misp-trickle sync` sends it", "misp-trickle apply plan.json");
        assert_eq!(next(&["plan"], sync), sync);
        assert_eq!(
            next(&["plan", "--config", "a b.toml", "--store=s"], sync),
            "`misp-trickle --config 'a b.toml' --store s sync` sends it"
        );
        let told = next(&["--store", "s", "plan", "-o", "plan.json"], apply);
        assert_eq!(told, "misp-trickle --store s apply plan.json");
        assert_eq!(next(&["--store", "s", "plan"], "do it by hand"), "do it by hand");
    }

    #[test]
    fn who_answers_for_it_is_told_what_the_line_does_not_say() {
        assert_eq!(asked(&["log", "-q"], |_| ()), ["log", "-q"]);
        assert_eq!(asked(&["log", "-q"], |global| global.quiet = true), ["log", "-q"]);
        let both = |global: &mut GlobalArgs| (global.quiet, global.json) = (true, true);
        let told = ["--json", "--quiet", "why", "--", "-x"];
        assert_eq!(asked(&["why", "--", "-x"], both), told);
        assert_eq!(asked(&["--json", "log"], both), ["--quiet", "--json", "log"]);
    }
}
