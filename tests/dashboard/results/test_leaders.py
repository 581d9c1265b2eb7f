"""Who leads in what, on points whose order is known."""

from dashboard.results.leaders import leads
from dashboard.results.question import ask
from tests.support.questions import measure, point


def who(*points, **asked):
    question = ask(measure(*points), **asked)
    return [(lead.families, lead.known) for lead in leads(question, range(len(question.points)))]


def test_each_direction_has_its_own_leader():
    assert who(
        point("vae", "a", 1.0, kid=0.03, coverage=0.8),
        point("gan", "b", 0.5, kid=0.1, coverage=0.7),
        point("ddpm", "c", 90.0, kid=0.005, coverage=0.95),
    ) == [(("ddpm",), True), (("ddpm",), True), (("gan",), True)]


def test_equals_lead_together_and_a_twentieth_is_no_time():
    alike = point("vae", "a", 1.0, kid=0.03, coverage=0.8), point("gan", "b", 1.04, kid=0.03, coverage=0.8)
    assert who(*alike) == [(("vae", "gan"), True)] * 3
    slower = point("gan", "b", 1.06, kid=0.03, coverage=0.8)
    assert who(alike[0], slower)[2] == (("vae",), True)


def test_what_the_noise_hides_is_not_known():
    noisy = {"spread": 0.9, "kid": 0.03, "coverage": 0.8}
    quality, _, _ = who(point("vae", "a", 1.0, **noisy), point("gan", "b", 1.0, **(noisy | {"kid": 0.02})))
    assert quality == (("vae", "gan"), False)


def test_a_point_of_another_n_has_no_part_in_what_depends_on_n():
    other = point("gan", "b", 1.0, n=2000, kid=0.001, coverage=0.99)
    quality, diversity, _ = who(point("vae", "a", 1.0, kid=0.03, coverage=0.8), other, n=5000)
    assert quality == (("gan",), True) and diversity == (("vae",), True)
