"""A run as it lies in a store: manifest, segments, keys, signed papers, how to read and load them."""
