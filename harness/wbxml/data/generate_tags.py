#!/usr/bin/env python3
"""Writes src/tags.rs from code-pages.tsv, both beside this script's crate. A test compares the two."""
import pathlib
import re

here = pathlib.Path(__file__).parent
MODULES = {"Move": "move_items", "GAL": "gal", "Contacts2": "contacts2", "Email2": "email2"}
HEAD = '''//! The named tags of code pages 0 to 25, one module a page, named after the namespace.
//!
//! Written by `data/generate_tags.py` from `data/code-pages.tsv`; edit the table, not this file.

use crate::tag::pages;

pages! {
'''


def snake(name):
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", name)


pages = {}
for line in (here / "code-pages.tsv").read_text().splitlines():
    if line.startswith("#") or line.startswith("page\t"):
        continue
    page, namespace, token, tag, first, last = line.split("\t")
    pages.setdefault((int(page), namespace), []).append((token, tag, first, last))

body = []
for (page, namespace), tags in pages.items():
    module = MODULES.get(namespace, snake(namespace).lower())
    body.append(f'    {page} {module} "{namespace}" {{\n')
    names = [snake(tag).upper() for _, tag, _, _ in tags]
    assert len(set(names)) == len(names), f"two constants of one name in {namespace}"
    for name, (token, tag, first, last) in zip(names, tags):
        body.append(f'        {token} {name} "{tag}" "{first}" "{last}";\n')
    body.append("    }\n")
(here.parent / "src" / "tags.rs").write_text(HEAD + "".join(body) + "}\n")
