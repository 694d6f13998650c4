//! A wire that lies, loses and cuts, by a seed.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::sync::{Arc, Mutex};

use misp_trickle::{
    delivery::{Call, Exchange, Reply, Trouble, Wire},
    remote::{self, Answer},
};

use crate::world::LocalWire;

/// A small generator of numbers, the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    LostBefore,
    LostAfter,
    Twice,
    Cut,
    Garbled,
    Status(u16),
    LoginPage,
}

/// The sandbox behind a faulty network.
pub(crate) struct FaultyWire {
    inner: Arc<LocalWire>,
    dice: Mutex<Dice>,
    /// Faults per hundred requests.
    percent: u64,
}

impl FaultyWire {
    pub(crate) fn new(inner: Arc<LocalWire>, seed: u64, percent: u64) -> Self {
        Self { inner, dice: Mutex::new(Dice::new(seed)), percent }
    }

    fn fault(&self) -> Option<Fault> {
        let mut dice = self.dice.lock().unwrap();
        if !dice.chance(self.percent) {
            return None;
        }
        Some(match dice.below(12) {
            0 | 1 => Fault::LostBefore,
            2..=4 => Fault::LostAfter,
            5 => Fault::Twice,
            6 | 7 => Fault::Cut,
            8 => Fault::Garbled,
            9 => Fault::Status([429, 503, 504, 502][dice.below(4) as usize]),
            10 => Fault::Status([500, 413][dice.below(2) as usize]),
            _ => Fault::LoginPage,
        })
    }
}

impl Wire for FaultyWire {
    async fn exchange(&self, call: &Call) -> Exchange {
        let none = |reply| Exchange { reply, bytes_sent: 1, bytes_received: 0, date: None };
        let answer = |status, body: &[u8]| {
            let answer = Answer { status, body: body.to_vec(), ..Answer::default() };
            none(remote::decode(call, &answer))
        };
        match self.fault() {
            None => self.inner.exchange(call).await,
            Some(Fault::LostBefore) => {
                let why = "connection refused".into();
                none(Reply::Trouble(Trouble::NoEffect { why, retry_after: None }))
            }
            Some(Fault::LostAfter) => {
                drop(self.inner.exchange(call).await);
                none(Reply::Trouble(Trouble::Unknown {
                    why: "timed out".into(),
                    retry_after: None,
                }))
            }
            Some(Fault::Twice) => {
                drop(self.inner.exchange(call).await);
                self.inner.exchange(call).await
            }
            Some(Fault::Cut) => {
                let body = self.inner.body_of(call);
                answer(200, &body[..body.len() / 2])
            }
            Some(Fault::Garbled) => answer(200, b"{\"Event\":{\"id\":\"7\"}}"),
            Some(Fault::Status(500)) => {
                answer(500, br#"{"name":"An Internal Error Has Occurred."}"#)
            }
            Some(Fault::Status(status)) => answer(status, b"<html>no</html>"),
            // Something before MISP answers for it once; the run stops, the next goes on.
            Some(Fault::LoginPage) => answer(302, b""),
        }
    }
}
