"""A migration on a restored copy of its environment before people decide: what it locks, rewrites, does.

In: a content, an environment, its newest proven run. Out: a Rehearsal, whose effects the guard then knows.
"""
