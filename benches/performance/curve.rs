//! How a cost grows with a size: the points, their exponents, and what is claimed of them.

use crate::{
    fit::{exponent, largest},
    section::{Claim, Line, Plot, Section, Table},
    spent::Spent,
};

/// In step with the size, and what a measurement may be off.
pub(crate) const LINEAR: f64 = 1.15;
/// Does not grow with the size; what is looked up in a tree of it does a little.
pub(crate) const FLAT: f64 = 0.25;

/// What one kind of work took, by size.
pub(crate) struct Curve {
    name: &'static str,
    /// The exponent of processor time that is claimed.
    time: f64,
    /// That of memory, where something is claimed of it.
    memory: Option<f64>,
    points: Vec<(f64, Spent)>,
}

impl Curve {
    pub(crate) const fn new(name: &'static str, time: f64, memory: Option<f64>) -> Self {
        Self { name, time, memory, points: Vec::new() }
    }

    pub(crate) fn add(&mut self, size: f64, spent: Spent) {
        crate::say(format_args!(
            "  {:<28} {size:>9}  {:>8.3} s  {:>8.1} MB",
            self.name, spent.seconds, spent.megabytes
        ));
        self.points.push((size, spent));
    }

    fn seconds(&self) -> Vec<(f64, f64)> {
        self.points.iter().map(|(size, spent)| (*size, spent.seconds)).collect()
    }

    fn megabytes(&self) -> Vec<(f64, f64)> {
        self.points.iter().map(|(size, spent)| (*size, spent.megabytes)).collect()
    }

    fn claims(&self, family: &str) -> Vec<Claim> {
        // What a curve becomes is seen at its end: a sum of what is in step and its square looks straight before.
        let claim = |of: &str, points: &[(f64, f64)], most: f64| Claim {
            what: format!("{family}, {}: exponent of {of}", self.name),
            measured: exponent(points),
            most,
            goal: None,
            limit: if most < 1.0 {
                "0: no growth".into()
            } else {
                "1: in step with the size".into()
            },
        };
        let mut claims = vec![claim("processor time", largest(&self.seconds()), self.time)];
        claims.extend(self.memory.map(|most| claim("memory", largest(&self.megabytes()), most)));
        claims
    }
}

/// Adds curves over the same sizes to a section: their claims, a table, and a plot of that name.
pub(crate) fn add_to(
    section: &mut Section,
    family: &str,
    unit: &str,
    name: &str,
    curves: &[Curve],
) {
    let mut table = Table { caption: family.to_owned(), ..Table::default() };
    table.columns.push(unit.to_owned());
    for curve in curves {
        table.columns.push(format!("{}: s", curve.name));
        table.columns.push("MB".to_owned());
    }
    for (place, (size, _)) in curves[0].points.iter().enumerate() {
        let mut row = vec![format!("{size}")];
        for curve in curves {
            let (_, spent) = curve.points[place];
            row.push(format!("{:.3}", spent.seconds));
            row.push(format!("{:.1}", spent.megabytes));
        }
        table.rows.push(row);
    }
    let line = |curve: &Curve| Line { name: curve.name.to_owned(), points: curve.seconds() };
    let lines = curves.iter().map(line).collect();
    section.plots.push(Plot {
        name: name.to_owned(),
        title: family.to_owned(),
        x: unit.to_owned(),
        y: "seconds of processor time".to_owned(),
        lines,
    });
    section.claims.extend(curves.iter().flat_map(|curve| curve.claims(family)));
    section.tables.push(table);
}
