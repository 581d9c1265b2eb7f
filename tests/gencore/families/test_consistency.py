"""The consistency model: its loss and its samples against diffusers and a DDPM, its gap, and what it refuses."""

import math

import diffusers
import pytest
import torch
from torch import nn

from gencore.errors import InputError
from gencore.evaluation.failures import FAILURES
from gencore.families import consistency
from gencore.families.consistency import HUBER, Consistency
from gencore.families.ddpm import DDPM
from gencore.families.timesteps import TRAIN_STEPS, stratified, trailing
from gencore.families.vae import VAE

SMALL = {"channels": 1, "size": 8, "widths": (8, 16)}


def twins() -> tuple[Consistency, DDPM]:
    """Return a consistency model and a DDPM of the same random weights."""
    torch.manual_seed(0)
    model, ddpm = Consistency(**SMALL).eval(), DDPM(**SMALL, prediction="v_prediction").eval()
    ddpm.load_state_dict(model.state_dict())
    return model, ddpm


class Blind(nn.Module):
    """A stand-in for the U-Net that answers the F with which f is `image`, whatever the noise."""

    def __init__(self, model: Consistency, image: torch.Tensor):
        super().__init__()
        self.model, self.image = [model], image
        self.seen: list[torch.Tensor] = []

    def forward(self, x, t):
        """Return F = (sqrt(abar) x - image) / sqrt(1 - abar)."""
        self.seen.append(t)
        abar = self.model[0].alphas_cumprod()[t].view(-1, 1, 1, 1)
        return type("Output", (), {"sample": (abar.sqrt() * x - self.image) / (1 - abar).sqrt()})


def test_with_the_widest_gap_the_loss_is_the_norm_of_a_ddpms_error_in_v():
    """s is 0, so that f(x_t) - x = -sqrt(1 - abar) (F - v), with v from diffusers."""
    model, ddpm = twins()
    x = torch.rand(16, 1, 8, 8) * 2 - 1
    torch.manual_seed(3)
    (loss,) = model.losses(x, 0.0)
    torch.manual_seed(3)
    t = stratified(16, x.device)
    noise = torch.randn_like(x)
    x_t = ddpm.scheduler.add_noise(x, noise, t)
    error = ddpm.unet(x_t, t).sample - ddpm.scheduler.get_velocity(x, noise, t)
    c = HUBER * 8
    wanted = ((error.square().flatten(1).sum(1) + c**2).sqrt() - c).mean() / 8
    assert loss.network == "unet"
    torch.testing.assert_close(loss.value, wanted, rtol=1e-4, atol=1e-6)


def test_the_gap_is_held_and_then_falls_as_it_would_have_done_from_the_start():
    held, falls = Consistency(**SMALL, hold=0.5), Consistency(**SMALL)
    assert held._gap(0.0) == held._gap(0.5) == 1.0
    assert [held._gap(p) for p in (0.75, 1.0)] == pytest.approx([falls._gap(0.5), 2.0**-8])


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_where_there_is_one_image_the_model_that_always_says_it_has_no_loss(progress):
    image = torch.rand(1, 1, 8, 8) * 2 - 1
    model = Consistency(**SMALL)
    model.unet = Blind(model, image)
    (loss,) = model.losses(image.repeat(8, 1, 1, 1), progress)
    assert loss.value < 1e-4


def test_the_target_is_of_less_noise_and_has_no_gradient():
    model = Consistency(**SMALL, first_gap=0.5, last_gap=0.01)
    seen = model.unet = Blind(model, torch.zeros(1, 1, 8, 8).requires_grad_())
    for progress, gap in ((0.0, 0.5), (1.0, 0.01), (0.5, math.sqrt(0.5 * 0.01))):
        seen.seen.clear()
        (loss,) = model.losses(torch.zeros(1000, 1, 8, 8), progress)
        s, t = seen.seen  # the target is made first
        assert (s[t > 0] < t[t > 0]).all() and (s >= 0).all()
        assert ((t - s - t * gap).abs() <= 1).all()
    loss.value.backward()
    # d error / d image is 1 / sqrt(1 - abar) through f at t alone; through f at s too it would be 0.
    assert seen.image.grad.abs().sum() > 0


# ---- a teacher


def taught(**changes) -> tuple[Consistency, DDPM]:
    """Return a consistency model and a DDPM of other random weights, which is its teacher."""
    torch.manual_seed(1)
    model, teacher = Consistency(**SMALL | changes), DDPM(**SMALL, prediction="v_prediction")
    model.learn_from(teacher)
    return model, teacher


def test_with_a_teacher_the_target_is_of_what_a_step_of_diffusers_ddim_makes_of_it(monkeypatch):
    model, teacher = taught(first_gap=0.25)
    times = torch.full((16,), 799)
    monkeypatch.setattr(consistency, "stratified", lambda count, device, skew: times)
    x = torch.rand(16, 1, 8, 8) * 2 - 1
    torch.manual_seed(3)
    (loss,) = model.losses(x, 0.0)
    torch.manual_seed(3)
    ddim = diffusers.DDIMScheduler.from_config(teacher.scheduler.config, clip_sample=True)
    ddim.set_timesteps(5)  # 999, 799, 599, ...: steps of 200
    with torch.no_grad():
        x_t = ddim.add_noise(x, torch.randn_like(x), times)
        # use_clipped_model_output: the noise beside the clipped image, which the two are to make x_t of
        x_s = ddim.step(teacher.unet(x_t, times).sample, 799, x_t, use_clipped_model_output=True).prev_sample
        after, before = model._f(x_t, times), model._f(x_s, torch.full((16,), 599))
        error = (after - before) / (1 - model.alphas_cumprod()[799]).sqrt()
    c = HUBER * 8
    wanted = ((error.square().flatten(1).sum(1) + c**2).sqrt() - c).mean() / 8
    torch.testing.assert_close(loss.value, wanted, rtol=1e-4, atol=1e-6)


def test_with_a_teacher_and_the_widest_gap_the_target_is_the_image_that_it_sees():
    model, teacher = taught()
    image = torch.rand(1, 1, 8, 8) * 2 - 1
    model.unet, teacher.unet = Blind(model, image), Blind(model, image)
    (loss,) = model.losses(torch.rand(8, 1, 8, 8) * 2 - 1, 0.0)
    assert loss.value < 1e-4, "whatever the images are"


def test_below_where_the_teacher_is_asked_the_loss_is_that_without_one():
    x = torch.rand(64, 1, 8, 8) * 2 - 1
    values = []
    for share, teach in ((1.0, True), (0.5, False), (0.5, True), (0.0, True)):
        model, _ = taught(first_gap=0.2, taught_from=share)
        model.__dict__.pop("teacher") if not teach else None
        torch.manual_seed(3)
        values.append(next(iter(model.losses(x, 0.0))).value.item())
    never, alone, half, always = values
    assert never == alone and len({alone, half, always}) == 3


@pytest.mark.parametrize(("shortest", "anchored"), [(0.0, 2), (0.04, 41), (0.5, 501)])
def test_the_shortest_step_says_below_which_t_the_image_itself_is_the_target(shortest, anchored):
    s = Consistency(**SMALL, first_gap=0.25, shortest=shortest)._before(torch.arange(TRAIN_STEPS), 0.25)
    assert (s == 0).sum() == anchored
    assert s[900] == (675 if shortest < 0.25 else 400), "a gap that is longer stays as it is"


def test_a_teacher_is_no_part_of_the_model_and_learns_nothing():
    model, teacher = taught()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    (loss,) = model.losses(torch.rand(8, 1, 8, 8) * 2 - 1, 0.5)
    loss.value.backward()
    assert all(value.grad is None for value in teacher.parameters()) and not teacher.training
    assert model.state_dict().keys() == Consistency(**SMALL).state_dict().keys()
    assert {id(p) for p in model.parameters()}.isdisjoint(id(p) for p in teacher.parameters())
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())


@pytest.mark.parametrize(
    ("teacher", "said"),
    [(lambda: VAE(**SMALL, latent=2), "predicts noise, as a DDPM does; a VAE does not"),
     (lambda: Consistency(**SMALL), "predicts noise, as a DDPM does; a CM does not"),
     (lambda: DDPM(1, 16, (8, 16)), r"images are \(1, 16, 16\) \(C, H, W\), not \(1, 8, 8\)"),
     (lambda: DDPM(**SMALL, schedule="linear"), "another schedule; it must be squaredcos_cap_v2, of 1000 steps")],
)  # fmt: skip
def test_what_cannot_teach_is_refused(teacher, said):
    with pytest.raises(InputError, match=said):
        Consistency(**SMALL).learn_from(teacher())


def test_skewed_times_are_drawn_by_their_power_one_in_each_stratum():
    """Of density 3 u^2, a share u^3 lies below u."""
    torch.manual_seed(0)
    t = torch.cat([stratified(100, torch.device("cpu"), 3.0) for _ in range(100)]).double()
    assert t.min() >= 0 and t.max() <= TRAIN_STEPS - 1
    for u in (0.3, 0.5, 0.8, 0.95):
        assert (t < u * TRAIN_STEPS).double().mean().item() == pytest.approx(u**3, abs=0.01)
    torch.manual_seed(0)
    plain = stratified(100, torch.device("cpu"))
    torch.manual_seed(0)
    assert torch.equal(plain, stratified(100, torch.device("cpu"), 1.0))


# ---- samples


def test_one_call_gives_the_x0_that_a_ddpm_of_the_same_weights_sees_in_the_noise():
    model, ddpm = twins()
    (step,) = model.sample(range(3), num_inference_steps=1)
    noise = ddpm.latent(range(3))
    torch.testing.assert_close(step.x0, ddpm.predict(noise, torch.tensor([TRAIN_STEPS - 1])).detach())
    torch.testing.assert_close(step.x0, model.decode(model.latent(range(3))))


@pytest.mark.parametrize("noise_scale", [1.0, 0.9])
def test_each_call_is_at_the_next_level_of_the_image_before_with_fresh_noise(noise_scale):
    model = Consistency(**SMALL)
    image = torch.full((1, 1, 8, 8), 0.5)
    seen = model.unet = Blind(model, image)
    steps = list(model.sample(range(500), num_inference_steps=4, noise_scale=noise_scale))
    assert [t.item() for t in seen.seen] == trailing(4).tolist() == model.timesteps() == [999, 749, 499, 249]
    assert [step.index for step in steps] == [1, 2, 3, 4] and {step.total for step in steps} == {4}
    torch.testing.assert_close(steps[-1].x, steps[-1].x0)
    for step, t in zip(steps, (749, 499, 249), strict=False):
        abar = model.alphas_cumprod()[t]
        assert step.x.mean().item() == pytest.approx(0.5 * abar.sqrt().item(), abs=0.02)
        assert step.x.std().item() == pytest.approx(noise_scale * (1 - abar.item()) ** 0.5, abs=0.01)
    assert (torch.corrcoef(torch.stack([step.x.flatten() for step in steps[:3]])) - torch.eye(3)).abs().max() < 0.03


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"first_gap": 0.1, "last_gap": 0.2}, "0 < last_gap <= first_gap <= 1"),
     ({"last_gap": 0.0}, "0 < last_gap"), ({"first_gap": 1.5}, "first_gap <= 1, not"),
     ({"hold": 1.0}, r"hold must be in \[0, 1\), not 1.0"), ({"first_gap": math.nan}, "not"),
     ({"widths": (12, 16)}, "multiples of 8"), ({"skew": 0.0}, "skew must be more than 0, not 0.0"),
     ({"skew": math.inf}, "skew must be more than 0"),
     ({"shortest": 1.0}, r"shortest must be in \[0, 1\), not 1.0"), ({"shortest": -0.1}, "not -0.1"),
     ({"taught_from": 1.5}, r"taught_from must be from 0 to 1, not 1.5")],
)  # fmt: skip
def test_what_cannot_be_is_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        Consistency(**SMALL | wrong)


def test_few_calls_are_no_broken_model_of_it():
    few = next(one for one in FAILURES.values() if one.key == "too-few-steps")
    assert not all(isinstance(Consistency(**SMALL), kind) for kind in few.needs)
    assert all(isinstance(DDPM(**SMALL), kind) for kind in few.needs)
