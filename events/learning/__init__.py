"""Events of the Open edX subdomain `learning`: same types, same payloads."""
