"""Long runs against the whole gateway: `python -m tests.soak [NAME...] [--quick]`."""
