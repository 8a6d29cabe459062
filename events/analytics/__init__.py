"""Events of the Open edX subdomain `analytics`: same types, same payloads."""
