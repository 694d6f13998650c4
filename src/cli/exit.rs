//! The exit codes, which scripts rely on. An unknown one means failure.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; losses by mapping, drift, retirement and some withheld included.
    Done = 0,
    /// An error that no other code is for.
    Error = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// MISP refused something, an input object was skipped, or something stays pending.
    Partial = 3,
    /// MISP refuses the key, or the key lacks a right.
    Refused = 4,
    /// The network or TLS failed.
    Network = 5,
    /// There were incidents, and policy withheld all of them.
    AllWithheld = 6,
    /// The saved plan was made for another state of the ledger.
    StalePlan = 7,
    /// `verify` found drift, or the MISP is not the one we know.
    Drift = 8,
    /// A route was not served for longer than `status --max-age` allows.
    Late = 9,
    /// There is no store.
    NoStore = 10,
    /// Another process has the store.
    Locked = 11,
    /// The store is damaged.
    Damaged = 12,
    /// Somebody stopped it.
    Interrupted = 130,
}

/// The codes as the help shows them.
pub(super) const TABLE: &str = "\
Exit codes:
    0  done                      6  all incidents withheld by policy
    1  error                     7  stale plan
    2  usage                     8  drift, or not the MISP that is known
    3  partial                   9  last success too long ago
    4  refused by MISP          10  no store
    5  network or TLS           11  store locked
                                12  store damaged
                               130  interrupted";

impl Exit {
    /// Each of them, by number.
    pub const ALL: [Self; 14] = [
        Self::Done,
        Self::Error,
        Self::Usage,
        Self::Partial,
        Self::Refused,
        Self::Network,
        Self::AllWithheld,
        Self::StalePlan,
        Self::Drift,
        Self::Late,
        Self::NoStore,
        Self::Locked,
        Self::Damaged,
        Self::Interrupted,
    ];

    /// The one of two exit codes that a person has to look at first.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        const ORDER: [Exit; 7] = [
            Exit::Done,
            Exit::AllWithheld,
            Exit::Partial,
            Exit::Network,
            Exit::Refused,
            Exit::Drift,
            Exit::Interrupted,
        ];
        let rank =
            |exit: Self| ORDER.iter().position(|known| *known == exit).unwrap_or(ORDER.len());
        if rank(other) > rank(self) { other } else { self }
    }

    /// The exit code of a number; what this version does not know means failure.
    #[must_use]
    pub fn of_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|exit| exit.code() == code).unwrap_or(Self::Error)
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
