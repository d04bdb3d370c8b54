"""What is applied where: history tables, baselines, marks."""
