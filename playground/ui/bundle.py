"""The browser's modules joined into few files, so that a page opens with three requests of ours instead of a hundred.

There is no build step: the modules are joined when they are asked for, and anew when one of them has changed. Joined,
each module is a function that runs once, when it is first imported, and returns what it exports. Their source is plain
ES modules, of which three forms are understood, each at the beginning of a line: `import {a, b as c} from "./x.js";`,
`import "./x.js";` and `export` before a class, a function or a constant. An `import("./x.js")` inside a module stays
lazy: its module is part of the same file, but runs only then.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"(?P<path>\.[^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function\*?|class|const) (?P<name>[\w$]+))", re.MULTILINE)
LAZY = re.compile(r"(?<![\w.$])import\((?=[^)])")
LAZY_PATH = re.compile(r'(?<!new URL\()"(\./[\w./-]+\.js)"')
WORKER = re.compile(r'new URL\("(\.[\w./-]+\.js)", import\.meta\.url\)')
STYLES = "main.css"
"""The name of all style sheets, joined."""
PRELUDE = """const $modules = {};
const $kept = {};
const $use = (name) => ($kept[name] ??= $modules[name]());
const $lazy = async (folder, path) => $use(new URL(path, "file:///" + folder).pathname.slice(1));
"""
"""What a joined file begins with: the modules by name, what those that ran export, how one is had at once or later."""


class NotJoined(ValueError):
    """The modules cannot be joined; says why."""


@dataclass(frozen=True)
class Joined:
    """A joined file, as it is sent: compressed by gzip, with the ETag of its content."""

    body: bytes
    etag: str


class Bundle:
    """The joined files of a folder of modules and styles, kept until one of its files changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: object = None
        self._kept: dict[str, Joined] = {}

    def file(self, name: str) -> Joined:
        """A module with all that it imports, for NAME.js; all styles in the order of `styles`, for STYLES.

        Raises:
            NotJoined: where a module is missing, or modules import each other in a circle.
        """
        stamp = max(path.stat().st_mtime_ns for path in self._folder.rglob("*.*"))
        if stamp != self._stamp:
            self._stamp, self._kept = stamp, {}
        if name not in self._kept:
            if name == STYLES:
                text = self.styles()
            elif name in {path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*.js")}:
                text = joined(self._folder, name)
            else:
                raise NotJoined(f"there is no module {name}")
            etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'
            self._kept[name] = Joined(gzip.compress(text.encode(), 6), etag)
        return self._kept[name]

    def styles(self) -> str:
        """All style sheets, that of the tokens first, then by name."""
        sheets = sorted(self._folder.rglob("*.css"), key=lambda path: (path.name != "tokens.css", path.name))
        return "\n".join(f"/* {path.name} */\n{path.read_text()}" for path in sheets)


def joined(folder: Path, entry: str) -> str:
    """The module `entry` of a folder with all that it imports, as one module that exports the same names.

    Raises:
        NotJoined: where a module is missing, or modules import each other in a circle.
    """
    texts: dict[str, str] = {}
    exports: dict[str, list[str]] = {}

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise NotJoined(f"modules import each other in a circle: {' → '.join([*path, name])}")
        if name in texts:
            return
        try:
            source = (folder / name).read_text()
        except OSError:
            raise NotJoined(f"{path[-1] if path else 'the page'} imports {name}, which does not exist") from None
        for match in IMPORT.finditer(source):
            add(beside(name, match["path"]), (*path, name))
        texts[name], exports[name] = wrapped(name, source, entry)
        if LAZY.search(source):
            for lazy in LAZY_PATH.findall(source):
                add(beside(name, lazy), ())

    add(entry, ())
    names = ", ".join(exports[entry])
    last = f"export const {{ {names} }} = $use({json.dumps(entry)});\n" if names else f"$use({json.dumps(entry)});\n"
    return PRELUDE + "".join(texts.values()) + last


def beside(name: str, path: str) -> str:
    """The name, from the folder, of the module that `name` imports as `path`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def wrapped(name: str, source: str, entry: str) -> tuple[str, list[str]]:
    """A module's source as a function of $modules, and the names that it exports.

    A worker's address is written anew, since the joined file lies where its `entry` does.
    """

    def imported(match: re.Match[str]) -> str:
        use = f"$use({json.dumps(beside(name, match['path']))});"
        names = re.sub(r"\s+as\s+", ": ", match["names"] or "").strip()
        return f"const {{ {names} }} = {use}" if names else use

    exported = [match["name"] for match in EXPORT.finditer(source)]
    body = EXPORT.sub("", IMPORT.sub(imported, source))
    folder = name[: name.rfind("/") + 1]
    home = posixpath.dirname(entry) or "."
    body = WORKER.sub(
        lambda match: f'new URL("./{posixpath.relpath(beside(name, match[1]), home)}", import.meta.url)', body
    )
    body = LAZY.sub(f"$lazy({json.dumps(folder)}, ", body)
    if re.search(r"^(import|export)\b", body, re.MULTILINE):
        raise NotJoined(f"{name} has an import or export of a form that is not understood")
    return f"$modules[{json.dumps(name)}] = () => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}};\n", exported
