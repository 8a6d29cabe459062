"""Events of the Open edX subdomain `enterprise`: same types, same payloads."""
