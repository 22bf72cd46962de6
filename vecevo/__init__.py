"""vecevo trains populations of different neural networks at once, and evolves them.

Axes of arrays, everywhere: P population, G genes, S selected, L lanes, W padded
width, D layers, F input features, C classes, N examples, B batch.
"""
