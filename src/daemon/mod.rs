//! The agent that stays: runs routes when they are due, answers questions beside them, and says how it is.
//!
//! ```text
//! clock ──▶ scheduler: which route begins, from which reading ──▶ dispatcher ──▶ a thread for each reading, each delivery
//!               ▲                                                   │ ▲                 │
//!               └────────────── what came of it ────────────────────┘ └──── messages ◀──┴── signals, requests over the socket
//! ```
//!
//! What runs when is a pure value, the [`Scheduler`]. What a reading and a delivery are is behind the port [`Worker`].
//! The [`Dispatcher`] alone changes the scheduler; others send it messages and read snapshots.

mod alarm;
mod dispatcher;
mod metrics;
pub mod notify;
mod scheduler;
mod serve;
mod sink;
#[cfg(test)]
mod tests;

pub use alarm::{Alarm, AlarmState, Alarms};
pub use dispatcher::{
    Delivered, Dispatcher, Message, Order, Outdated, RouteOutcome, RunOptions, Snapshot, Turn,
    Worker,
};
pub use metrics::Metrics;
pub use scheduler::{
    Ended, Hold, Reading, RoutePlan, RouteView, Scheduler, Standing, Step, Ticket,
};
pub use serve::{Caller, Handler, Monitor, own_user, serve_metrics, serve_socket};
pub use sink::Sink;
