//! A person at a terminal: questions on standard error, answers on standard input.

use std::io;

use crate::{
    cli::{CliError, Context, Ui, live::Live},
    model::Secret,
};

use super::dialogue::{Asker, Stopped};

/// Somebody at the terminal, who can stop the program at any question.
pub(super) struct Terminal<'c> {
    ui: &'c mut Ui,
    live: Live,
}

impl<'c> Terminal<'c> {
    pub(super) fn start(context: &'c mut Context) -> Result<Self, CliError> {
        let live = Live::start(context)?;
        Ok(Self { ui: &mut context.ui, live })
    }

    /// What hears whoever wants the program to stop, when nothing more is asked.
    pub(super) fn into_live(self) -> Live {
        self.live
    }

    /// A line without its end.
    fn line(&self) -> Result<String, Stopped> {
        let read = || {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|bytes| (bytes, line))
        };
        // A read that nobody waits for any more ends with the program.
        let reading = self.live.threads().spawn_blocking(read);
        let read = self.live.ask(reading).ok_or(Stopped::Interrupted)?;
        match read.map_err(io::Error::other) {
            Ok(Ok((0, _))) => Err(Stopped::EndOfInput),
            Ok(Ok((_, line))) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
            Ok(Err(error)) | Err(error) => Err(Stopped::Failed(error)),
        }
    }
}

impl Asker for Terminal<'_> {
    fn ask(&mut self, question: &str) -> Result<String, Stopped> {
        self.ui.ask(question);
        let line = self.line();
        if line.is_err() {
            self.ui.ask("\n");
        }
        line
    }

    fn ask_secretly(&mut self, question: &str) -> Result<Secret, Stopped> {
        // Before the question is seen, so that no answer is too early.
        let _silence = Silence::begin().map_err(Stopped::Failed)?;
        self.ask(question).map(Secret::new)
    }

    fn say(&mut self, text: &str) {
        self.ui.say(text);
    }
}

/// While it lives, the terminal shows nothing of what is typed but the ends of lines.
struct Silence {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Silence {
    fn begin() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        // What was typed before was seen: it is no answer.
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that is gone has nothing to show.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.before).ok();
    }
}

#[cfg(not(unix))]
impl Silence {
    fn begin() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
