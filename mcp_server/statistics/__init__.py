"""What the stored sessions add up to: counted by `figures`, told by `tables` and `charts`."""
