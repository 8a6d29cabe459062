"""These tests need an environment that only `make interop` builds; elsewhere they are not collected."""

import os

collect_ignore = [] if os.environ.get("INTEROP_PYTHON") else ["test_interop.py"]
