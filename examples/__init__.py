"""Examples that run: the demo, and the two bundles it works on."""
