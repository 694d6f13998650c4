//! Charts of own SVG. They say nothing that the table beside them does not say.

use maud::{Markup, html};

/// A part of a whole, as a bar that is as long as its share.
pub(in crate::page) fn share(part: u64, whole: u64, class: &str) -> Markup {
    let width = permille(part, whole);
    html! {
        svg.share viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track x="0" y="0" width="1000" height="10" {}
            rect.(class) x="0" y="0" width=(width) height="10" {}
        }
    }
}

/// What went up and came down on one day.
pub(in crate::page) struct Bar {
    pub(in crate::page) up: u64,
    pub(in crate::page) down: u64,
    pub(in crate::page) failed: bool,
}

const HALF: u64 = 70;
const STEP: u64 = 10;
const GAP: u64 = 2;
const MARK: u64 = 8;

/// Bars up and down from one line, each day one; a triangle below marks a day on which something failed.
pub(in crate::page) fn bars(bars: &[Bar], label: &str) -> Markup {
    let most = bars.iter().flat_map(|bar| [bar.up, bar.down]).max().unwrap_or(0);
    let width = STEP * bars.len() as u64;
    let height = 2 * HALF + 2 * MARK;
    html! {
        svg.bars viewBox={ "0 0 " (width) " " (height) } preserveAspectRatio="none" role="img" aria-label=(label) {
            @for (bar, place) in bars.iter().zip(0_u64..) {
                @let (left, up, down) = (place * STEP + GAP / 2, scaled(bar.up, most), scaled(bar.down, most));
                @if up > 0 { rect.up x=(left) y=(HALF - up) width=(STEP - GAP) height=(up) {} }
                @if down > 0 { rect.down x=(left) y=(HALF) width=(STEP - GAP) height=(down) {} }
                @if bar.failed { path.failed d=(mark(left)) {} }
            }
            path.axis d={ "M0 " (HALF) "H" (width) } {}
        }
    }
}

fn mark(left: u64) -> String {
    let (top, bottom) = (2 * HALF + MARK / 2, 2 * HALF + 2 * MARK);
    let (middle, right) = (left + (STEP - GAP) / 2, left + STEP - GAP);
    format!("M{left} {bottom}L{middle} {top}L{right} {bottom}Z")
}

/// The length of a bar; whatever is not nothing can be seen.
fn scaled(part: u64, whole: u64) -> u64 {
    if part == 0 { 0 } else { times(part, HALF, whole).max(1) }
}

fn permille(part: u64, whole: u64) -> u64 {
    if part == 0 { 0 } else { times(part, 1_000, whole).clamp(2, 1_000) }
}

fn times(part: u64, by: u64, whole: u64) -> u64 {
    let product = u128::from(part) * u128::from(by) / u128::from(whole.max(1));
    u64::try_from(product).unwrap_or(by).min(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_numbers_and_never_longer_than_there_is_room() {
        assert_eq!(
            [(0, 9), (9, 9), (1, u64::MAX), (u64::MAX, u64::MAX)].map(|(p, w)| scaled(p, w)),
            [0, HALF, 1, HALF]
        );
        assert_eq!(
            [(0, 0), (1, 3), (3, 3), (1, 1_000_000)].map(|(p, w)| permille(p, w)),
            [0, 333, 1_000, 2]
        );
        let drawn = bars(&[Bar { up: 7, down: 0, failed: true }], "one day").into_string();
        assert_eq!(
            drawn,
            "<svg class=\"bars\" viewBox=\"0 0 10 156\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"one day\">\
             <rect class=\"up\" x=\"1\" y=\"0\" width=\"8\" height=\"70\"></rect>\
             <path class=\"failed\" d=\"M1 156L5 144L9 156Z\"></path><path class=\"axis\" d=\"M0 70H10\"></path></svg>"
        );
    }
}
