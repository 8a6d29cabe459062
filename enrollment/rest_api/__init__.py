"""The REST endpoints: they translate between HTTP and `enrollment.api`, and decide who may call."""
