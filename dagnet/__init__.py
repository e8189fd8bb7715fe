"""dagnet: define a neural network, compile it to a graph, train it, draw it, look at every value."""
