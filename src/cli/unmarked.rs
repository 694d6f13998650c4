//! What has no TLP colour is withheld unless the configuration says otherwise, which stops a dataset without any
//! colours altogether: whoever meets that is told the line to write.

use crate::{config::Destination, plan::Unmarked};

/// Whether a destination gets nothing without a colour.
pub(super) fn are_withheld(destination: &Destination) -> bool {
    destination.policy.unmarked == Unmarked::Deny
}

/// The line to write.
pub(super) fn cure(destination: &str) -> String {
    format!("write `unmarked = \"allow\"` under [destinations.{destination}.policy]")
}
