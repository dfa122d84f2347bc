"""Style is a test: sizes, names, pages, and nothing of one machine in the tree. Each failure says its remedy.

A new exception to a rule is added here, with its reason.
"""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 500
FUNCTION_LINES = 70
LINE_CHARACTERS = 119

# Folders that git ignores (.gitignore), and git's own.
IGNORED = {".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", "build", "typings"}

# Path -> why it may be longer than FILE_LINES.
LONG_FILES = {
    "protocol/messages.py": "a table: every message of the wire in one place",
    "requirements.lock": "made by `make lock`",
}

DOCSTRING_LINES = 12
NO_DOCSTRING = {"device/lib/typing.py"}  # one flashed line

# A name that says nothing -> what to do instead.
BANNED_NAMES = {
    "utils": "name the idea: what do these functions have in common?",
    "util": "name the idea: what do these functions have in common?",
    "helpers": "put each function beside the code it serves, or name the idea",
    "helper": "put each function beside the code it serves, or name the idea",
    "manager": "say what it does: a keeper? a table? a queue?",
    "common": "name the third thing that both sides need",
    "misc": "every file holds one idea; find this one's",
    "data": "say which: a record, a message, a row, bytes?",
    "stuff": "say which",
}

# What must not stand in any file -> the remedy. Written in halves, so that this file passes its own test.
BANNED_WORDS = {
    r"\bTO" r"DO\b": "do it, or open an issue",
    r"\bFIX" r"ME\b": "fix it, or open an issue",
    r"\bXX" r"X\b": "say it in words",
    r"NotImplemented" r"Error": "leave it out until it is there; an abstract method belongs in a Protocol",
    r"print_?debug" r"|breakpoint\(" r"\)": "remove it",
    r"(?<![\w/.~])/(?:wo"
    r"rk|ro"
    r"ot|ho"
    r"me/\w+|Us"
    r"ers/\w+)/[\w.]+": "a path of one machine: relative, or from the environment",
    r"(?:files\.python" r"hosted|pypi\.(?:or" r"g|io)|registry\.npm" r"js|de" r"b\.debian)\b": (
        "names a package registry: leave it to the machine's own settings"
    ),
    r"BEGIN (?:EC |RSA |OPENSSH )?PRIVATE" r" KEY": "a secret: make it when the test runs",
}
# Only in our own source, not in tables of licences and words: ways to pass by a test.
BANNED_IN_TESTS = {
    r"pytest\.mark\.(?:sk"
    r"ip|xf"
    r"ail)|pytest\.sk"
    r"ip\(": "a test that is not run proves nothing: mend it or delete it",
    r"unittest\.mo" r"ck": "real parts, real sockets, a small record in place of a mock",
    # A limit made smaller, to wait less, is no mock: CONSTANTS may be set.
    r"mon" r"keypatch\.setattr\((?!\"[\w.]+\.[A-Z_]+\")": "pass the other thing in as an argument",
}
# Path -> why it may leave a test out.
LEFT_OUT = {
    "tests/pages/conftest.py": "where no Chromium can be had: it says why; CI on Debian must have one, and fails",
}

TEXT_ENDINGS = {
    ".py",
    ".md",
    ".toml",
    ".js",
    ".css",
    ".html",
    ".svg",
    ".sql",
    ".json",
    ".yaml",
    ".yml",
    ".lock",
    ".txt",
    ".conf",
    "",
}


def project_files() -> list[Path]:
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in IGNORED and not name.endswith(".egg-info")]
        # In a worktree, git's own is a file.
        found += [Path(folder, name) for name in names if name not in IGNORED and not name.endswith(".pyc")]
    return sorted(found)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


FILES = project_files()
TEXTS = [path for path in FILES if path.suffix in TEXT_ENDINGS]
SOURCES = [path for path in FILES if path.suffix == ".py"]
CODE = [path for path in FILES if path.suffix in {".py", ".js", ".css", ".html", ".sql"}]
TESTS = [path for path in SOURCES if relative(path).startswith("tests/")]


def tell(problems: list[str]) -> None:
    """All of them at once: nobody likes to be told of one at a time."""
    assert not problems, "\n" + "\n".join(problems)


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kinds)]


def test_every_file_is_small():
    sizes = {relative(path): path.read_text(encoding="utf-8").count("\n") for path in CODE}
    tell(
        [
            f"{name} has {lines} lines, {FILE_LINES} at most: find its second idea and give it a file"
            for name, lines in sizes.items()
            if lines > FILE_LINES and name not in LONG_FILES
        ]
    )


def test_every_function_is_small():
    tell(
        [
            f"{relative(path)}:{node.lineno}: {node.name} has more than {FUNCTION_LINES} lines: "
            "branch here, and put the straight lines into functions of their own"
            for path in SOURCES
            for node in functions_of(path)
            if not isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
        ]
    )


def test_lines_fit_a_screen():
    tell(
        [
            f"{relative(path)}:{number} has more than {LINE_CHARACTERS} characters: two sentences, or two names?"
            for path in SOURCES
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if len(line) > LINE_CHARACTERS
        ]
    )


def test_files_and_folders_say_what_they_hold():
    tell(
        [
            f"{relative(path)}: {word}: {BANNED_NAMES[word]}"
            for path in FILES
            for word in (path.stem, *path.relative_to(ROOT).parts[:-1])
            if word in BANNED_NAMES
        ]
    )


def test_classes_and_functions_say_what_they_are():
    problems: list[str] = []
    for path in SOURCES:
        for node in functions_of(path):
            last = (re.findall(r"[A-Z]?[a-z0-9]+", node.name) or [""])[-1].lower()
            if last in BANNED_NAMES and last != "data" and not node.name.startswith("test_"):
                problems.append(f"{relative(path)}:{node.lineno}: {node.name}: {BANNED_NAMES[last]}")
    tell(problems)


def test_every_module_opens_with_what_it_is_for():
    problems: list[str] = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if not text.strip() or relative(path) in NO_DOCSTRING:
            continue
        docstring = ast.get_docstring(ast.parse(text)) or ""
        if not docstring:
            problems.append(f"{relative(path)} has no module docstring: what is it for, which rule does it keep?")
        if docstring.count("\n") >= DOCSTRING_LINES:
            problems.append(f"{relative(path)}: a long docstring: what does not fit belongs in the folder's README")
    tell(problems)


@pytest.mark.parametrize("pattern", sorted(BANNED_WORDS))
def test_nothing_stays_that_should_not(pattern: str):
    tell(
        [
            f"{relative(path)}: {found.group(0)!r}: {BANNED_WORDS[pattern]}"
            for path in TEXTS
            if (found := re.search(pattern, path.read_text(encoding="utf-8", errors="replace")))
        ]
    )


def test_tests_are_run_and_run_for_real():
    tell(
        [
            f"{relative(path)}: {found.group(0)!r}: {remedy}"
            for path in TESTS
            if relative(path) not in LEFT_OUT
            for pattern, remedy in BANNED_IN_TESTS.items()
            if (found := re.search(pattern, path.read_text(encoding="utf-8")))
        ]
    )


def test_test_names_are_sentences():
    tell(
        [
            f"{relative(path)}:{node.lineno}: {node.name}: write the sentence it proves, "
            "like test_a_door_that_never_opens_is_reported"
            for path in TESTS
            for node in functions_of(path)
            if node.name.startswith("test_") and len(node.name.split("_")) < 4
        ]
    )


def test_test_files_have_names_of_their_own():
    names = [path.name for path in TESTS if path.name.startswith("test_")]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"two test files named {twice}: pytest needs one name each"


def test_every_top_level_folder_explains_itself():
    folders = {relative(path).split("/")[0] for path in FILES if "/" in relative(path)}
    for folder in sorted(name for name in folders if not name.startswith(".")):
        readme = ROOT / folder / "README.md"
        assert readme.exists(), f"{folder}/ has no README.md: what is in it, where does one start, which rules hold?"


def test_the_project_has_the_pages_that_people_look_for():
    pages = ("README", "ARCHITECTURE", "CHANGELOG", "SECURITY", "CONTRIBUTING")
    for name in [*(f"{page}.md" for page in pages), "LICENSE"]:
        assert (ROOT / name).exists(), f"{name} is missing"


def test_links_between_pages_lead_somewhere():
    for path in [path for path in FILES if path.suffix == ".md"]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (path.parent / target).exists(), f"{relative(path)} links to {target}, which is not there"


def test_pages_name_only_files_that_are_there():
    named = re.compile(r"`((?:protocol|device|gateway|tools|tests)/[\w./]+)`")
    tell(
        [
            f"{relative(path)} names {name}, which is not there"
            for path in FILES
            if path.suffix == ".md"
            for name in named.findall(path.read_text(encoding="utf-8"))
            if not (ROOT / name).exists()
        ]
    )


def test_the_readme_names_only_commands_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in [path for path in FILES if path.suffix == ".md"]:
        for target in re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")):
            assert target in targets, f"{relative(path)} speaks of `make {target}`, which the Makefile lacks"


def test_nothing_big_or_made_is_kept():
    for path in FILES:
        assert path.stat().st_size < 400_000, f"{relative(path)} is big: make it when it is needed"
        assert path.suffix not in {".deb", ".whl", ".mpy", ".db", ".img", ".log", ".pem", ".key"}, (
            f"{relative(path)} is made by a command: leave it out, and name it in .gitignore"
        )
