"""How the documentation is built."""

import builtins
import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for `extension`

project = "eventtracking"
author = "The eventtracking contributors"
copyright = "The eventtracking contributors"
release = version_of("eventtracking-core")
version = release

extensions = [
    "extension",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
smartquotes = False  # options begin with two hyphens
default_role = "code"  # single backticks in docstrings

html_theme = "furo"
html_title = f"eventtracking {release}"
html_static_path = ["_static"]
html_css_files = ["page.css"]

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"

# What a reader pastes into a shell or an interpreter is what comes after the prompt.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Only our own names must resolve: other projects' inventories would have to be downloaded.
nitpicky = True
_foreign = [
    *dir(builtins),
    *sys.stdlib_module_names,
    "click",
    "msgspec",
    "opentelemetry",
    "pluggy",
    "pytest",
    "rich",
    "structlog",
]
nitpick_ignore_regex = [
    ("py:.*", rf"({'|'.join(_foreign)})(\..+)?"),
    ("py:class", r"(.+\.)?[A-Z]"),  # type variables
    (
        "py:class",
        r"Celery|(.+\.)?(Leaf|ProcessorNode)|EnteredContext|.+\.ContextStack",
    ),  # not for users to create
]
