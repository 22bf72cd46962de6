"""Any strategy without repeats."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo.errors import InputError
from vecevo.operators.checks import NumChoices, as_static, check_whole
from vecevo.strategies.archives import is_known, make_archive
from vecevo.strategies.protocol import (
    EvolutionState,
    GenerationInfo,
    JudgeFn,
    Strategy,
)
from vecevo.strategies.variation import reset_one_gene

NUM_STEPS = 16  # of one gene, that lead away from a repeat before a new one is drawn


class Remembering(NamedTuple):
    """What `without_repeats` adds to a strategy's memory."""

    inner: Any  # of the strategy
    told: Any  # of the archive


def without_repeats(
    strategy: Strategy, num_choices: NumChoices, *, capacity: int | None = None
) -> Strategy:
    """Makes a strategy ask for each genome at most once.

    A genome that was told, or that another one before it in the generation has, is
    replaced by the first new one that a walk from it meets, which resets one gene a
    step; after 16 steps by one drawn from all new genomes. Spaces of up to 4 million
    genomes are mapped. There, info says when the space is exhausted: from then on,
    and in places for which no new genome is left, the strategy's own offspring stand.

    The strategy is told the genomes that were asked, in the places of those that it
    would have asked for. One that asks for its survivors again, as `genetic`, so
    loses them.

    Args:
      strategy: the search.
      num_choices: int32[G], static.
      capacity: of the list of told genomes that stands for the map in larger spaces;
        the oldest are forgotten beyond it.

    Raises:
      InputError: for a larger space without a fitting capacity; `init`, for a
        strategy of other genes.
    """
    num_choices = as_static(num_choices)
    if capacity is not None:
        check_whole(1, capacity=capacity)
    archive = make_archive(num_choices, capacity)

    def init(key: jax.Array, population: ArrayLike | None = None) -> EvolutionState:
        state = strategy.init(key, population)
        num_genes = state.population.shape[1]
        if num_genes != len(num_choices):
            raise InputError(
                f"num_choices has {len(num_choices)} genes, and the strategy "
                f"{num_genes}: give both the same."
            )
        return state._replace(memory=Remembering(state.memory, archive.start()))

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        state = jax.tree.map(jnp.asarray, state)  # it may have been loaded
        ask_key, walk_key, fill_key = jax.random.split(key, 3)
        told = state.memory.told
        asked = strategy.ask(ask_key, _without(state))

        def walk(carry: tuple[int, jax.Array, jax.Array]) -> tuple[Any, ...]:
            num_steps, genomes, is_missing = carry
            step_key = jax.random.fold_in(walk_key, num_steps)
            moved = reset_one_gene(step_key, genomes, num_choices)
            genomes = jnp.where(is_missing[:, None], moved, genomes)
            return num_steps + 1, genomes, is_known(archive, told, genomes, is_missing)

        none_late = jnp.zeros(len(asked), bool)
        start = (0, asked, is_known(archive, told, asked, none_late))
        _, genomes, is_missing = jax.lax.while_loop(
            lambda carry: carry[2].any() & (carry[0] < NUM_STEPS), walk, start
        )
        genomes, is_missing = jax.lax.cond(
            is_missing.any(),
            lambda: archive.fill(fill_key, told, genomes, is_missing),
            lambda: (genomes, is_missing),
        )
        return jnp.where(is_missing[:, None], asked, genomes)

    def tell(
        state: EvolutionState, offspring: jax.Array, fitness: jax.Array
    ) -> tuple[EvolutionState, GenerationInfo]:
        state = jax.tree.map(jnp.asarray, state)
        new_state, info = strategy.tell(_without(state), offspring, fitness)
        told = archive.add(state.memory.told, jnp.asarray(offspring))
        memory = Remembering(new_state.memory, told)
        is_exhausted = info.is_exhausted | archive.is_full(told)
        return new_state._replace(memory=memory), info._replace(
            is_exhausted=is_exhausted
        )

    judge = _judge_of(strategy)
    return Strategy(init=init, ask=ask, tell=tell, share_new=1.0, judge=judge)


def _judge_of(strategy: Strategy) -> JudgeFn | None:
    judge = strategy.judge
    if judge is None:
        return None
    return lambda state, genomes: judge(_without(state), genomes)


def _without(state: EvolutionState) -> EvolutionState:
    return state._replace(memory=state.memory.inner)
