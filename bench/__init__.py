"""`make bench`: what the parts of this project cost, as ratios measured side by side in one run."""
