"""Scales of pictures where some networks are far worse than nothing learned."""

import numpy as np
import pytest

from tests.runs.report import made_up
from vecevo.results import R2
from vecevo.runs.report import comparison, drawing, figures, genes, parallel, sizes
from vecevo.space import SearchSpace

SMALL = SearchSpace({"depth": (1, 2, 3), "width": (8, 16, 32, 64, 128)})
DIVERGED = -50.0


def run_by(metric, *, diverged_share, shift=0.0):
    """Returns a run of whose networks a share diverged, and did not fail."""
    run = made_up.make_run(num_networks=60, failed_share=0.1)
    is_diverged = np.random.default_rng(0).random(60) < diverged_share
    is_diverged[np.argmax([n.validation_accuracy for n in run.networks])] = False
    networks = []
    for network, has_diverged in zip(run.networks, is_diverged, strict=True):
        accuracy = network.validation_accuracy + shift
        if np.isfinite(accuracy) and has_diverged:
            accuracy = DIVERGED
        curve = np.linspace(DIVERGED, max(accuracy, DIVERGED), 6)
        curves = {**network.curves, "validation_accuracy": curve}
        how = {"validation_accuracy": accuracy, "curves": curves}
        networks.append(network._replace(**how))
    summary = made_up.make_summary(networks)
    generations = made_up.make_generations(networks)
    how = {"networks": networks, "generations": generations, "summary": summary}
    return run._replace(metric=metric, **how)


def lowest_of(figure, which="y"):
    """The ends of the scales of a picture, of panels that show no loss."""
    panels = [p for p in figure.axes if "loss" not in p.get_title()]
    return [getattr(panel, f"get_{which}lim")()[0] for panel in panels]


@pytest.mark.parametrize("diverged_share", [0.2, 0.7])
def test_an_r2_far_below_0_squashes_no_picture(diverged_share):
    run = run_by(R2, diverged_share=diverged_share)
    with drawing.style():
        drawn = [
            *lowest_of(figures.draw_progress(run)),
            *lowest_of(figures.draw_curves(run)),
            *lowest_of(sizes.draw_sizes(run)),
            *lowest_of(genes.draw_choices(run), "x"),
            *lowest_of(comparison.draw_bests([run, run])),
            *lowest_of(comparison.draw_all_sizes([run, run])),
        ]
    assert len(drawn) == 11 and min(drawn) > -0.2
    assert parallel.upper_half(run)[0] >= -0.1


def test_what_is_below_a_scale_is_told():
    run = run_by(R2, diverged_share=0.7)
    num = sum(n.validation_accuracy == DIVERGED for n in run.networks)
    said = f"Below the scale: {num}, the least -50."
    assert said in figures.describe_progress(run)
    assert said in genes.describe_choices(run)
    assert said in sizes.describe_sizes(run)
    cut = "half, but for what is below -0.1, lies between -0.1000 and"
    assert cut in parallel.describe_parallel(run)
    with drawing.style():
        left, _ = figures.draw_progress(run).axes
    assert "below -0.1" in left.get_legend_handles_labels()[1]
    assert "Below" not in figures.describe_progress(made_up.make_run(SMALL, 4, seed=3))


def test_generations_below_a_scale_that_is_cut_are_on_its_edge():
    run = run_by(R2, diverged_share=0)
    means = (-3.3, 0.4, *(g.best_accuracy for g in run.generations[2:]))
    generations = [
        generation._replace(mean_accuracy=mean)
        for generation, mean in zip(run.generations, means, strict=True)
    ]
    with drawing.style():
        left, _ = figures.draw_progress(run._replace(generations=generations)).axes
    lines = {str(line.get_label()): line for line in left.get_lines()}
    (edge,) = (line for name, line in lines.items() if name.startswith("below"))
    assert edge.get_xdata().tolist() == [1, 2] and left.get_ylim()[0] > 0.4


def test_of_errors_that_are_negative_generations_stay_on_the_scale():
    run = run_by("negative RMSE", diverged_share=0.2, shift=-2.0)
    with drawing.style():
        assert min(lowest_of(figures.draw_progress(run))) > -5


def test_an_r2_that_nowhere_is_above_0_has_its_own_scale():
    run = run_by(R2, diverged_share=0, shift=-2.0)
    with drawing.style():
        assert min(lowest_of(figures.draw_progress(run))) < -1
