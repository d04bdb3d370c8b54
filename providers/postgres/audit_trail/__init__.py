"""The hash chains of the product's audit trail."""
