"""Gates: what a phase must prove, and the pure judgement of whether it did."""
