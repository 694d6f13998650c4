//! A question and its answer: an option gives it, or somebody who is asked, or it has a default.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use crate::{
    cli::{CliError, Kind, Report},
    config::{KeySource, SecretForm},
    model::{Fault, Secret},
};

use super::args::wrong;

/// Somebody who answers.
pub(super) trait Asker {
    /// Asks, and gives the answer without the end of its line.
    fn ask(&mut self, question: &str) -> Result<String, Stopped>;
    /// The same, and nobody sees what is answered.
    fn ask_secretly(&mut self, question: &str) -> Result<Secret, Stopped>;
    /// Says something between the questions.
    fn say(&mut self, text: &str);
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Somebody stopped the program.
    Interrupted,
    /// Whoever answers has nothing more to say.
    EndOfInput,
    /// The terminal cannot be used.
    Failed(io::Error),
}

impl From<Stopped> for CliError {
    /// Before anything is written.
    fn from(stopped: Stopped) -> Self {
        let (kind, cause, cure) = match stopped {
            Stopped::Interrupted => {
                (Kind::Interrupted, "interrupted", "nothing was written; run it again")
            }
            Stopped::EndOfInput => (
                Kind::Usage,
                "the input ended before all questions were answered",
                "nothing was written; answer them, or give options and --no-input",
            ),
            Stopped::Failed(cause) => return Self::System(cause),
        };
        Self::Told(Box::new(Report::new(kind, Fault::new(cause, cure))))
    }
}

/// What is to be known.
pub(super) struct Question<'q> {
    /// What is asked.
    pub(super) text: &'q str,
    /// The option that answers it.
    pub(super) option: &'static str,
    /// What is meant by an empty answer, and where nobody is asked.
    pub(super) default: Option<&'q str>,
}

/// A secret that is to be known.
pub(super) struct SecretQuestion {
    /// What it is.
    pub(super) noun: &'static str,
    pub(super) form: SecretForm,
    /// The environment variable that holds it where nobody says it.
    pub(super) variable: &'static str,
    /// The end of the name of the file that it goes into.
    pub(super) file: &'static str,
    /// The options that name a variable and a file.
    pub(super) options: [&'static str; 2],
    /// Whether the configuration takes what they name.
    pub(super) sound: fn(&KeySource) -> Result<(), Fault>,
    /// What is odd about a text, although it may be the secret.
    pub(super) odd: fn(&str) -> Option<&'static str>,
}

/// A secret that was said, and the file that it goes into.
pub(super) struct NewSecret {
    pub(super) noun: &'static str,
    pub(super) path: PathBuf,
    pub(super) secret: Secret,
}

/// Questions and answers about one configuration.
pub(super) struct Dialogue<'a> {
    asker: Option<&'a mut dyn Asker>,
    config: &'a Path,
    /// Whether anything was asked.
    pub(super) has_asked: bool,
    /// What was said that does not stand in the configuration.
    pub(super) secrets: Vec<NewSecret>,
    /// Secrets that are still to be put where the configuration names them.
    pub(super) awaited: Vec<String>,
    /// Whether one of them is not there yet.
    pub(super) lacks: bool,
}

impl<'a> Dialogue<'a> {
    /// With somebody or nobody.
    pub(super) fn new(config: &'a Path, asker: Option<&'a mut dyn Asker>) -> Self {
        let (secrets, awaited) = (Vec::new(), Vec::new());
        Self { asker, config, has_asked: false, secrets, awaited, lacks: false }
    }

    /// Whether somebody is asked what no option says.
    pub(super) const fn asks(&self) -> bool {
        self.asker.is_some()
    }

    /// A path that stands in the configuration.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.config.with_file_name(path)
    }

    /// Says something to whoever is asked.
    pub(super) fn say(&mut self, text: &str) {
        if let Some(asker) = &mut self.asker {
            asker.say(text);
        }
    }

    /// The answer to a question. `take` makes the value of it, or says what is wrong with it.
    pub(super) fn settle<T>(
        &mut self,
        given: Option<&str>,
        question: &Question<'_>,
        take: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<T, CliError> {
        let Question { text, option, default } = *question;
        let refuse = |fault: Fault| wrong(option, fault);
        if let Some(given) = given {
            return take(given).map_err(refuse);
        }
        let Some(asker) = &mut self.asker else {
            let default = default.ok_or_else(|| {
                refuse(Fault::new("is missing", "give it, or answer the questions on a terminal"))
            })?;
            return take(default).map_err(refuse);
        };
        self.has_asked = true;
        let prompt = match default {
            Some(default) => format!("{text} [{default}]: "),
            None => format!("{text}: "),
        };
        loop {
            let answer = asker.ask(&prompt)?;
            let taken = match (answer.trim(), default) {
                ("", None) => {
                    Err(Fault::new("there is no answer", "write one, or end with Ctrl-C"))
                }
                ("", Some(default)) => take(default),
                (answer, _) => take(answer),
            };
            match taken {
                Ok(value) => return Ok(value),
                Err(fault) => asker.say(&format!("  {fault}")),
            }
        }
    }

    /// One of a few words; the first is the default.
    pub(super) fn choose<T: Copy>(
        &mut self,
        given: Option<&str>,
        (text, option): (&str, &'static str),
        words: &[(&'static str, T)],
    ) -> Result<T, CliError> {
        let all = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let text = format!("{text} ({all})");
        let question = Question { text: &text, option, default: Some(words[0].0) };
        self.settle(given, &question, |answer| {
            let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(answer));
            let unknown = || {
                Fault::new(format!("{answer:?} is not known here"), format!("write one of {all}"))
            };
            found.map(|(_, value)| *value).ok_or_else(unknown)
        })
    }

    /// Where a secret comes from: what options name, a new file with what was said, or a variable.
    pub(super) fn secret(
        &mut self,
        variable: Option<&str>,
        file: Option<&Path>,
        question: &SecretQuestion,
    ) -> Result<KeySource, CliError> {
        let named = variable.map(|name| KeySource::Env(name.to_owned()));
        let named = named.or_else(|| file.map(|path| KeySource::File(path.to_owned())));
        let from = match named {
            Some(from) => {
                let option = question.options[usize::from(variable.is_none())];
                (question.sound)(&from).map_err(|fault| wrong(option, fault))?;
                from
            }
            None => match self.said(question)? {
                Some(secret) => return Ok(self.keep(question, secret)),
                None => KeySource::Env(question.variable.to_owned()),
            },
        };
        self.lacks |= !match &from {
            KeySource::Env(name) => env::var_os(name).is_some(),
            KeySource::File(path) => self.config.with_file_name(path).exists(),
        };
        self.awaited.push(format!("the {} is taken from {from}", question.noun));
        Ok(from)
    }

    /// What somebody says that nobody sees.
    fn said(&mut self, question: &SecretQuestion) -> Result<Option<Secret>, CliError> {
        let Some(asker) = &mut self.asker else { return Ok(None) };
        self.has_asked = true;
        let SecretQuestion { noun, variable, .. } = question;
        let prompt = format!(
            "{noun}, which is not shown (nothing: it comes from the environment variable {variable}): "
        );
        loop {
            let answer = asker.ask_secretly(&prompt)?;
            if answer.expose().trim().is_empty() {
                return Ok(None);
            }
            match question.form.read(answer.expose()) {
                Err(what) => asker.say(&format!("  {what}")),
                Ok(secret) => {
                    if let Some(odd) = (question.odd)(secret.expose()) {
                        asker.say(&format!("  {odd}"));
                    }
                    return Ok(Some(secret));
                }
            }
        }
    }

    /// Remembers a secret for a file that is not there yet.
    fn keep(&mut self, question: &SecretQuestion, secret: Secret) -> KeySource {
        let stem = self.config.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{stem}.{}", question.file);
        let others = (2_u32..).map(|number| format!("{name}-{number}"));
        let is_free = |name: &String| self.at(name).symlink_metadata().is_err();
        let mut names = std::iter::once(name.clone()).chain(others);
        let name = names.find(is_free).expect("no folder holds a file of every number");
        let path = self.at(&name);
        self.secrets.push(NewSecret { noun: question.noun, path, secret });
        KeySource::File(name.into())
    }
}
