//! LeNet trained in one file of plain loops over `f64`: no framework, no SIMD, no threads.
//!
//! Read this first. The engine computes the same, only many samples abreast and much faster; a test holds its
//! losses against these. From top to bottom: the network's shape; its layers, each with a forward and a
//! backward function; the two passes, which chain them; Adam, which turns gradients into better parameters;
//! the data and `main`. `cargo run --release -p nn --example lenet_plain [FOLDER]` takes about 20 seconds.
//!
//! **Letters.** C channels and H rows go into a layer, OC channels and OH rows come out; a kernel has K rows;
//! a linear layer has I inputs and O outputs; a batch has N images. Everything is square: as many columns as
//! rows. `[C, H, H]` is the shape of a buffer, last index fastest: `(c, i, j)` lies at `(c·H + i)·H + j`.
//!
//! **Names.** `x` goes into a layer, `w` and `b` are its weights and biases, `y` comes out. `dy` is the
//! derivative of the loss with respect to `y`, one number for each of `y`'s; likewise `dx`, `dw`, `db`. That
//! is all of backpropagation: a layer is told how the loss changes with its `y`, and by the chain rule works
//! out how it changes with its `x`, `w` and `b`. Its `dx` is the `dy` of the layer before.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::iter::zip;
use std::path::Path;

use flate2::read::GzDecoder;

// ---- The network's shape --------------------------------------------------------------------------------

const PIXELS: usize = 28 * 28; // of one image, [1, 28, 28]
const K: usize = 5; // rows of both convolutions' kernels
const LEAK: f64 = 0.1; // slope of the leaky ReLUs where they leak

/// Length and fan-in of each parameter tensor, in the order of PyTorch's state dict. Fan-in is the number of
/// products that are summed into one output value, so a weight tensor's length is outputs × fan-in.
const TENSORS: [(usize, usize); 10] = [
    (6 * 25, 25),     // w1, conv.0.weight [6, 1, 5, 5]
    (6, 25),          // b1, conv.0.bias   [6]
    (16 * 150, 150),  // w2, conv.3.weight [16, 6, 5, 5]
    (16, 150),        // b2, conv.3.bias   [16]
    (120 * 256, 256), // w3, fc.0.weight   [120, 256]
    (120, 256),       // b3, fc.0.bias     [120]
    (84 * 120, 120),  // w4, fc.2.weight   [84, 120]
    (84, 120),        // b4, fc.2.bias     [84]
    (10 * 84, 84),    // w5, fc.4.weight   [10, 84]
    (10, 84),         // b5, fc.4.bias     [10]
];
const N_PARAMETERS: usize = 44_426;

/// The flat parameters as those ten tensors.
fn tensors(parameters: &[f64]) -> [&[f64]; 10] {
    let mut rest = parameters;
    TENSORS.map(|(len, _)| rest.split_off(..len).expect("the lengths sum to N_PARAMETERS"))
}

/// All `(row, column)` of a table, in row order.
fn grid(n_rows: usize, n_columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_rows).flat_map(move |row| (0..n_columns).map(move |column| (row, column)))
}

// ---- Layers ---------------------------------------------------------------------------------------------

/// Convolution, stride 1, no padding, so OH = H − K + 1. `x [C, H, H]`, `w [OC, C, K, K]`, `b [OC]` to
/// `y [OC, OH, OH]`:
///
/// `y[oc, i, j] = b[oc] + Σ over c, u, v of w[oc, c, u, v] · x[c, i + u, j + v]`
///
/// A filter slides over the image, and its output is large where the image looks like the filter. Strictly
/// this is a cross-correlation: a convolution reads the image backwards (`i − u`). For a kernel that is
/// learned it makes no difference, so the field took the simpler one and kept the name.
fn conv_forward(x: &[f64], w: &[f64], b: &[f64], h: usize) -> Vec<f64> {
    let (n_c, n_oc, oh) = (x.len() / (h * h), b.len(), h - K + 1);
    let mut y: Vec<f64> = b.iter().flat_map(|&b| vec![b; oh * oh]).collect(); // [OC, OH, OH]
    for (oc, c) in grid(n_oc, n_c) {
        for (i, j) in grid(oh, oh) {
            for (u, v) in grid(K, K) {
                y[at(oc, i, j, oh)] += w[at(oc * n_c + c, u, v, K)] * x[at(c, i + u, j + v, h)];
            }
        }
    }
    y
}

/// `dy [OC, OH, OH]` to `dx [C, H, H]`, `dw [OC, C, K, K]`, `db [OC]`.
///
/// Of a product `w · x`, the derivative with respect to `w` is `x`, and with respect to `x` it is `w`; the
/// chain rule multiplies it by `dy`. A weight acts at every position, and a pixel lies under many windows:
/// their effects add up.
fn conv_backward(x: &[f64], w: &[f64], dy: &[f64], h: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let oh = h - K + 1;
    let (n_c, n_oc) = (x.len() / (h * h), dy.len() / (oh * oh));
    let mut dx = vec![0.0; x.len()]; // [C, H, H]
    let mut dw = vec![0.0; w.len()]; // [OC, C, K, K]
    for (oc, c) in grid(n_oc, n_c) {
        for (i, j) in grid(oh, oh) {
            for (u, v) in grid(K, K) {
                dw[at(oc * n_c + c, u, v, K)] += dy[at(oc, i, j, oh)] * x[at(c, i + u, j + v, h)];
                dx[at(c, i + u, j + v, h)] += dy[at(oc, i, j, oh)] * w[at(oc * n_c + c, u, v, K)];
            }
        }
    }
    let db = dy.chunks_exact(oh * oh).map(|channel| channel.iter().sum()).collect(); // [OC]
    (dx, dw, db)
}

/// Where element `(c, i, j)` lies in a buffer `[C, H, H]`. Weights `[OC, C, K, K]` are OC·C kernels `[K, K]`,
/// and the one from input channel `c` to output channel `oc` is number `oc·C + c`.
fn at(c: usize, i: usize, j: usize, h: usize) -> usize {
    (c * h + i) * h + j
}

/// Every output sees every input: `y[o] = b[o] + Σ over i of w[o, i] · x[i]`.
/// `x [I]`, `w [O, I]`, `b [O]` to `y [O]`.
fn linear_forward(x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let mut y = b.to_vec(); // [O]
    for (o, i) in grid(b.len(), x.len()) {
        y[o] += w[o * x.len() + i] * x[i];
    }
    y
}

/// `dy [O]` to `dx [I]`, `dw [O, I]`, `db [O]`: the same two products as in a convolution.
fn linear_backward(x: &[f64], w: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut dx = vec![0.0; x.len()]; // [I]
    let mut dw = vec![0.0; w.len()]; // [O, I]
    for (o, i) in grid(dy.len(), x.len()) {
        dw[o * x.len() + i] += dy[o] * x[i];
        dx[i] += dy[o] * w[o * x.len() + i];
    }
    (dx, dw, dy.to_vec())
}

/// `y = x` where `x > 0`, `y = slope · x` elsewhere; slope 0 is the plain ReLU. Any shape. Without a bend
/// between them, two linear layers would be no more than one.
fn leaky_relu_forward(x: &[f64], slope: f64) -> Vec<f64> {
    x.iter().map(|&x| if x > 0.0 { x } else { slope * x }).collect()
}

/// `dx = dy` where `x > 0`, `dx = slope · dy` elsewhere. At the kink, 0, PyTorch takes the slope.
fn leaky_relu_backward(x: &[f64], dy: &[f64], slope: f64) -> Vec<f64> {
    zip(x, dy).map(|(&x, &dy)| if x > 0.0 { dy } else { slope * dy }).collect()
}

/// Largest value of each 2 × 2 window, `x [C, H, H]` to `y [C, H/2, H/2]`: it matters that a filter found
/// something, less exactly where.
fn max_pool_forward(x: &[f64], h: usize) -> Vec<f64> {
    max_pool_winners(x, h).iter().map(|&winner| x[winner]).collect()
}

/// `dy [C, H/2, H/2]` to `dx [C, H, H]`. Only a window's winner reached `y`; the others get 0, because a
/// small change to them changes nothing.
fn max_pool_backward(x: &[f64], dy: &[f64], h: usize) -> Vec<f64> {
    let mut dx = vec![0.0; x.len()]; // [C, H, H]
    for (winner, dy) in zip(max_pool_winners(x, h), dy) {
        dx[winner] += dy;
    }
    dx
}

/// Where in `x` each value of `y` comes from, `[C, H/2, H/2]`. Among equals the first in row order wins. The
/// channels lie one below the other like one tall image; H is even, so no window straddles two of them.
fn max_pool_winners(x: &[f64], h: usize) -> Vec<usize> {
    let mut winners = Vec::new();
    for (i, j) in grid(x.len() / h / 2, h / 2) {
        let corner = 2 * i * h + 2 * j;
        let mut winner = corner;
        for rival in [corner + 1, corner + h, corner + h + 1] {
            if x[rival] > x[winner] {
                winner = rival;
            }
        }
        winners.push(winner);
    }
    winners
}

/// The loss. Softmax makes probabilities of the ten logits, `p[k] = exp(z[k]) / Σ exp(z)`, and the loss is
/// `−ln p[label]`: 0 for certainty of the right answer, ln 10 = 2.30 for no idea. Written out it is
/// `ln Σ exp(z) − z[label]`.
fn cross_entropy_forward(logits: &[f64], label: usize) -> f64 {
    log_sum_exp(logits) - logits[label]
}

/// `dlogits [10]`. The derivative of `ln Σ exp(z)` with respect to `z[k]` is `exp(z[k]) / Σ exp(z) = p[k]`;
/// that of `z[label]` is 1 at the label and 0 elsewhere. So it is `p − onehot(label)`: what the network said,
/// minus what it should have said.
fn cross_entropy_backward(logits: &[f64], label: usize) -> Vec<f64> {
    let lse = log_sum_exp(logits);
    let mut dlogits: Vec<f64> = logits.iter().map(|z| (z - lse).exp()).collect(); // p [10]
    dlogits[label] -= 1.0;
    dlogits
}

/// `ln Σ exp(z)`. With the largest `z` taken out first, no `exp` overflows.
fn log_sum_exp(z: &[f64]) -> f64 {
    let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + z.iter().map(|z| (z - max).exp()).sum::<f64>().ln()
}

// ---- The two passes -------------------------------------------------------------------------------------

/// LeNet: its parameters, flat, in the order of [`TENSORS`].
pub(crate) struct LeNet {
    pub(crate) parameters: Vec<f64>,
}

impl LeNet {
    /// The network with these [`N_PARAMETERS`] numbers.
    pub(crate) fn from_parameters(parameters: Vec<f64>) -> Self {
        assert_eq!(parameters.len(), N_PARAMETERS);
        LeNet { parameters }
    }

    /// PyTorch's initialization: weights and biases uniform in ±1/√fan-in. The more products a sum has, the
    /// smaller each must be for signals neither to die out nor to blow up from layer to layer.
    fn random(rng: &mut SplitMix64) -> Self {
        let tensor = |(len, fan_in): (usize, usize)| -> Vec<f64> {
            let bound = 1.0 / (fan_in as f64).sqrt();
            (0..len).map(|_| bound * (2.0 * rng.uniform() - 1.0)).collect()
        };
        LeNet::from_parameters(TENSORS.map(tensor).concat())
    }

    /// One step of training on `images [N, 28, 28]`, `labels [N]`. Returns the mean loss before the update.
    pub(crate) fn step(&mut self, images: &[f64], labels: &[usize], adam: &mut Adam) -> f64 {
        let (loss, gradient) = self.loss_and_gradient(images, labels);
        adam.update(&mut self.parameters, &gradient);
        loss
    }

    /// Mean loss over a batch, and its derivative with respect to each parameter.
    pub(crate) fn loss_and_gradient(&self, images: &[f64], labels: &[usize]) -> (f64, Vec<f64>) {
        assert_eq!(images.len(), labels.len() * PIXELS);
        let n = labels.len() as f64;
        let mut loss = 0.0;
        let mut gradient = vec![0.0; N_PARAMETERS];
        for (image, &label) in zip(images.chunks_exact(PIXELS), labels) {
            let activations = self.forward(image);
            loss += cross_entropy_forward(&activations[10], label) / n;
            for (sum, d) in zip(&mut gradient, self.backward(image, &activations, label)) {
                *sum += d / n;
            }
        }
        (loss, gradient)
    }

    /// One image `[1, 28, 28]` through all layers. Every layer's output is kept, the logits last, because the
    /// way back needs them: `dw = dy · x` asks for `x`.
    fn forward(&self, image: &[f64]) -> [Vec<f64>; 11] {
        let [w1, b1, w2, b2, w3, b3, w4, b4, w5, b5] = tensors(&self.parameters);
        let conv1 = conv_forward(image, w1, b1, 28); //     [6, 24, 24]
        let leaky1 = leaky_relu_forward(&conv1, LEAK); //   [6, 24, 24]
        let pool1 = max_pool_forward(&leaky1, 24); //       [6, 12, 12]
        let conv2 = conv_forward(&pool1, w2, b2, 12); //    [16, 8, 8]
        let leaky2 = leaky_relu_forward(&conv2, LEAK); //   [16, 8, 8]
        let pool2 = max_pool_forward(&leaky2, 8); //        [16, 4, 4], which read flat is [256]
        let fc1 = linear_forward(&pool2, w3, b3); //        [120]
        let leaky3 = leaky_relu_forward(&fc1, LEAK); //     [120]
        let fc2 = linear_forward(&leaky3, w4, b4); //       [84]
        let relu = leaky_relu_forward(&fc2, 0.0); //        [84]
        let logits = linear_forward(&relu, w5, b5); //      [10], the larger, the likelier the class
        [conv1, leaky1, pool1, conv2, leaky2, pool2, fc1, leaky3, fc2, relu, logits]
    }

    /// The same way back, each line fed by the one above. Returns the derivative of one image's loss with
    /// respect to each parameter, in the parameters' order.
    fn backward(&self, image: &[f64], activations: &[Vec<f64>; 11], label: usize) -> Vec<f64> {
        let [w1, _, w2, _, w3, _, w4, _, w5, _] = tensors(&self.parameters);
        let [conv1, leaky1, pool1, conv2, leaky2, pool2, fc1, leaky3, fc2, relu, logits] = activations;
        let dlogits = cross_entropy_backward(logits, label);
        let (drelu, dw5, db5) = linear_backward(relu, w5, &dlogits);
        let dfc2 = leaky_relu_backward(fc2, &drelu, 0.0);
        let (dleaky3, dw4, db4) = linear_backward(leaky3, w4, &dfc2);
        let dfc1 = leaky_relu_backward(fc1, &dleaky3, LEAK);
        let (dpool2, dw3, db3) = linear_backward(pool2, w3, &dfc1);
        let dleaky2 = max_pool_backward(leaky2, &dpool2, 8);
        let dconv2 = leaky_relu_backward(conv2, &dleaky2, LEAK);
        let (dpool1, dw2, db2) = conv_backward(pool1, w2, &dconv2, 12);
        let dleaky1 = max_pool_backward(leaky1, &dpool1, 24);
        let dconv1 = leaky_relu_backward(conv1, &dleaky1, LEAK);
        let (_dimage, dw1, db1) = conv_backward(image, w1, &dconv1, 28);
        [dw1, db1, dw2, db2, dw3, db3, dw4, db4, dw5, db5].concat()
    }

    /// Share of the images whose largest logit is the one of their label.
    fn accuracy(&self, images: &[f64], labels: &[usize]) -> f64 {
        let is_right = |image: &[f64], label: usize| {
            let [.., logits] = self.forward(image);
            logits.iter().all(|&z| z <= logits[label])
        };
        let pairs = zip(images.chunks_exact(PIXELS), labels);
        pairs.filter(|&(image, &label)| is_right(image, label)).count() as f64 / labels.len() as f64
    }
}

// ---- The optimizer --------------------------------------------------------------------------------------

/// Adam (Kingma & Ba 2015, algorithm 1).
pub(crate) struct Adam {
    learning_rate: f64,
    t: i32,      // steps taken
    m: Vec<f64>, // running mean of each parameter's gradient
    v: Vec<f64>, // running mean of its square
}

impl Adam {
    /// Before the first step.
    pub(crate) fn new(learning_rate: f64) -> Self {
        Adam { learning_rate, t: 0, m: vec![0.0; N_PARAMETERS], v: vec![0.0; N_PARAMETERS] }
    }

    /// Moves each parameter `p` against its gradient `g`. A gradient divided by its own usual size is hardly
    /// more than a direction: steep or flat, a parameter moves by about the learning rate.
    ///
    /// Bias correction: both means start at 0, so after `t` steps the weights of the gradients in `m` sum to
    /// only `1 − β1^t`, after the first to 0.1. Divided by that sum, `m` is a true mean; likewise `v`.
    fn update(&mut self, parameters: &mut [f64], gradient: &[f64]) {
        const BETA1: f64 = 0.9;
        const BETA2: f64 = 0.999;
        const EPSILON: f64 = 1e-8; // so that a gradient that was always 0 does not give 0 / 0
        self.t += 1;
        let (sum1, sum2) = (1.0 - BETA1.powi(self.t), 1.0 - BETA2.powi(self.t));
        for ((p, g), (m, v)) in zip(zip(parameters, gradient), zip(&mut self.m, &mut self.v)) {
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *v = BETA2 * *v + (1.0 - BETA2) * g * g;
            *p -= self.learning_rate * (*m / sum1) / ((*v / sum2).sqrt() + EPSILON);
        }
    }
}

// ---- Random numbers, data, and the program --------------------------------------------------------------

/// SplitMix64 (Steele, Lea & Flood 2014): a counter with a step of 2⁶⁴ over the golden ratio, whose bits two
/// multiplications stir, with the constants of Stafford's Mix13.
struct SplitMix64(u64);

impl SplitMix64 {
    /// Uniform in [0, 1): the upper 53 bits, as many as an `f64` holds.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The first `n` images of a set, `[n, 28, 28]` from 0 to 1, and their labels `[n]` from 0 to 9.
fn read_set(folder: &Path, set: &str, n: usize) -> io::Result<(Vec<f64>, Vec<usize>)> {
    let pixels = read_idx(&folder.join(format!("{set}-images-idx3-ubyte.gz")), 16, n * PIXELS)?;
    let labels = read_idx(&folder.join(format!("{set}-labels-idx1-ubyte.gz")), 8, n)?;
    if labels.iter().any(|&label| label > 9) {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("a label above 9 in set {set}")));
    }
    let images = pixels.iter().map(|&byte| f64::from(byte) / 255.0).collect();
    Ok((images, labels.iter().map(|&byte| usize::from(byte)).collect()))
}

/// The first `len` bytes behind the header (magic number and dimensions) of a gzipped IDX file.
fn read_idx(path: &Path, header: usize, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; header + len];
    File::open(path)
        .and_then(|file| GzDecoder::new(file).read_exact(&mut bytes))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    Ok(bytes.split_off(header))
}

/// One pass over the first 12,800 training images, whose order is random as it is. (An epoch has 60,000.)
#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
fn main() -> io::Result<()> {
    const BATCH: usize = 32;
    let folder = std::env::args_os().nth(1).unwrap_or("/usr/share/datasets/fashion-mnist".into());
    let (images, labels) = read_set(Path::new(&folder), "train", 400 * BATCH)?;
    let (test_images, test_labels) = read_set(Path::new(&folder), "t10k", 10_000)?;

    let mut net = LeNet::random(&mut SplitMix64(1));
    let mut adam = Adam::new(0.001);
    let batches = zip(images.chunks_exact(BATCH * PIXELS), labels.chunks_exact(BATCH));
    for (step, (images, labels)) in zip(1.., batches) {
        let loss = net.step(images, labels, &mut adam);
        if step == 1 || step % 20 == 0 {
            println!("step {step:3}, loss {loss:.4}");
        }
    }
    println!("test accuracy {:.3}", net.accuracy(&test_images, &test_labels));
    Ok(())
}
