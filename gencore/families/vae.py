"""The variational autoencoder (Kingma & Welling 2014), as the lecture has it, with a calibrated decoder variance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from gencore.families import processes
from gencore.families.likelihood import discretised_normal, normal_kl
from gencore.families.nets import Decoder, Encoder
from gencore.family import Family, Knob, Loss, Noise, Point, Step

ACTIVE = 0.01  # a latent dimension is active if Var_x[E q(z|x)] exceeds this (Burda et al. 2016, sec. 3.2)


class VAE(Family):
    """q(z|x) = N(mu(x), sigma(x)^2), p(x|z) = N(f(z), s^2 I), p(z) = N(0, I) or a mixture fitted afterwards.

    The lecture's decoder variance f_sigma(z)^2 is simplified to one s for the data set, at its optimum for the
    batch in training (Rybkin et al. 2021, 'sigma-VAE') and refitted on the training images at the end.
    Samples are decoder means f(z), not draws from p(x|z).

    Args:
        widths: Feature maps at each resolution, from the image's downwards.
        latent: Dimensions of z.
        blocks: Residual blocks per resolution.
        components: Gaussians in the fitted prior.
        sigma_floor: Smallest s allowed: an image without noise would drive s to 0 and the likelihood to infinity.
    """

    name = "vae"
    title = "VAE"
    about = "Encodes images as a few numbers of known distribution, and decodes draws from it: one call, soft edges."
    knobs = (
        Knob("prior", "mixture", choices=("mixture", "normal"), help="Where z comes from: a mixture of Gaussians "
             "fitted to the encoded training images, or the lecture's N(0, I)."),
        Knob("temperature", 1.0, 0.0, 2.0, help="Scales z around the prior's (or its component's) mean: "
             "lower is more typical, higher more varied."),
    )  # fmt: skip
    points = (
        Point("fitted prior", {}, "headline"),
        Point("prior N(0, I)", {"prior": "normal"}, "lecture"),
        *(Point(f"fitted prior, temperature {t}", {"temperature": t}, "sweep") for t in (0.4, 0.6, 0.8, 0.9, 1.1, 1.2)),
        *(Point(f"prior N(0, I), temperature {t}", {"prior": "normal", "temperature": t}, "sweep") for t in (0.6, 0.8)),
    )

    @register_to_config
    def __init__(
        self,
        channels: int = 1,
        size: int = 28,
        widths: tuple[int, ...] = (32, 64, 128),
        latent: int = 16,
        blocks: int = 1,
        components: int = 50,
        sigma_floor: float = 0.01,
    ):
        super().__init__()
        self.encoder = Encoder(channels, size, widths, 2 * latent, blocks=blocks)
        self.decoder = Decoder(channels, size, widths, latent, blocks=blocks)
        self.register_buffer("sigma", torch.ones(()))
        self.register_buffer("mixture_weights", torch.full((components,), 1 / components))
        self.register_buffer("mixture_means", torch.zeros(components, latent))
        self.register_buffer("mixture_factors", torch.eye(latent).repeat(components, 1, 1))  # Cholesky factors

    @property
    def networks(self) -> dict[str, nn.Module]:
        """One network: the whole model."""
        return {"vae": self}

    @property
    def network(self) -> nn.Module:
        """The decoder."""
        return self.decoder

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu(x) and sigma(x) of q(z|x), both (N, latent), of images (N, C, H, W) in [-1, 1]."""
        with self.autocast():
            mean, log_variance = self.encoder(x).float().chunk(2, dim=1)
        return mean, (0.5 * log_variance.clamp(-20, 20)).exp()

    def invert(self, x: Tensor) -> Tensor:
        """Return mu(x), the z (N, latent) that the encoder holds to be likeliest for images (N, C, H, W)."""
        return self.encode(x)[0]

    def decode(self, latent: Tensor) -> Tensor:
        """Return the decoder means f(z), images (N, C, H, W) in [-1, 1], of z (N, latent)."""
        with self.autocast():
            return self.decoder(latent).float()

    def likelihood(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return f_mu(z) and f_sigma(z) of p(x|z), (N, C, H, W) each, of z (N, latent): here one s for every pixel."""
        mean = self.decode(z)
        return mean, self.sigma.expand_as(mean)

    def losses(self, x: Tensor, progress: float = 0.0) -> Iterator[Loss]:
        """Yield minus the ELBO, in nats per image (of the density; `bound` reports the discretised one)."""
        mean, std = self.encode(x)
        z = mean + std * torch.randn_like(std)  # the lecture's z = mu + sigma * eps
        squares = (self.decode(z) - x).square().flatten(1).sum(1)
        pixels = x[0].numel()
        error = processes.mean(squares.detach().mean() / pixels)
        variance = error.clamp_min(self.config.sigma_floor**2)  # the optimal s^2 for the batch
        log_likelihood = -0.5 * (squares / variance + pixels * torch.log(2 * math.pi * variance))
        kl = normal_kl(mean, std)
        elbo = (log_likelihood - kl.sum(1)).mean()
        with torch.no_grad():
            self.sigma.lerp_(variance.sqrt(), 0.01)
        yield Loss("vae", -elbo, {
            "log_likelihood": log_likelihood.detach().mean(),
            "kl": kl.detach().sum(1).mean(),
            "kl_per_dimension": kl.detach().mean(0),
            "sigma": variance.sqrt(),
        })  # fmt: skip

    def bound(self, x: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Return log_likelihood, kl and elbo = log_likelihood - kl, (N,) each, nats per image, for the prior N(0, I).

        The likelihood is of the 256 pixel levels: the Gaussian's mass in bins 2/255 wide, open at the ends
        (Ho et al. 2020, eq. 13). One draw of z per image.
        """
        mean, std = self.encode(x)
        z = mean + std * torch.randn(std.shape, generator=generator).to(std.device)
        log_likelihood = discretised_normal(x, self.decode(z), self.sigma).flatten(1).sum(1)
        kl = normal_kl(mean, std).sum(1)
        return {"log_likelihood": log_likelihood, "kl": kl, "elbo": log_likelihood - kl}

    def bound_basis(self) -> dict[str, str]:
        """Return what the bound rests on, for people."""
        return {
            "prior": "N(0, I)",
            "likelihood": f"normal around the decoded image, sigma {self.sigma.item():.4f} in [-1, 1] for every pixel, "
            "fitted on the training images; in 256 bins, open at the ends",
            "draws": "one z an image",
        }

    def validation_figures(self, x: Tensor) -> dict[str, Tensor]:
        """Return the mean held-out bound and its terms (nats per image) and the number of active latent units."""
        terms = {f"validation_{name}": value.mean() for name, value in self.bound(x).items()}
        return terms | {"active_units": (self.encode(x)[0].var(0) > ACTIVE).sum().float()}

    @torch.no_grad()
    def fit_after_training(self, batches: Iterable[Tensor]) -> None:
        """Refit s on the training images and fit the mixture prior to draws from the aggregated posterior.

        The prior that maximises the ELBO is the aggregated posterior E_x[q(z|x)] (Hoffman & Johnson 2016); a
        full-covariance mixture fitted by EM stands for it (ex-post density estimation, Ghosh et al. 2020).
        """
        from sklearn.mixture import GaussianMixture

        draws, squares, count = [], 0.0, 0
        generator = torch.Generator().manual_seed(0)
        for x in batches:
            mean, std = self.encode(x)
            z = mean + std * torch.randn(std.shape, generator=generator).to(std.device)
            squares += (self.decode(z) - x).square().sum().item()
            count += x.numel()
            draws.append(z.cpu())
        self.sigma.fill_(max(math.sqrt(squares / count), self.config.sigma_floor))
        z = torch.cat(draws).double()
        components = min(self.config.components, len(z) // 10)
        mixture = GaussianMixture(components, reg_covar=1e-4, max_iter=100, init_params="k-means++", random_state=0)
        mixture.fit(z.numpy())
        self.mixture_weights.zero_()
        self.mixture_weights[:components] = torch.from_numpy(mixture.weights_)
        self.mixture_means[:components] = torch.from_numpy(mixture.means_)
        self.mixture_factors[:components] = torch.linalg.cholesky(torch.from_numpy(mixture.covariances_))

    @torch.no_grad()
    def sample(self, seeds: Iterable[int], **knobs: Any) -> Iterator[Step]:
        """Yield one step: z from the chosen prior, decoded."""
        z = self.latent(seeds, **self.resolve_knobs(knobs))
        yield Step(1, 1, z, self.decode(z).clamp(-1, 1))

    def latent(self, seeds: Iterable[int], prior: str = "mixture", temperature: float = 1.0) -> Tensor:
        """Return z (N, latent) of `seeds` from the chosen prior."""
        choice, eps = Noise(seeds, self.device)(1 + self.config.latent).split([1, self.config.latent], dim=1)
        eps = temperature * eps
        if prior == "normal":
            return eps
        edges = self.mixture_weights.cumsum(0)
        uniform = torch.special.ndtr(choice[:, 0].contiguous())  # one number in (0, 1) per seed
        component = torch.searchsorted(edges / edges[-1], uniform).clamp_max(len(edges) - 1)
        return self.mixture_means[component] + torch.einsum("nij,nj->ni", self.mixture_factors[component], eps)

    def prior_density(self, z: Tensor) -> Tensor:
        """Return the density of the fitted mixture in each dimension, (latent, G), at the places z (G,)."""
        spread = self.mixture_factors.square().sum(2).sqrt()  # of the diagonals of L L^T
        densities = torch.distributions.Normal(self.mixture_means[..., None], spread[..., None]).log_prob(z).exp()
        return torch.einsum("k,kdg->dg", self.mixture_weights / self.mixture_weights.sum(), densities)
