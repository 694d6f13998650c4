//! Plots over two logarithmic axes, as SVG.

use std::fmt::{self, Write as _};

use crate::section::{Line, Plot};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
/// Left, top, right, bottom: room for the numbers of the axes and for the names of the lines.
const MARGINS: [f64; 4] = [60.0, 40.0, 150.0, 50.0];
/// Colours that are told apart in print and by the colour-blind (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
/// The least cost that is drawn.
const LEAST: f64 = 1e-3;

/// An axis of whole powers of ten.
struct Axis {
    first: f64,
    last: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let logarithms: Vec<f64> = values.map(|value| value.max(LEAST).log10()).collect();
        let first = logarithms.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let last = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
        Self { first, last: last.max(first + 1.0), from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value.max(LEAST).log10() - self.first) / (self.last - self.first);
        self.from + part * (self.to - self.from)
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        (self.first as i32..=self.last as i32).map(|power| 10_f64.powi(power))
    }
}

pub(crate) fn svg(plot: &Plot) -> String {
    let mut text = String::new();
    draw(&mut text, plot).expect("writing to a String never fails");
    text
}

fn draw(text: &mut String, plot: &Plot) -> fmt::Result {
    let points = || plot.lines.iter().flat_map(|line| &line.points);
    let [left, top, right, bottom] = MARGINS;
    let x = Axis::over(points().map(|point| point.0), left, WIDTH - right);
    let y = Axis::over(points().map(|point| point.1), HEIGHT - bottom, top);
    writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{left}\" y=\"20\" font-size=\"14\">{}</text>",
        escaped(&plot.title)
    )?;
    axes(text, plot, &x, &y)?;
    for (line, colour) in plot.lines.iter().zip(COLOURS.iter().cycle()) {
        draw_line(text, line, colour, &x, &y)?;
    }
    names(text, &plot.lines, &x, &y)?;
    writeln!(text, "</svg>")
}

fn axes(text: &mut String, plot: &Plot, x: &Axis, y: &Axis) -> fmt::Result {
    for mark in x.marks() {
        let at = x.at(mark);
        writeln!(
            text,
            "<path d=\"M{at:.1} {:.1}V{:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{mark}</text>",
            y.from,
            y.to,
            y.from + 16.0
        )?;
    }
    for mark in y.marks() {
        let at = y.at(mark);
        writeln!(
            text,
            "<path d=\"M{:.1} {at:.1}H{:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{mark}</text>",
            x.from,
            x.to,
            x.from - 6.0,
            at + 4.0
        )?;
    }
    let middle = f64::midpoint(x.from, x.to);
    writeln!(
        text,
        "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        HEIGHT - 12.0,
        escaped(&plot.x),
        x.from,
        y.to - 6.0,
        escaped(&plot.y)
    )
}

fn draw_line(text: &mut String, line: &Line, colour: &str, x: &Axis, y: &Axis) -> fmt::Result {
    let place = |(size, cost): &(f64, f64)| format!("{:.1},{:.1}", x.at(*size), y.at(*cost));
    let places: Vec<String> = line.points.iter().map(place).collect();
    writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        places.join(" ")
    )?;
    for place in places {
        let (cx, cy) = place.split_once(',').unwrap_or_default();
        writeln!(text, "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"3\" fill=\"{colour}\"/>")?;
    }
    Ok(())
}

/// The names of the lines at their ends, none over another.
fn names(text: &mut String, lines: &[Line], x: &Axis, y: &Axis) -> fmt::Result {
    const APART: f64 = 14.0;
    let end = |line: &Line| line.points.last().map_or(y.from, |point| y.at(point.1));
    let mut ends: Vec<(f64, &Line, &str)> = lines
        .iter()
        .zip(COLOURS.iter().cycle())
        .map(|(it, colour)| (end(it), it, *colour))
        .collect();
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut next = f64::NEG_INFINITY;
    for (end, line, colour) in ends {
        let at = end.max(next);
        next = at + APART;
        let name = escaped(&line.name);
        writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            x.to + 8.0,
            at + 4.0
        )?;
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
