"""Ports played by neighbouring services, over HTTP. They need the extra `adapters`."""
