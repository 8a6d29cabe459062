"""What the apps share: error kinds, settings, loading, caching, the broker. No tables; it imports no app."""
