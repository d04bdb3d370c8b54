"""What statements say that they do: each kind of statement, the names in it, bodies that can be followed.

Pure. In: nodes of PostgreSQL's grammar. Out: allowances.
"""
