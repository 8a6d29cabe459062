"""Staff pages. Staff edit what is theirs, look at what rules own, and change that only through the api."""
