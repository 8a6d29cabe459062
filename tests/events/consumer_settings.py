"""The tests' settings for a consumer in a process of its own; `CONSUMER_SETTINGS` adds to them, as JSON."""

import json
import os

from settings.test import *  # noqa: F403

globals().update(json.loads(os.environ["CONSUMER_SETTINGS"]))
