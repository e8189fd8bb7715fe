"""How an instruction is written: a row of integers in the table of a program."""

#: What an instruction does.
(
    COPY,
    ACCUMULATE,
    ADD,
    MULTIPLY,
    PRODUCT,
    PRODUCT_OF_TRANSPOSED,
    SUM_PARTS,
    DOTS,
    ROW_SUMS,
    STANDARDIZE_ROWS,
    STANDARDIZE_ROWS_BY,
    SCALE_ROWS,
    MOVE_STATISTIC,
    BATCH_NORM_BACK,
    LAYER_NORM,
    SCALE_SUMS,
    LAYER_NORM_BACK,
    RELU,
    LEAKY_RELU,
    ELU,
    SOFTPLUS,
    GELU,
    GELU_BY_TANH,
    SIGMOID,
    TANH,
    RELU_BACK,
    LEAKY_RELU_BACK,
    ELU_BACK,
    SOFTPLUS_BACK,
    SIGMOID_BACK,
    TANH_BACK,
    SQUARED,
    BINARY,
    CATEGORICAL,
    TOTAL,
    TOTAL_OF_SQUARES,
    SQUARED_BACK,
    BINARY_BACK,
    CATEGORICAL_BACK,
    SGD,
    MOMENTUM,
    RMSPROP,
    ADAM,
) = range(43)

#: Columns of a row: what to do; addresses of up to seven arrays, 0 for one that is not asked for;
#: up to seven sizes; where its number is among the constants; into how many parts it is cut, 0 if
#: it is done with each part of the row before; how many parts there are in the program before it;
#: how many of these must be done before it begins.
CODE, ARRAYS, SIZES, NUMBER, PARTS, START, NEEDS, WIDTH = 0, 1, 8, 15, 16, 17, 18, 19

#: Columns of the row before the first: how many numbers follow, and the address of the constants.
SIZE, CONSTANTS_AT = 0, 1

#: How a product is cut into parts: by the rows of its result, by its columns, or by the terms of
#: its sums, which are added up afterwards.
BY_ROWS, BY_COLUMNS, BY_TERMS = range(3)

#: Where a product says so.
CUT = SIZES + 6
