"""What the frameworks that differentiate by themselves are given: a network's forward pass."""

from workloads import Workload


def scores(work: Workload, X, linear, relu):
    """Return the last layer's scores; ``linear(number, A)`` is a layer, and `relu` what it is."""
    if work.joined:
        left = relu(linear(1, relu(linear(0, X))))
        return linear(3, left + relu(linear(2, X)))
    A = X
    last = len(work.shapes) - 1
    for number in range(last):
        A = relu(linear(number, A))
    return linear(last, A)
