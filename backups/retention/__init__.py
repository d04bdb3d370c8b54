"""How long a run is kept, and its deletion."""
