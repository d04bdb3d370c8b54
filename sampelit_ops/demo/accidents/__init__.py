"""Accidents that the demo provokes in its own sandbox, and the alarms that have to answer."""
