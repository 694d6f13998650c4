//! Texts, numbers and truth values as producers write them.

pub(super) mod absence;
pub(super) mod flag;
pub(super) mod number;
