//! What a text of a source holds, without keeping anything of it.

use std::io::Read;

use crate::{
    format::{Format, FormatError, Identity, Pages, Piece, Taker, Unreadable, take_apart},
    model::{Symbol, Tlp},
};

/// How many objects there are, and how many are damaged.
pub(super) fn count(
    name: &str,
    format: Format,
    input: impl Read,
) -> Result<(usize, usize), FormatError> {
    let mut count = Count::default();
    drop::<Pages>(take_apart(input, &Symbol::new(name), format, &mut count)?);
    Ok((count.objects, count.damaged))
}

#[derive(Default)]
struct Count {
    objects: usize,
    damaged: usize,
}

impl Taker for Count {
    fn document(&mut self, _: &Symbol, _: Format) {}

    fn object(&mut self, _: &Piece<'_>, _: &Identity) {
        self.objects += 1;
    }

    fn damaged(&mut self, _: &Unreadable<'_>) {
        self.damaged += 1;
    }

    fn closed(&mut self, _: Option<Tlp>) {}
}
