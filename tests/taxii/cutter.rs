//! A link that breaks in the midst of answers, which the server has given by then.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use misp_trickle_testing::{dice::Dice, front::Message};

pub(crate) struct Cutter {
    pub(crate) address: SocketAddr,
    percent: Arc<AtomicU64>,
    cut: Arc<AtomicUsize>,
}

impl Cutter {
    /// Stands before a server and cuts so many of a hundred answers.
    pub(crate) fn before(server: SocketAddr, seed: u64, percent: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let percent = Arc::new(AtomicU64::new(percent));
        let (cut, dice) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Dice::new(seed))));
        let shared = (percent.clone(), cut.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (dice, (percent, cut)) = (dice.clone(), shared.clone());
                thread::spawn(move || pass(client, server, &dice, &percent, &cut));
            }
        });
        Self { address, percent, cut }
    }

    /// How many answers were cut.
    pub(crate) fn cut(&self) -> usize {
        self.cut.load(Ordering::SeqCst)
    }

    /// From now on nothing is cut.
    pub(crate) fn mend(&self) {
        self.percent.store(0, Ordering::SeqCst);
    }
}

fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    dice: &Mutex<Dice>,
    percent: &AtomicU64,
    cut: &AtomicUsize,
) {
    while let Some(request) = Message::read(&mut client) {
        let mut to = TcpStream::connect(server).unwrap();
        request.write(&mut to).unwrap();
        let Some(answer) = Message::read(&mut to) else { return };
        let mut dice = dice.lock().unwrap();
        if dice.chance(percent.load(Ordering::SeqCst)) {
            cut.fetch_add(1, Ordering::SeqCst);
            let bytes = [answer.head.as_bytes(), &answer.body].concat();
            let end = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
            drop(client.write_all(&bytes[..end]));
            return;
        }
        drop(dice);
        if answer.write(&mut client).is_err() {
            return;
        }
    }
}
