"""Read the published JSON schemas, and close them to fields that they do not name."""

import json
from importlib.resources import files
from typing import Any


def published_schema(name: str) -> Any:
    """Return a schema that lies beside the writers."""
    return json.loads(files("analyzer.writers").joinpath(name).read_text("utf-8"))


def closed(part: Any) -> Any:
    """Return a part of a schema in which no object has fields that it does not name."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    inside = {name: closed(each) for name, each in part.items()}
    has_fields = part.get("type") == "object" and "properties" in part
    return {"additionalProperties": False} | inside if has_fields else inside
