"""The demo: its data, its processes, and accidents to provoke."""
