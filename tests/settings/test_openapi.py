"""The description of the whole service."""

import json
import re

from drf_spectacular.generators import SchemaGenerator


def test_every_reference_leads_somewhere():
    description = SchemaGenerator().get_schema(request=None, public=True)
    named = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(description)))
    assert named
    assert named - set(description["components"]["schemas"]) == set()
