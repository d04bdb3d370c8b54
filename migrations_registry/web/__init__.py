"""Pages of the registry: list by stream and environment, review, upload, waivers, rules."""
