//! Frozen bytes: what one version wrote, every later one must read.
