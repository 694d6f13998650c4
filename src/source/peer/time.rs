//! Waiting.

use std::{future::Future, time::Duration};

/// Somebody who lets time pass.
pub trait Rests: Send + Sync {
    /// Comes back after this span.
    fn rest(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

/// Time as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sleeps;

impl Rests for Sleeps {
    fn rest(&self, span: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(span)
    }
}
