"""What a migration destroyed, brought back: objects from the schema before it, values from its restore point.

In: an application. Out: the target with what it lost; what was made or changed since stays, and is told.
"""
