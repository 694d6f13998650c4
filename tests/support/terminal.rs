//! A program at a pseudo-terminal, with somebody who reads and types.

use std::{
    io::{Read, Write},
    process::{Child, Command},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use pty_process::blocking::{self, Pty};

use crate::program::as_at_terminal;

/// The longest wait for what is to be shown, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(10);

/// A terminal with a program on it.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    reader: JoinHandle<()>,
    shown: Arc<Mutex<Vec<u8>>>,
    /// How much of it was waited for.
    read: usize,
}

impl Terminal {
    pub fn start(command: &Command) -> Self {
        let command = as_at_terminal(command);
        let (pty, pts) = blocking::open().unwrap();
        let child = blocking::Command::from(command).spawn(pts).unwrap();
        let (pty, shown) = (Arc::new(pty), Arc::new(Mutex::new(Vec::new())));
        let (other, all) = (pty.clone(), shown.clone());
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            // It fails once nobody has the other end any more.
            while let Ok(bytes @ 1..) = (&*other).read(&mut buffer) {
                all.lock().unwrap().extend_from_slice(&buffer[..bytes]);
            }
        });
        Self { pty, child, reader, shown, read: 0 }
    }

    /// All that was shown.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).replace('\r', "")
    }

    /// Waits until this is shown, behind what was waited for before.
    #[track_caller]
    pub fn waits_for(&mut self, text: &str) -> &mut Self {
        let begun = Instant::now();
        loop {
            let is_over = self.reader.is_finished();
            let shown = self.shown();
            if let Some(at) = shown[self.read..].find(text) {
                self.read += at + text.len();
                return self;
            }
            let waits = !is_over && begun.elapsed() < LONGEST;
            assert!(waits, "{text:?} does not follow {:?}", shown.split_at(self.read));
            thread::sleep(LOOK);
        }
    }

    /// Types a line, or a key such as Ctrl-C.
    pub fn types(&mut self, keys: &str) -> &mut Self {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Waits for the end of the program, and gives its exit code.
    #[track_caller]
    pub fn code(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if self.reader.is_finished() {
                return self.child.wait().unwrap().code();
            }
            assert!(begun.elapsed() < LONGEST, "{}", self.shown());
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
