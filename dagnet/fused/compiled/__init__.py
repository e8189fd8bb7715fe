"""What numba compiles: arithmetic on addresses, and the one function that runs programs of it.

Nothing here may reorder or leave out what decides about NaN and Inf; only sums may be taken in
another order. What an instruction computes is what the numpy code of its op computes; a test
compares them all. Addresses come as integers, and `like`, an empty array, gives their dtype.

`blocks`, `codes` and `shared` hold the numbers that who writes programs needs, too; to import them
does not import numba.
"""
