"""The examples that are tried alike, and the networks in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """A file, how many parameters each network in it has, its free dims here, the dims of its small edition.

    Those of a file that it imports are of its small edition too.
    """

    file: str
    parameters: dict[str, int]
    free: dict[str, int] = field(default_factory=dict)
    small: dict[str, int] = field(default_factory=dict)
    trained: str = ""  # what a key holds that has a gradient

    @property
    def text(self) -> str:
        return (FOLDER / self.file).read_text(encoding="utf-8")


# The numbers of parameters are those of the papers or of the implementations that everyone uses: torchvision's
# ResNets, transformers' GPT-2, BERT (less the pooler) and ALBERT, timm's ViT, Kipf's GCN. GAT has no biases here.
EXAMPLES = (
    Example("digits.cat", {"mlp": 4_810}),
    Example("lenet.cat", {"lenet": 61_706}),
    Example("resnet.cat", {"resnet18": 11_689_512, "resnet50": 25_557_032}, free={"H": 64, "W": 33}),
    Example("unet.cat", {"segment": 31_030_658}, free={"H": 16, "W": 32}),
    Example(
        "gpt2.cat",
        {"attention": 2_362_368, "block": 7_087_872, "gpt2": 124_439_808},
        free={"T": 5},
        small={"Vocab": 19, "Context": 7, "D": 12, "Head": 3},
    ),
    Example(
        "bert.cat",
        {"embedding": 23_837_184, "attention": 2_362_368, "feed_forward": 4_722_432, "bert": 108_891_648},
        free={"T": 5},
        small={"Vocab": 19, "Context": 7, "D": 12, "Head": 3},
    ),
    Example(
        "vit.cat",
        {"embedding": 742_656, "attention": 2_362_368, "block": 7_087_872, "vit": 86_567_656},
        small={"H": 8, "W": 12, "Patch": 4, "D": 12, "Head": 3, "Class": 5},
    ),
    Example("gcn.cat", {"gcn": 23_040}, free={"N": 6, "E": 20}, small={"Word": 9}),
    Example("gat.cat", {"gat": 92_302}, free={"N": 6, "E": 20}, small={"Word": 9}),
    Example(
        "deepsets_layers.cat", {"layers": 66_688, "points": 76_968, "cloud": 88_360}, free={"N": 6}, small={"D": 8}
    ),
    Example("graph_network.cat", {"pairs": 17_408, "nodes": 22_950, "whole": 19_686}, free={"Node": 5}, small={"D": 8}),
    Example("circulant.cat", {"commuting": 180, "convolved": 180}),
    Example("o5.cat", {"invariants": 4_752, "product": 8_320, "regress": 13_137}, small={"Hidden": 8}),
    Example("jets.cat", {"tag": 5_266}, free={"N": 5}, small={"D": 4, "Hidden": 8}),
    Example("inertia.cat", {"weigh": 1_168, "inertia": 1_217}),
    Example("scattering.cat", {"invariants": 1_184, "product": 4_224, "scattering": 5_473}, small={"Hidden": 8}),
    Example(
        "energy.cat",
        {"radial": 592, "surroundings": 2_816, "energy": 3_905},
        free={"N": 5},
        small={"D": 4, "Hidden": 8},
    ),
    Example("turned_digits.cat", {"matched": 160, "again": 18_448, "read": 20_346}, small={"A": 2}),
    Example("spherical.cat", {"handed": 1_194}, free={"N": 5}, small={"A": 4, "Hidden": 8}),
    Example("siamese.cat", {"encoder": 5_344, "siamese": 5_361}),
    Example(
        "albert.cat",
        {
            "embedding": 4_005_120,
            "attention": 2_362_368,
            "feed_forward": 4_722_432,
            "albert": 11_092_992,
            "pooled": 11_683_584,
            "masked": 11_221_680,
        },
        free={"T": 5},
        small={"Vocab": 19, "Context": 7, "Narrow": 4, "D": 12, "Head": 3},
    ),
    Example(
        "lora.cat",
        {"tuned": 124_439_808 + 12 * 2 * 2 * 8 * 768},
        free={"T": 5},
        small={"Vocab": 19, "Context": 7, "D": 12, "Head": 3},
        trained=".adapted.",
    ),
    Example("made.cat", {"made": 98_880}, small={"D": 6, "Hidden": 16}),
    Example("bayes.cat", {"net": 4_810, "drawn": 2 * 4_810, "bayes": 2 * 4_810, "loss": 2 * 4_810}),
    Example("vae.cat", {"spread": 1_032, "encoder": 10_384, "decoder": 9_408, "loss": 19_792}),
    Example(
        "vae_flow.cat",
        {
            "look": 8_320,
            "spread": 1_548,
            "normal_vae": 19_020,
            "aim": 9_352,
            "sphere_vae": 18_632,
            "told": 429,
            "planars": 8 * 429,
            "inverse_autoregressive": 2_654,
            "planar_vae": 19_020 + 4_128 + 8 * 429,
            "iaf_vae": 19_020 + 4_128 + 2_654,
        },
    ),
    Example("quantised.cat", {"mlp": 4_810, "four_bits": 4_810}),
    Example("equilibrium.cat", {"layer": 4_160, "settle": 4_160, "equilibrium": 8_970}),
    Example("neural_ode.cat", {"field": 162, "ode": 162}),
    Example("hypernetwork.cat", {"picture": 1_185, "hyper": 15_649}),
    Example("multi/layers.cat", {"attention": 263_168, "block": 789_760}, free={"T": 5}, small={"D": 16}),
    Example("multi/model.cat", {"classifier": 12_551_172}, free={"T": 5}, small={"Vocab": 19, "Context": 7}),
)
