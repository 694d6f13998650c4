//! Answers what comes over the socket, by the verbs themselves.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, TryLockError,
        atomic::Ordering,
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use clap::Parser;

use crate::{
    cli::{
        Cli, CliError, Context, Exit, Ui,
        args::{GlobalArgs, RouteArgs, SyncArgs, When},
        pages::Site,
        screen::Reader,
        verbs::{
            self, Beside, Verb,
            sync::tell,
            web::{Args as WebArgs, WebAnswer, silent},
        },
    },
    daemon::{Caller, Handler, Message, RunOptions, Sink},
    model::RouteName,
    web::Door,
};

use super::{
    Shared,
    ask::{Channel, PROTOCOL, Question},
    host::{LOOK, RequestHost},
};

/// What answers requests over the socket.
pub(super) struct RequestHandler {
    pub(super) shared: Arc<Shared>,
    /// The random name of the store.
    pub(super) store: String,
    /// The file of the configuration in effect.
    pub(super) config: PathBuf,
    /// To the dispatcher.
    pub(super) sender: Sender<Message<Shared>>,
    /// Where its pages are, and who lets in there.
    pub(super) web: Option<(SocketAddr, Arc<Door>)>,
    /// One dataset is held for questions, beside those of readings.
    pub(super) dataset: Mutex<()>,
}

impl Handler for RequestHandler {
    type Question = Question;

    fn answer(&self, question: Question, caller: Caller, sink: Sink) {
        let exit = self.exit(question, caller, &sink);
        let (end, _) = Channel::End.part(&[exit.code()]);
        // Who asked may have gone away.
        drop(sink.send(end));
    }
}

impl RequestHandler {
    /// The pages of the store.
    pub(super) fn site(&self) -> Site {
        let (shared, sender, config) =
            (self.shared.clone(), self.sender.clone(), self.config.clone());
        let of_now = self.shared.clone();
        let at_hand = move || {
            let global = GlobalArgs {
                config: config.clone(),
                store: Some(shared.config().store_path.clone()),
                wait: Duration::ZERO,
                json: false,
                color: When::Never,
                utc: true,
                no_pager: true,
                verbose: 0,
                quiet: true,
            };
            let (shared, sender) = (shared.clone(), sender.clone());
            let host = RequestHost { shared, sender, sink: None, input: None };
            let mut context = Context::new(global, silent());
            context.host = Some(Arc::new(host));
            context
        };
        Site::new(at_hand, move || of_now.config().serve.max_tlp)
    }

    fn exit(&self, question: Question, caller: Caller, sink: &Sink) -> Exit {
        let to = |channel| Box::new(Part { channel, sink: sink.clone() });
        let mut ui = Ui::marked(to(Channel::Data), to(Channel::Talk));
        let is_ours = question.store.is_none_or(|store| store == self.store);
        if question.protocol != PROTOCOL || !is_ours {
            ui.error("the question is for another store or version; run the verb again");
            return Exit::Locked;
        }
        let args = ["misp-trickle".to_owned()].into_iter().chain(question.args.clone());
        let mut cli = match Cli::try_parse_from(args) {
            Ok(cli) => cli,
            Err(error) => {
                ui.say(error);
                return Exit::Usage;
            }
        };
        cli.global.config.clone_from(&self.config);
        cli.global.store = Some(self.shared.config().store_path.clone());
        let (name, as_json) = (cli.verb.name(), cli.global.json);
        let mut context = Context::new(cli.global, ui);
        context.reader = question.reader.as_ref().map_or(Reader::NONE, Reader::from);
        context.verb = name;
        context.args = question.args;
        context.guides = true;
        context.throttles = self.shared.throttles.clone();
        context.host = Some(Arc::new(RequestHost {
            shared: self.shared.clone(),
            sender: self.sender.clone(),
            sink: Some(sink.clone()),
            input: question.input,
        }));
        self.carry_out(&cli.verb, &mut context, caller).unwrap_or_else(|error| {
            let report = error.report();
            context.ui.report(&report, as_json);
            report.exit()
        })
    }

    fn carry_out(
        &self,
        verb: &Verb,
        context: &mut Context,
        caller: Caller,
    ) -> Result<Exit, CliError> {
        match verb.beside() {
            Beside::Question => {}
            Beside::Act if caller == Caller::Owner => {}
            Beside::Act => {
                let what = "this is for the user who runs the daemon, and root";
                return Err(CliError::AskedTooMuch { what });
            }
            Beside::Alone | Beside::Apart => {
                let what = "it answers no such question";
                return Err(CliError::AskedTooMuch { what });
            }
        }
        if verb.is_of_its_own() {
            let what = "it runs feeds as they are configured";
            return Err(CliError::AskedTooMuch { what });
        }
        match verb {
            Verb::Sync(args) => self.sync(args, context),
            Verb::Web(args) => self.web(args, context),
            Verb::Pause(args) => self.pause(args, context, true),
            Verb::Resume(args) => self.pause(args, context, false),
            Verb::Plan(_) => {
                let _held = self.turn_to_hold_a_dataset(context)?;
                verb.run(context)
            }
            _ => verb.run(context),
        }
    }

    /// Waits until nobody else plans.
    fn turn_to_hold_a_dataset(&self, context: &Context) -> Result<MutexGuard<'_, ()>, CliError> {
        loop {
            match self.dataset.try_lock() {
                Ok(held) => return Ok(held),
                Err(TryLockError::Poisoned(held)) => return Ok(held.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            let is_gone = context.host.as_ref().is_some_and(|host| host.is_gone());
            if is_gone || self.shared.waiter.flag().load(Ordering::Relaxed) {
                return Err(CliError::Interrupted);
            }
            thread::sleep(LOOK);
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
        self.shared.ledger.lock().check_place()?;
        self.shared.paused.set(&chosen, is_paused)?;
        self.tell(Message::Pause(chosen.clone(), is_paused));
        verbs::pause::say(context, &chosen, is_paused)?;
        Ok(Exit::Done)
    }

    /// A link to the pages.
    fn web(&self, args: &WebArgs, context: &mut Context) -> Result<Exit, CliError> {
        if args.is_of_its_own() {
            let what = "it shows its pages as `web` and `max_tlp` under [serve] say";
            return Err(CliError::AskedTooMuch { what });
        }
        let Some((address, door)) = &self.web else {
            let what = "it shows no pages on a port: write web = \"127.0.0.1:8090\" under [serve], and restart it";
            return Err(CliError::AskedTooMuch { what });
        };
        WebAnswer::new(*address, door).tell(context)?;
        Ok(Exit::Done)
    }

    fn routes(&self, args: &RouteArgs) -> Result<Vec<RouteName>, CliError> {
        args.of(self.shared.config().routes())
    }

    /// While the daemon ends nobody listens any more.
    fn tell(&self, message: Message<Shared>) {
        drop(self.sender.send(message));
    }
}

/// What a verb prints, on its way to whoever asked.
pub(super) struct Part {
    pub(super) channel: Channel,
    pub(super) sink: Sink,
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (part, taken) = self.channel.part(bytes);
        self.sink.send(part)?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
