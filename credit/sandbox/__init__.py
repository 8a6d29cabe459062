"""A practice university for integrators: it receives learners' forms, verifies them and sends signed decisions.

It plays the other side of credit contract 3, 5.4 and 7 in a process of its own, without database or JavaScript, and
forgets everything when it ends. Whoever can open it decides in the name of every provider that has a key, so it runs
only where `CREDIT_PROVIDER_SANDBOX` allows it.
"""
