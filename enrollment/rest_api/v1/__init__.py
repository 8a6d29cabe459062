"""Version 1: what shops, portals and learning front ends call."""
