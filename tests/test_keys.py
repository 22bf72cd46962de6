"""The domains of a run's random draws."""

import jax

from vecevo import keys


def test_the_domains_of_random_draws_do_not_meet():
    of_run = keys.split_run_key(3)
    folded = [jax.random.fold_in(key, n) for key in of_run for n in range(8)]
    words = {tuple(jax.random.key_data(key).tolist()) for key in (*of_run, *folded)}
    assert len(words) == len(of_run) * 9
