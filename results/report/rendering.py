"""Pages from templates."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from results.formatting import counted, slug


def render(template: str, **content: Any) -> str:
    """The page that a template of the folder `templates` makes of this content; text in it is escaped."""
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"slug": slug, "counted": counted}
    return environment.get_template(template).render(content)
