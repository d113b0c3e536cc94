//! Layers that PyTorch does not have, as classes of their own.

use nn::Shape;
use spec::LayerSpec;

use super::modules::is_single;
use crate::wiring::Wiring;

/// A class by its name in Python.
struct Helper {
    /// Whether a layer that reads a value of that shape is one.
    is_of: fn(&LayerSpec, Shape) -> bool,
    text: &'static str,
}

const HELPERS: [Helper; 6] = [
    Helper {
        is_of: |layer, shape| matches!(layer, LayerSpec::GroupNorm(norm) if is_single(norm, shape)),
        text: GROUP_NORM,
    },
    Helper { is_of: |layer, _| matches!(layer, LayerSpec::PartialConv2d(_)), text: PARTIAL_CONV2D },
    Helper { is_of: |layer, _| matches!(layer, LayerSpec::Rbf(_)), text: RBF },
    Helper { is_of: |layer, _| matches!(layer, LayerSpec::ScaledTanh(_)), text: SCALED_TANH },
    Helper { is_of: |layer, _| matches!(layer, LayerSpec::SqueezeExcite(_)), text: SQUEEZE_EXCITE },
    Helper { is_of: |layer, _| matches!(layer, LayerSpec::Subsample(_)), text: SUBSAMPLE },
];

/// The classes that the network needs.
pub(super) fn needed(wiring: &Wiring<'_>) -> String {
    let is_needed = |helper: &&Helper| {
        let mut nodes = wiring.nodes.iter();
        nodes.any(|node| (helper.is_of)(node.layer, wiring.shapes[node.inputs[0]]))
    };
    HELPERS.iter().filter(is_needed).map(|helper| helper.text).collect::<Vec<_>>().join("\n")
}

const GROUP_NORM: &str = r#"
class GroupNorm(nn.GroupNorm):
    """Of groups of one value each, also where the batch is one sample, which PyTorch's own refuses."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
"#;

const PARTIAL_CONV2D: &str = r#"
class PartialConv2d(nn.Module):
    """A convolution whose filters read some of the channels only (LeCun et al. 1998, table I).

    `weight` [connections, KH, KW] has a kernel for each filter and each channel that it reads, in that order.
    """

    def __init__(self, channels: list[list[int]], kernel: tuple[int, int]) -> None:
        super().__init__()
        places = torch.tensor([[f, c] for f, reads in enumerate(channels) for c in reads])
        self.register_buffer("places", places, persistent=False)
        self.weight = nn.Parameter(torch.empty(len(places), *kernel))
        self.bias = nn.Parameter(torch.empty(len(channels)))
        bound = (self.weight.numel() / len(channels)) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        dense = self.weight.new_zeros(len(self.bias), x.shape[1], *self.weight.shape[1:])
        dense = dense.index_put(tuple(self.places.T), self.weight)
        return F.conv2d(x, dense, self.bias)
"#;

const RBF: &str = r##"
class Rbf(nn.Module):
    """Minus the squared distances from fixed codes of +1 (`#`) and -1 (`.`), one for each class."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__()
        signs = torch.tensor([[1.0 if sign == "#" else -1.0 for sign in code] for code in codes])
        self.register_buffer("codes", signs, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return -(x[:, None, :] - self.codes).square().sum(2)
"##;

const SCALED_TANH: &str = r#"
class ScaledTanh(nn.Module):
    """amplitude * tanh(slope * x), the squashing function of LeNet-5."""

    def __init__(self, amplitude: float, slope: float) -> None:
        super().__init__()
        self.amplitude, self.slope = amplitude, slope

    def forward(self, x: Tensor) -> Tensor:
        return self.amplitude * torch.tanh(self.slope * x)
"#;

// Other nodes may be modules within this one, so that it is no `nn.Sequential`, which would run them too.
const SQUEEZE_EXCITE: &str = r#"
class SqueezeExcite(nn.Module):
    """Scales each channel by a number from 0 to 1 that depends on the means of all channels (Hu et al. 2017)."""

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.add_module("0", nn.Linear(channels, reduced))
        self.add_module("2", nn.Linear(reduced, channels))

    def forward(self, x: Tensor) -> Tensor:
        squeeze, excite = self._modules["0"], self._modules["2"]
        scales = torch.sigmoid(excite(torch.relu(squeeze(x.mean((2, 3))))))
        return x * scales[:, :, None, None]
"#;

const SUBSAMPLE: &str = r#"
class Subsample(nn.Module):
    """The sum of each window times one coefficient, plus one bias, for each channel: S2 and S4 of LeNet-5."""

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.kernel = kernel
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        bound = (kernel[0] * kernel[1]) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        sums = F.avg_pool2d(x, self.kernel, divisor_override=1)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]
"#;
