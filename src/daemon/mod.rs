//! The agent that stays: runs routes when they are due, answers questions beside them, and says how it is.
//!
//! ```text
//! clock ──▶ board: which route begins, from which reading ──▶ conductor ──▶ a thread for each reading and each delivery
//!             ▲                                                  │ ▲
//!             └──────────── what came of it ────────────────────┘ └── signals, and what people ask for over the socket
//! ```
//!
//! What runs when is a pure value, the [`Board`]; what a reading and a delivery are, who starts this says by the port
//! [`Carrier`]. The conductor alone changes the board; others send it news and look at copies.

mod board;
mod conductor;
mod metrics;
pub mod notify;
mod serve;
#[cfg(test)]
mod tests;

pub use board::{Board, Ended, Reading, RouteName, RoutePlan, RouteView, Standing, Step};
pub use conductor::{Carrier, Conductor, Delivered, News, Order, Shown, Told, Wish};
pub use metrics::Metrics;
pub use serve::{Answers, Asker, Face, serve_metrics, serve_socket};
