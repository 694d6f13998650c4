//! Handler what comes over the socket, by the verbs themselves.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Sender, channel},
    },
};

use clap::Parser;

use crate::{
    cli::{
        Cli, CliError, Context, Exit, Ui,
        args::{RouteArgs, SyncArgs},
        verbs::{self, Verb, sync::tell},
    },
    daemon::{Caller, Handler, Message, RunOptions},
    model::RouteName,
};

use super::{
    Shared,
    ask::{Answer, PROTOCOL, Question},
};

/// What answers requests over the socket.
pub(super) struct RequestHandler {
    pub(super) shared: Arc<Shared>,
    /// The random name of the store.
    pub(super) store: String,
    /// The file of the configuration in effect.
    pub(super) config: PathBuf,
    /// To the dispatcher.
    pub(super) sender: Mutex<Sender<Message<Shared>>>,
}

impl Handler for RequestHandler {
    type Question = Question;
    type Answer = Answer;

    fn answer(&self, question: Question, caller: Caller) -> Answer {
        let (data, talk) = (Buffer::default(), Buffer::default());
        let mut ui = Ui::new(Box::new(data.clone()), Box::new(talk.clone()));
        let args = ["misp-trickle".to_owned()].into_iter().chain(question.args);
        let exit = match Cli::try_parse_from(args) {
            _ if question.protocol != PROTOCOL || question.store != self.store => {
                ui.error("the question is for another store or version; run the verb again");
                Exit::Locked
            }
            Err(error) => {
                ui.say(error);
                Exit::Usage
            }
            Ok(mut cli) => {
                cli.global.config.clone_from(&self.config);
                let (name, as_json) = (cli.verb.name(), cli.global.json);
                let mut context = Context::new(cli.global, ui);
                context.verb = name;
                self.carry_out(&cli.verb, &mut context, caller).unwrap_or_else(|error| {
                    let report = error.report();
                    context.ui.report(&report, as_json);
                    report.exit()
                })
            }
        };
        Answer { data: data.text(), talk: talk.text(), exit: exit.code() }
    }
}

impl RequestHandler {
    fn carry_out(
        &self,
        verb: &Verb,
        context: &mut Context,
        caller: Caller,
    ) -> Result<Exit, CliError> {
        let ledger = &self.shared.ledger;
        match verb {
            Verb::Status(args) => return verbs::status::run(args, context, ledger),
            Verb::Log(args) => return verbs::log::run(args, context, ledger),
            Verb::Show(args) => return verbs::show::run(args, context, ledger),
            Verb::Diff(args) => return verbs::diff::run(args, context, ledger),
            Verb::Why(args) => return verbs::why::run(args, context, ledger),
            _ => {}
        }
        if caller != Caller::Owner {
            let what = "this is for the user who runs the daemon, and root";
            return Err(CliError::AskedTooMuch { what });
        }
        match verb {
            Verb::Sync(args) => self.sync(args, context),
            Verb::Pause(args) => self.pause(args, context, true),
            Verb::Resume(args) => self.pause(args, context, false),
            _ => {
                let what = "the daemon that has the store answers no such question";
                Err(CliError::AskedTooMuch { what })
            }
        }
    }

    fn sync(&self, args: &SyncArgs, context: &mut Context) -> Result<Exit, CliError> {
        let config = self.shared.config();
        let route =
            RouteArgs { feed: args.run.feed.clone(), destination: args.run.destination.clone() };
        let chosen = self.routes(&route)?;
        let options = RunOptions {
            accept_mapping: args.accept_mapping,
            allow_empty: args.allow_empty,
            accept_removals: args.accept_removals,
        };
        let (tells, told) = channel();
        self.tell(Message::Asked(chosen.clone(), options, tells));
        // It ends once all were told of, or the daemon stops.
        let mut ended: Vec<_> = told.iter().collect();
        let runs = chosen.iter().filter_map(|route| {
            let destination = config.destination(Some(route.destination.as_str())).ok()?;
            let place = ended.iter().position(|(name, _)| name == route);
            Some((destination, place.and_then(|place| ended.swap_remove(place).1)))
        });
        tell(context, runs.collect::<Vec<_>>().into_iter())
    }

    fn pause(
        &self,
        args: &RouteArgs,
        context: &mut Context,
        is_paused: bool,
    ) -> Result<Exit, CliError> {
        let chosen = self.routes(args)?;
        self.shared.paused.set(&chosen, is_paused)?;
        self.tell(Message::Pause(chosen.clone(), is_paused));
        verbs::pause::say(context, &chosen, is_paused)?;
        Ok(Exit::Done)
    }

    fn routes(&self, args: &RouteArgs) -> Result<Vec<RouteName>, CliError> {
        args.of(self.shared.config().routes())
    }

    /// While the daemon ends nobody listens any more.
    fn tell(&self, message: Message<Shared>) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).send(message));
    }
}

/// What a verb prints, to be read when it is done.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
