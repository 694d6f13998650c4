//! What goes in and comes out: requests as MISP reads them, answers as it writes them, and HTTP around both.

pub(super) mod answer;
pub(super) mod php;
pub(super) mod request;
pub(super) mod serve;
pub(super) mod slow;
