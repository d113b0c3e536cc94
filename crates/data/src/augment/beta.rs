//! Draws from Beta(α, α).

use rand_core::Rng;

use super::unit;

/// From 0 to 1.
///
/// Jöhnk 1964 for α up to 1, by logarithms where the powers vanish (as NumPy's generator); above it the share of one of
/// two Gamma(α).
pub(super) fn beta(alpha: f64, rng: &mut impl Rng) -> f64 {
    if alpha > 1.0 {
        let [x, y] = [(); 2].map(|()| gamma(alpha, rng));
        return x / (x + y);
    }
    loop {
        let [u, v] = [(); 2].map(|()| 1.0 - unit(rng));
        let [x, y] = [u, v].map(|u| libm::pow(u, 1.0 / alpha));
        if x + y > 1.0 {
            continue;
        }
        if x + y > 0.0 {
            return x / (x + y);
        }
        let [ln_x, ln_y] = [u, v].map(|u| libm::log(u) / alpha);
        return 1.0 / (1.0 + libm::exp(ln_y - ln_x));
    }
}

/// From Gamma(α, 1) for α of 1 or more: Marsaglia & Tsang 2000, "A simple method for generating gamma variables", without
/// its quick acceptance.
fn gamma(alpha: f64, rng: &mut impl Rng) -> f64 {
    let d = alpha - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let root = 1.0 + c * x;
        let v = root * root * root;
        let u = 1.0 - unit(rng);
        if v > 0.0 && libm::log(u) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

/// Standard normal, by the polar method (Marsaglia & Bray 1964); the second of its two numbers is not used.
fn normal(rng: &mut impl Rng) -> f64 {
    loop {
        let [u, v] = [(); 2].map(|()| 2.0 * unit(rng) - 1.0);
        let s = u * u + v * v;
        if 0.0 < s && s < 1.0 {
            return u * (-2.0 * libm::log(s) / s).sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use spec::Seed;

    use super::*;

    /// Mean 1/2 and variance 1 / (4 (2α + 1)) of 20,000 draws, each within five of its standard errors.
    #[test]
    fn mean_and_variance_are_the_distributions() {
        const N: usize = 20_000;
        for alpha in [0.01, 0.2, 1.0, 1.5, 8.0, 100.0] {
            let mut rng = Seed(3).stream("beta");
            let draws: Vec<f64> = (0..N).map(|_| beta(alpha, &mut rng)).collect();
            assert!(draws.iter().all(|share| (0.0..=1.0).contains(share)));
            let mean = draws.iter().sum::<f64>() / N as f64;
            let squares: Vec<f64> = draws.iter().map(|share| (share - 0.5).powi(2)).collect();
            let variance = squares.iter().sum::<f64>() / N as f64;
            let want = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 5.0 * (want / N as f64).sqrt(), "{alpha}: mean {mean}");
            let spread = squares.iter().map(|square| (square - want).powi(2)).sum::<f64>() / N as f64;
            let error = 5.0 * (spread / N as f64).sqrt();
            assert!((variance - want).abs() < error, "{alpha}: variance {variance} for {want} ± {error}");
        }
    }

    /// Beta(1, 1) is uniform: each tenth has 1000 of 10,000 draws, standard deviation 30.
    #[test]
    fn alpha_one_is_uniform() {
        let mut rng = Seed(4).stream("beta");
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            counts[((beta(1.0, &mut rng) * 10.0) as usize).min(9)] += 1;
        }
        assert!(counts.iter().all(|&n| n.abs_diff(1000) < 150), "{counts:?}");
    }

    /// Pinned: a change here changes every run with mixup.
    #[test]
    fn first_values_are_pinned() {
        let first = |alpha| beta(alpha, &mut Seed(1).stream("beta"));
        assert_eq!([0.01, 0.2, 1.0, 3.0].map(first), PINNED);
    }

    const PINNED: [f64; 4] =
        [6.487745521275757e-98, 1.3822884750995456e-5, 0.2602487816031599, 0.5764503167239415];
}
