"""The portal's own database made again from a store."""
