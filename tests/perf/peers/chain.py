"""What the frameworks that differentiate by themselves are given: a network's forward pass."""

from workloads import Workload

#: Added to a variance, as dagnet's batch normalisation does.
EPS = 1e-5


def scores(work: Workload, X, linear, hidden):
    """Return the last layer's scores; ``linear(number, A)`` is a layer, and ``hidden(number, Z)``
    what follows it."""
    if work.joined:
        left = hidden(1, linear(1, hidden(0, linear(0, X))))
        return linear(3, left + hidden(2, linear(2, X)))
    A = X
    last = len(work.shapes) - 1
    for number in range(last):
        A = hidden(number, linear(number, A))
    return linear(last, A)
