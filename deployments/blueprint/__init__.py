"""render.yaml held against what Render has."""
