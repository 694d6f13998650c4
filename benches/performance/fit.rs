//! By which power of the size a cost grows.

/// Fewer points than these are no curve.
const POINTS: usize = 3;

/// The slope of the line of least squares through the logarithms of size and cost; 1 is in step with the size.
pub(crate) fn exponent(points: &[(f64, f64)]) -> f64 {
    let logarithms: Vec<(f64, f64)> =
        points.iter().map(|(size, cost)| (size.ln(), cost.max(1e-6).ln())).collect();
    let count = logarithms.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logarithms.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|it| it.0), mean(|it| it.1));
    let (mut together, mut alone) = (0.0, 0.0);
    for (size, cost) in &logarithms {
        together += (size - x) * (cost - y);
        alone += (size - x) * (size - x);
    }
    if alone == 0.0 { 0.0 } else { together / alone }
}

/// The points of the largest sizes, which tell what a curve becomes.
pub(crate) fn largest(points: &[(f64, f64)]) -> &[(f64, f64)] {
    &points[points.len().saturating_sub(POINTS)..]
}
