//! Texts and amounts as people read them.

mod amount;
mod letters;

pub use amount::{Bytes, Count, Span};
pub use letters::{
    is_invisible, is_plain, keep_note, kept_name, kept_text, plain, shortened, spoken, steers,
};
