//! A program that shows long answers page by page, as git has it.

use std::{
    env, io,
    io::Write,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

#[cfg(unix)]
use tokio::{runtime::Builder, signal::unix::SignalKind};

use crate::cli::live::paged;
#[cfg(unix)]
use crate::cli::live::{Heeded, runtime};

use super::stream::is_dumb;

/// What shows the pages where nothing is said.
const USUAL: &str = "less";
/// What `less` is told where nothing is: to end at once if all fits, to show colours, and to leave the screen as it is.
const LESS: (&str, &str) = ("LESS", "FRX");
/// What it is told whatever it was told before: otherwise it shows the letters of colours.
const COLOURS: &str = "-R";
/// By these in order; an empty one, or `cat`, wants no pager.
const VARIABLES: [&str; 2] = ["MISP_TRICKLE_PAGER", "PAGER"];
/// Only a shell understands what has one of these in it.
const FOR_A_SHELL: &str = "|&;<>()$`\\\"' \t\n*?[#~=%";
/// What a shell answers if there is no such program, or it cannot be started.
const NO_PROGRAM: [i32; 2] = [126, 127];

/// A pager that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pager(String);

impl Pager {
    /// The one that the environment names. A terminal that cannot move its cursor has none.
    pub(super) fn chosen() -> Option<Self> {
        (!is_dumb()).then(|| Self::of(|name| env::var(name).ok()))?
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let said = VARIABLES.into_iter().find_map(variable);
        let command = said.unwrap_or_else(|| USUAL.to_owned());
        let command = command.trim();
        (!command.is_empty() && command != "cat").then(|| Self(command.to_owned()))
    }

    /// Shows a text, and waits until its reader has enough. `false` where there is no such program: nothing was shown.
    pub(super) fn show(&self, text: &str) -> bool {
        leave_ctrl_c_to_it();
        let Ok(mut child) = self.start() else { return false };
        let mut input = child.stdin.take().expect("it is piped");
        // Who quits early has seen enough.
        drop(input.write_all(text.as_bytes()));
        drop(input);
        let ended = child.wait();
        !ended.is_ok_and(|status: ExitStatus| {
            status.code().is_some_and(|code| NO_PROGRAM.contains(&code))
        })
    }

    /// Whether it is `less`, which shows colours; of others nobody knows.
    pub(super) fn is_less(&self) -> bool {
        self.less().is_some()
    }

    /// The words of its command, if it is `less` and no shell has to understand them.
    fn less(&self) -> Option<Vec<&str>> {
        let words: Vec<&str> = self.0.split(' ').filter(|word| !word.is_empty()).collect();
        let program = Path::new(*words.first()?).file_stem()?;
        let is_plain = !words.iter().any(|word| word.contains(|it| FOR_A_SHELL.contains(it)));
        (program == "less" && is_plain).then_some(words)
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = if let Some([program, options @ ..]) = self.less().as_deref() {
            let mut less = Command::new(program);
            less.args(options).arg(COLOURS);
            less
        } else if cfg!(unix) && self.0.contains(|it| FOR_A_SHELL.contains(it)) {
            let mut shell = Command::new("sh");
            shell.args(["-c", &self.0]);
            shell
        } else {
            Command::new(&self.0)
        };
        if env::var_os(LESS.0).is_none() {
            command.env(LESS.0, LESS.1);
        }
        command.stdin(Stdio::piped()).spawn()
    }
}

/// From now on Ctrl-C is for the pager: whoever dies of it leaves two programs to one keyboard. SIGTERM still ends this one.
fn leave_ctrl_c_to_it() {
    paged();
    #[cfg(unix)]
    if let Ok(runtime) = runtime(&mut Builder::new_current_thread()) {
        // What once listened goes on to hear it, until the program ends.
        runtime.block_on(async { drop(Heeded::begin(SignalKind::interrupt())) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_variable_goes_before_that_of_all_programs() {
        let chosen = |own: Option<&str>, all: Option<&str>| {
            let of = |name: &str| if name == "PAGER" { all } else { own };
            Pager::of(|name| of(name).map(str::to_owned)).map(|pager| pager.0)
        };
        assert_eq!(chosen(None, None).as_deref(), Some("less"));
        assert_eq!(chosen(None, Some("more")).as_deref(), Some("more"));
        assert_eq!(chosen(Some("most -s"), Some("more")).as_deref(), Some("most -s"));
        assert_eq!(chosen(Some(""), Some("more")), None);
        assert_eq!(chosen(None, Some("cat")), None);
    }

    #[test]
    fn less_is_known_with_its_options_and_in_its_folder() {
        for (command, is_less) in [
            ("less", true),
            ("/usr/bin/less  -i +G", true),
            ("lessen", false),
            ("less | cat", false),
            ("LESS=i less", false),
            ("more", false),
        ] {
            assert_eq!(Pager(command.to_owned()).is_less(), is_less, "{command}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pager_that_is_not_there_shows_nothing_and_one_that_quits_is_no_fault() {
        let long = "x\n".repeat(200_000);
        for (command, shows) in [
            ("no-such-pager-of-anybody", false),
            ("no-such-pager-of-anybody -R 2>/dev/null", false),
            ("true", true),
            ("head -n 1 >/dev/null", true),
        ] {
            assert_eq!(Pager(command.to_owned()).show(&long), shows, "{command}");
        }
    }
}
