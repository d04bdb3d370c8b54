"""What ties the ledger to places outside the portal: manifests, checkpoints, a witness."""
