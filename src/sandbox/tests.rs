//! Tests of the sandbox as a whole, without HTTP.
