"""Every optimizer against plain loops over Python floats, and what a step may not do."""

import copy
import gc
import json
import math
import pickle
import tracemalloc
import weakref

import numpy as np
import pytest

from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from dagnet.training import SGD, Adam, AdamW, Cosine, Momentum, Optimizer, RMSProp, StepDecay
from dagnet.training import optimizer_state as module

STEPS = 7


class Store:
    """A store of `n` parameters, of which the first `n_weights` are weights."""

    def __init__(self, n=11, n_weights=7, dtype="float64", seed=3):
        self.data = np.random.default_rng(seed).standard_normal(n).astype(dtype)
        self.grad = np.zeros(n, dtype)
        self.n_weights = n_weights


def gradients(n, steps=STEPS, dtype="float64", seed=5):
    return np.random.default_rng(seed).standard_normal((steps, n)).astype(dtype)


def run(optimizer, store, grads):
    for grad in grads:
        store.grad[:] = grad
        optimizer.step(store)
    return store.data


def expected(rule, data, grads, n_weights, decay=0.0, clip=None, decoupled_rate=None):
    """Apply `rule`, a factory of one-parameter updates, in float64, parameter by parameter."""
    clipped = []
    for grad in grads:
        norm = math.sqrt(math.fsum(float(g) ** 2 for g in grad))
        factor = clip / norm if clip is not None and norm > clip else 1.0
        clipped.append([float(g) * factor for g in grad])
    result = []
    for i, p in enumerate(map(float, data)):
        update = rule()
        for t, grad in enumerate(clipped, start=1):
            g = grad[i]
            if i < n_weights and decoupled_rate is not None:
                p -= decoupled_rate * decay * p
            elif i < n_weights:
                g += decay * p
            p = update(p, g, t)
        result.append(p)
    return np.array(result)


def sgd(lr):
    return lambda: lambda p, g, t: p - lr * g


def momentum(lr, beta):
    def rule():
        v = 0.0

        def update(p, g, t):
            nonlocal v
            v = beta * v + (1 - beta) * g
            return p - lr * v

        return update

    return rule


def rmsprop(lr, beta, eps):
    def rule():
        s = 0.0

        def update(p, g, t):
            nonlocal s
            s = beta * s + (1 - beta) * g * g
            return p - lr * g / (math.sqrt(s) + eps)

        return update

    return rule


def adam(lr, beta1, beta2, eps):
    def rule():
        m = v = 0.0

        def update(p, g, t):
            nonlocal m, v
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g * g
            return p - lr * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)

        return update

    return rule


# eps is large, so that leaving it out, or putting it under the root, shows.
CASES = {
    "SGD": (lambda **k: SGD(0.3, **k), sgd(0.3)),
    "Momentum": (lambda **k: Momentum(0.3, beta=0.8, **k), momentum(0.3, 0.8)),
    "RMSProp": (lambda **k: RMSProp(0.2, beta=0.7, eps=0.05, **k), rmsprop(0.2, 0.7, 0.05)),
    "Adam": (
        lambda **k: Adam(0.2, beta1=0.8, beta2=0.95, eps=0.05, **k),
        adam(0.2, 0.8, 0.95, 0.05),
    ),
}
ALL = [SGD, Momentum, RMSProp, Adam, AdamW]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("clip", [None, 2.0])
def test_follows_its_formula(name, decay, clip):
    make, rule = CASES[name]
    store, grads = Store(), gradients(11)
    norms = np.linalg.norm(grads, axis=1)
    assert norms.min() > 2.0 or clip is None
    grads[2] *= 0.1  # below the limit: left alone
    want = expected(rule, store.data, grads, 7, decay, clip)
    got = run(make(weight_decay=decay, clip_norm=clip), store, grads)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("clip", [None, 2.0])
def test_adamw_decays_the_weights_themselves(clip):
    store, grads = Store(), gradients(11)
    optimizer = AdamW(0.2, beta1=0.8, beta2=0.95, eps=0.05, weight_decay=0.3, clip_norm=clip)
    want = expected(adam(0.2, 0.8, 0.95, 0.05), store.data, grads, 7, 0.3, clip, decoupled_rate=0.2)
    np.testing.assert_allclose(run(optimizer, store, grads), want, rtol=1e-12, atol=1e-14)


def test_adam_first_step_is_the_learning_rate_whatever_the_scale():
    store = Store()
    before = store.data.copy()
    run(Adam(0.01), store, gradients(11, steps=1) * 1e-3)
    np.testing.assert_allclose(np.abs(before - store.data), 0.01, rtol=1e-3)


def test_momentum_by_hand():
    store = Store(n=1, n_weights=1)
    store.data[:] = 1.0
    run(Momentum(0.1, beta=0.9), store, [[1.0], [1.0], [-2.0]])
    # v = 0.1, 0.19, -0.029
    np.testing.assert_allclose(store.data, 1.0 - 0.1 * (0.1 + 0.19 - 0.029), rtol=1e-14)


@pytest.mark.parametrize("cls", ALL)
def test_defaults_follow_the_reference(cls):
    rules = {
        SGD: sgd(0.01),
        Momentum: momentum(0.01, 0.9),
        RMSProp: rmsprop(0.001, 0.9, 1e-8),
        Adam: adam(0.001, 0.9, 0.999, 1e-8),
        AdamW: adam(0.001, 0.9, 0.999, 1e-8),
    }
    store, grads = Store(), gradients(11)
    decay = {"decay": 0.01, "decoupled_rate": 0.001} if cls is AdamW else {}
    want = expected(rules[cls], store.data, grads, 7, **decay)
    np.testing.assert_allclose(run(cls(), store, grads), want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("cls", ALL)
def test_float32_stays_float32(cls):
    store, wide = Store(dtype="float32"), Store()
    grads = gradients(11)
    optimizer = cls(0.1, weight_decay=0.1, clip_norm=1.0)
    data = store.data
    run(optimizer, store, grads.astype("float32"))
    run(cls(0.1, weight_decay=0.1, clip_norm=1.0), wide, grads)
    assert store.data is data
    assert data.dtype == np.float32
    state = optimizer.state_dict()
    assert {state[slot].dtype for slot in cls.slots} <= {np.dtype("float32")}
    np.testing.assert_allclose(data, wide.data, rtol=3e-4, atol=1e-5)


@pytest.mark.parametrize("cls", [SGD, Momentum])
def test_float32_is_computed_in_float32(cls):
    store = Store(dtype="float32")
    p, v, f = store.data.copy(), np.zeros(11, "float32"), np.float32
    grads = gradients(11, dtype="float32")
    for g in grads:
        v = f(0.9) * v + f(1.0 - 0.9) * g
        p = p - f(0.3) * (g if cls is SGD else v)
    assert run(cls(0.3), store, grads).tobytes() == p.tobytes()


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("clip", [None, 0.5])
def test_gradients_are_not_changed(cls, clip):
    store, grads = Store(), gradients(11, steps=3)
    optimizer = cls(0.1, weight_decay=0.3, clip_norm=clip)
    for grad in grads:
        store.grad[:] = grad
        store.grad.flags.writeable = False
        optimizer.step(store)
        store.grad.flags.writeable = True
        assert store.grad.tobytes() == grad.tobytes()


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("n_weights", [0, 4, 5, 9, 13])
def test_blocks_give_the_same_bits(cls, n_weights, monkeypatch):
    results = []
    for block in (10**6, 5, 1):
        monkeypatch.setattr(module, "BLOCK", block)
        store = Store(13, n_weights)
        optimizer = cls(0.1, weight_decay=0.2, clip_norm=1.0)
        results.append(run(optimizer, store, gradients(13)).tobytes())
    assert len(set(results)) == 1


def test_clip_leaves_a_norm_at_the_limit_alone():
    store = Store(2, 2)
    store.data[:] = 0.0
    run(SGD(1.0, clip_norm=5.0), store, [[3.0, 4.0]])
    assert store.data.tolist() == [-3.0, -4.0]
    run(SGD(1.0, clip_norm=2.5), store, [[3.0, 4.0]])
    assert store.data.tolist() == [-4.5, -6.0]


@pytest.mark.parametrize(("dtype", "large"), [("float32", 1e30), ("float64", 1e300)])
def test_clip_of_gradients_whose_squares_overflow(dtype, large, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 2)
    store = Store(3, 3, dtype)
    store.data[:] = 0.0
    run(SGD(1.0, clip_norm=3.0), store, [np.array([1.0, -2.0, 2.0]) * large])
    np.testing.assert_allclose(store.data, [-1.0, 2.0, -2.0], rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_not_clipped(bad):
    store = Store(3, 3)
    store.data[:] = 0.0
    run(SGD(1.0, clip_norm=1.0), store, [[bad, 6.0, 7.0]])
    assert not np.isfinite(store.data[0])
    assert store.data[1:].tolist() == [-6.0, -7.0]


@pytest.mark.parametrize("cls", ALL)
def test_resuming_gives_the_same_bits(cls):
    grads = gradients(11, steps=9)
    schedule = Cosine(0.1, steps=8, final=0.01)
    whole = Store()
    run(cls(schedule, weight_decay=0.1), whole, grads)

    first, second = Store(), Store()
    before = cls(schedule, weight_decay=0.1)
    run(before, first, grads[:4])
    second.data[:] = first.data
    after = Optimizer.from_config(json.loads(json.dumps(before.config)))
    after.load_state_dict(before.state_dict())
    run(before, first, grads[4:])  # the state was copied: this must not reach `after`
    run(after, second, grads[4:])
    assert second.data.tobytes() == whole.data.tobytes()
    assert after.steps == 9


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))]
)
def test_a_copy_goes_on_independently(duplicate):
    grads = gradients(11)
    store, other = Store(), Store()
    optimizer = Adam(0.1)
    run(optimizer, store, grads[:3])
    other.data[:] = store.data
    twin = duplicate(optimizer)
    run(optimizer, store, grads[3:])
    run(twin, other, grads[3:])
    assert other.data.tobytes() == store.data.tobytes()


@pytest.mark.parametrize("cls", ALL)
def test_nothing_is_allocated_after_the_first_step(cls):
    store = Store(100_000, 90_000)
    optimizer = cls(Cosine(0.1, 50), weight_decay=0.1, clip_norm=1.0)
    run(optimizer, store, gradients(100_000, steps=1))
    store.grad[:] = 1.0
    tracemalloc.start()
    try:
        for _ in range(5):
            optimizer.step(store)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000


@pytest.mark.parametrize("cls", [Momentum, RMSProp, Adam, AdamW])
def test_an_optimizer_with_state_refuses_another_store(cls):
    store, other = Store(), Store(5, 3)
    optimizer = cls(0.1)
    run(optimizer, store, gradients(11))
    before, untouched = optimizer.state_dict(), other.data.copy()
    with pytest.raises(ArgumentError, match=rf"{cls.__name__}: .*make a new {cls.__name__}.*reset"):
        optimizer.step(other)
    assert other.data.tobytes() == untouched.tobytes()
    del store
    gc.collect()
    with pytest.raises(ArgumentError, match="another model"):
        optimizer.step(other)
    assert optimizer.state_dict().keys() == before.keys()
    optimizer.reset()
    assert optimizer.steps == 0
    optimizer.step(other)
    assert optimizer.steps == 1


@pytest.mark.parametrize("cls", ALL)
def test_after_a_reset_it_is_as_new(cls):
    grads = gradients(11)
    store, plain = Store(), Store()
    optimizer = cls(0.1)
    run(optimizer, store, grads)
    optimizer.reset()
    store.data[:] = plain.data
    run(optimizer, store, grads)
    run(cls(0.1), plain, grads)
    assert store.data.tobytes() == plain.data.tobytes()


def test_states_are_copies_both_ways():
    optimizer, other = Momentum(0.1), Momentum(0.1)
    store = Store()
    run(optimizer, store, gradients(11, steps=2))
    state = optimizer.state_dict()
    before = state["v"].copy()
    other.load_state_dict(state)
    run(optimizer, store, gradients(11, steps=2))
    run(other, store, gradients(11, steps=2))
    assert state["steps"] == 2
    assert state["v"].tobytes() == before.tobytes()


def test_sgd_has_no_state_but_its_schedule():
    sgd = SGD(0.1)
    run(sgd, Store(), gradients(11))
    run(sgd, Store(5, 3), gradients(5, steps=2))
    assert sgd.steps == 2
    scheduled = SGD(StepDecay(0.1, every=2))
    run(scheduled, Store(), gradients(11))
    with pytest.raises(ArgumentError, match="after 7 steps"):
        scheduled.step(Store())


def test_the_optimizer_does_not_keep_the_arrays_alive():
    store = Store()
    optimizer = Adam(0.1)
    run(optimizer, store, gradients(11))
    data, grad = weakref.ref(store.data), weakref.ref(store.grad)
    del store
    assert data() is None
    assert grad() is None


@pytest.mark.parametrize("renewed", [["data"], ["grad"], ["data", "grad"]])
def test_new_arrays_in_the_same_store_are_found(renewed):
    store, plain = Store(), Store()
    grads = gradients(11)
    optimizer = Adam(0.1)
    run(optimizer, store, grads[:3])
    for name in renewed:
        setattr(store, name, getattr(store, name).copy())
    run(optimizer, store, grads[3:])
    run(Adam(0.1), plain, grads)
    assert store.data.tobytes() == plain.data.tobytes()


def test_arrays_of_another_dtype_are_refused_by_the_state():
    store = Store()
    optimizer = Adam(0.1)
    run(optimizer, store, gradients(11))
    store.data = store.data.astype("float32")
    store.grad = store.grad.astype("float32")
    with pytest.raises(ArgumentError, match="state 'm' is of 11 parameters of float64"):
        optimizer.step(store)


def test_the_schedule_is_asked_for_each_update():
    store = Store(1, 1)
    store.data[:] = 0.0
    optimizer = SGD(StepDecay(1.0, every=2, factor=0.5))
    rates = []
    for _ in range(5):
        rates.append(optimizer.rate)
        run(optimizer, store, [[1.0]])
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25]
    assert store.data.tolist() == [-3.25]


def test_hyperparameters_can_be_set_between_steps():
    store = Store(2, 1)
    store.data[:] = 1.0
    optimizer = SGD(0.5)
    run(optimizer, store, [[1.0, 1.0]])
    optimizer.learning_rate = 0.25
    optimizer.weight_decay = 1.0
    run(optimizer, store, [[1.0, 1.0]])
    assert store.data.tolist() == [0.125, 0.25]
    with pytest.raises(ArgumentError, match="SGD: learning_rate"):
        optimizer.learning_rate = -1.0
    assert optimizer.learning_rate == 0.25


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("rate", [0, -0.1, math.nan, math.inf, np.float32("-inf")])
def test_a_bad_learning_rate_is_named(cls, rate):
    with pytest.raises(ArgumentError) as error:
        cls(rate)
    needed = "a positive number or a Schedule" + ("" if np.isfinite(rate) else ", and finite")
    assert str(error.value) == f"{cls.__name__}: learning_rate must be {needed}, got {rate!r}"


@pytest.mark.parametrize("rate", ["0.1", None, True, [0.1], 1j, np.ones(1), Cosine])
def test_a_learning_rate_of_a_wrong_type(rate):
    with pytest.raises(ArgumentTypeError, match="Adam: learning_rate must be a positive number"):
        Adam(rate)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Momentum(0.1, beta=1.0), "Momentum: beta must be a number in"),
        (lambda: Momentum(0.1, beta=-0.1), "Momentum: beta"),
        (lambda: RMSProp(eps=0.0), "RMSProp: eps must be a positive number, got 0"),
        (lambda: Adam(beta1=1.5), "Adam: beta1"),
        (lambda: Adam(beta2=math.nan), "Adam: beta2"),
        (lambda: AdamW(weight_decay=-1), "AdamW: weight_decay must be a number not below 0"),
        (lambda: SGD(clip_norm=0), "SGD: clip_norm must be a positive number, got 0"),
    ],
)
def test_bad_hyperparameters_are_named(make, what):
    with pytest.raises(ArgumentError, match=what):
        make()


def test_a_schedule_that_gives_nonsense_is_named():
    class Falling(Cosine):
        def rate(self, step):
            return -1.0

    with pytest.raises(ArgumentError, match=r"SGD: learning_rate .* gave -1.0 for step 0"):
        SGD(Falling(0.1, 10)).step(Store())


@pytest.mark.parametrize("cls", ALL)
def test_config_goes_through_json(cls):
    optimizer = cls(Cosine(np.float32(0.5), np.int64(30)), clip_norm=2, weight_decay=0.25)
    config = json.loads(json.dumps(optimizer.config))
    again = Optimizer.from_config(config)
    assert type(again) is cls
    assert isinstance(again.learning_rate, Cosine)
    assert again.config == optimizer.config == config
    assert config["name"] == cls.__name__
    assert repr(again) == repr(optimizer)


def test_config_errors():
    with pytest.raises(UnknownNameError, match="did you mean 'Adam'"):
        Optimizer.from_config({"name": "Adamm"})
    with pytest.raises(UnknownNameError, match="no Adam setting named 'beta'; did you mean"):
        Optimizer.from_config({"name": "Adam", "beta": 0.9})
    with pytest.raises(UnknownNameError):
        Adam.from_config(SGD().config)
    with pytest.raises(UnknownNameError):
        Optimizer.from_config({"name": "Optimizer"})
    with pytest.raises(ArgumentTypeError, match="a config is a mapping"):
        Optimizer.from_config(["Adam"])
    with pytest.raises(ArgumentTypeError, match="learning_rate"):
        Optimizer.from_config({"name": "SGD", "learning_rate": {"name": "SGD"}})
    with pytest.raises(ArgumentError, match="lacks every"):
        Optimizer.from_config(
            {"name": "SGD", "learning_rate": {"name": "StepDecay", "learning_rate": 0.1}}
        )


def bad_states():
    good = {"steps": 2, "m": np.zeros(11), "v": np.ones(11)}
    yield {}, "holds steps, m, v; got {}"
    yield {"steps": 2}, "lacks m, v"
    yield good | {"s": np.zeros(11)}, "holds steps, m, v; got steps, m, v, s"
    yield {"steps": 2, "m": np.zeros(11)}, "holds steps, m, v"
    yield good | {"steps": -1}, "steps"
    yield good | {"steps": 2.5}, "steps"
    yield good | {"steps": True}, "steps"
    yield good | {"v": np.ones(10)}, "'v' of the state is"
    yield good | {"m": np.ones(10), "v": np.ones(10)}, "'m' of the state is"
    yield good | {"v": np.ones(11, "float32")}, "float32"
    yield good | {"m": np.zeros(11, int)}, "1-d array of float32 or float64"
    yield good | {"m": "zeros"}, "1-d array"
    yield good | {"m": np.zeros((11, 1))}, "1-d array"


@pytest.mark.parametrize(("state", "message"), list(bad_states()))
def test_a_bad_state_changes_nothing(state, message):
    grads = gradients(11)
    store, plain = Store(), Store()
    optimizer = Adam(0.1)
    run(optimizer, store, grads[:3])
    with pytest.raises(ArgumentError, match=message):
        optimizer.load_state_dict(state)
    run(optimizer, store, grads[3:])
    run(Adam(0.1), plain, grads)
    assert store.data.tobytes() == plain.data.tobytes()


def test_a_state_must_be_a_mapping_and_fit_the_store():
    with pytest.raises(ArgumentTypeError, match="a state is a mapping"):
        SGD().load_state_dict([1])
    optimizer = Momentum(0.1)
    optimizer.load_state_dict({"steps": 3, "v": np.zeros(4)})
    with pytest.raises(ArgumentError, match="'v' is of 4 parameters of float64, the model has 11"):
        optimizer.step(Store())


def test_the_state_of_an_unused_optimizer():
    fresh = Adam(0.1)
    assert fresh.state_dict() == {"steps": 0}
    used = Adam(0.1)
    run(used, Store(), gradients(11))
    used.load_state_dict(fresh.state_dict())
    store, plain = Store(5, 3), Store(5, 3)
    run(used, store, gradients(5))
    run(fresh, plain, gradients(5))
    assert store.data.tobytes() == plain.data.tobytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": np.zeros((3, 5))}, "1-d"),
        ({"grad": np.zeros(4)}, "of one length"),
        ({"grad": np.zeros(11, "float32")}, "one dtype"),
        ({"data": np.zeros(11, int), "grad": np.zeros(11, int)}, "float32 or float64"),
        ({"data": np.zeros(22)[::2]}, "contiguous"),
        ({"n_weights": 12}, "n_weights of a store must be from 0 to 11, got 12"),
    ],
)
def test_a_store_that_does_not_fit(changes, message):
    store = Store()
    vars(store).update(changes)
    with pytest.raises(ArgumentError, match=message):
        SGD(0.1).step(store)


def test_a_store_without_parameters():
    store = Store(0, 0)
    optimizer = Adam(0.1, weight_decay=0.1, clip_norm=1.0)
    optimizer.step(store)
    optimizer.step(store)
    assert optimizer.steps == 2


def test_an_optimizer_of_ones_own():
    class Sign(Optimizer):
        def numbers(self, rate, step):
            return (rate,)

        def update(self, p, g, slots, scratch, numbers):
            np.sign(g, scratch)
            np.multiply(scratch, numbers[0], scratch)
            np.subtract(p, scratch, p)

    store = Store(3, 3)
    store.data[:] = 0.0
    run(Optimizer.from_config(Sign(0.5).config), store, [[-7.0, 0.0, 3.0]])
    assert store.data.tolist() == [0.5, 0.0, -0.5]
