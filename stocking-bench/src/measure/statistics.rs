//! The middle of a few figures, and how far they are apart.

/// The one in the middle.
pub(crate) fn median(figures: &[f64]) -> Option<f64> {
    quantile(figures, 0.5)
}

/// A quarter of the figures is below it.
pub(crate) fn lower_quartile(figures: &[f64]) -> Option<f64> {
    quantile(figures, 0.25)
}

/// Between two figures, in proportion.
fn quantile(figures: &[f64], part: f64) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_five_is_the_third_and_the_lower_quartile_the_second() {
        let figures = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(median(&figures), Some(3.0));
        assert_eq!(lower_quartile(&figures), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
