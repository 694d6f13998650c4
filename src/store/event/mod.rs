//! Events on disk: heads, attributes in buckets, and one commit laid over what was there.

pub(super) mod layout;
pub(super) mod overlay;
pub(super) mod tree;
