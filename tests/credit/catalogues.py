"""Texts to be translated, as they stand in code and templates, and catalogues of translations; in Python alone."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import Any, NamedTuple

from django.template import engines
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).parents[2] / "credit"
CONTEXT_MARK, PLURAL_MARK = "\x04", "\0"
FUNCTIONS = {"_": "s", "gettext": "s", "gettext_lazy": "s", "pgettext": "cs", "ngettext": "sp", "npgettext": "csp"}
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|</?bdi>")


class Text(NamedTuple):
    """What translators get: a text, its plural if it counts something, and the context if it needs one."""

    singular: str
    plural: str | None = None
    context: str | None = None

    @property
    def key(self) -> str:
        return self.singular if self.context is None else f"{self.context}{CONTEXT_MARK}{self.singular}"


def texts_of_code(path: Path, *, only_class: str | None = None) -> Iterator[Text]:
    """Yield the texts that a module, or one of its classes, has translated."""
    tree: ast.AST = ast.parse(path.read_text(encoding="utf-8"))
    if only_class is not None:
        [tree] = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == only_class]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            kinds = FUNCTIONS[node.func.id]
            given = {kind: ast.literal_eval(argument) for kind, argument in zip(kinds, node.args, strict=False)}
            yield Text(given["s"], given.get("p"), given.get("c"))


def texts_of_template(path: Path) -> Iterator[Text]:
    """Yield the texts that a template has translated."""
    template: Any = engines["django"].from_string(path.read_text(encoding="utf-8"))
    for node in template.template.nodelist.get_nodes_by_type(TranslateNode):
        yield Text(str(node.filter_expression.var.literal))
    for node in template.template.nodelist.get_nodes_by_type(BlockTranslateNode):
        assert node.countervar is None, "count in Python: the plural has to be read here as well"
        yield Text(node.render_token_list(node.singular)[0])


def forms(text: Text, entry: str | list[str]) -> list[tuple[str, str]]:
    """Return every translation of a text beside the original that it stands for."""
    if isinstance(entry, str):
        return [(text.singular, entry)]
    return [(text.plural or text.singular, form) for form in entry]


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def read_po(path: Path) -> dict[str, str | list[str]]:
    """Return the translations of a catalogue's source by key; a text that counts has a list of forms.

    Fuzzy and obsolete entries are errors: gettext would leave them out without a word.
    """
    found: dict[str, str | list[str]] = {}
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        assert "#, fuzzy" not in block, block
        assert "#~" not in block, block
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
            fields[name] = fields.get(name, "") + ast.literal_eval(line)
        key = Text(fields["msgid"], context=fields.get("msgctxt")).key
        assert key not in found, key
        plurals = [value for name, value in fields.items() if name.startswith("msgstr[")]
        found[key] = plurals or fields["msgstr"]
    return found


def read_mo(path: Path) -> dict[str, str | list[str]]:
    """Return the translations of a compiled catalogue by key, as `read_po` does."""
    with path.open("rb") as file:
        compiled: dict[Any, str] = GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # there is no other way to see all
    found: dict[str, Any] = {}
    for key, translation in compiled.items():
        if isinstance(key, tuple):
            found.setdefault(key[0], {})[key[1]] = translation
        else:
            found[key] = translation
    return {
        key: [entry[number] for number in sorted(entry)] if isinstance(entry, dict) else entry
        for key, entry in found.items()
    }
