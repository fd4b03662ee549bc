#!/usr/bin/env python3
"""House rules that no compiler checks: include direction, lengths, left-over marks, files that nothing builds."""
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))

# What each folder may include, besides itself. Within the engine, the libraries have an order too.
MAY_INCLUDE = {
    "base": set(),
    "wal": {"base"},
    "snapshot": {"base"},
    "engine": {"base", "wal", "snapshot"},
    "server": {"base", "wal", "snapshot", "engine"},
    "tools": {"base", "wal", "snapshot", "engine", "server"},
}
FREE = {"tests", "bench"}  # may include everything but tools' mains
ENGINE_ORDER = ["values", "codec", "keyspace", "commands", ""]  # "" is engine/*.h; each may include what stands before it
# The values and the dictionary share the entry's bytes, and commands and store share the client and the options.
ENGINE_SHARED = re.compile(r"engine/(client\.h|store_options\.h|keyspace/(entry|entry_codec|key_ref|change_scope)\.h)$")

HEADER_LINES_MAX = 250
SOURCE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
COMMENT_COLUMNS_MAX = 140  # code is the formatter's business
MARK = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
PLACES = re.compile(r"/(home|root|work|Users)/\w+")


def sources():
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.h", "*.cc"],
                             cwd=ROOT, capture_output=True, text=True)
    if listing.returncode == 0:
        files = listing.stdout.split()
    else:
        files = []
        for folder in [*MAY_INCLUDE, *FREE]:
            for directory, _, names in os.walk(os.path.join(ROOT, folder)):
                files += [os.path.relpath(os.path.join(directory, n), ROOT) for n in names if n.endswith((".h", ".cc"))]
    return sorted(f for f in files if os.path.exists(os.path.join(ROOT, f)) and "node_modules" not in f)


def engine_part(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else ""


def check_include(path, number, target, problems):
    folder, target_folder = path.split("/")[0], target.split("/")[0]
    where = f"{path}:{number}"
    if target.endswith((".pb.h",)):
        target_folder = target.split("/")[0]
    elif folder in FREE and os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
        return
    elif not os.path.exists(os.path.join(ROOT, target)):
        problems.append(f'{where}: "{target}" is no path from the root')
        return
    if folder in FREE:
        return
    if target_folder != folder and target_folder not in MAY_INCLUDE[folder]:
        problems.append(f"{where}: {folder} must not include {target_folder}")
    if folder == target_folder == "engine" and not ENGINE_SHARED.search(target):
        mine, theirs = engine_part(path), engine_part(target)
        if mine in ENGINE_ORDER and theirs in ENGINE_ORDER and ENGINE_ORDER.index(theirs) > ENGINE_ORDER.index(mine):
            problems.append(f"{where}: engine/{mine} must not include engine/{theirs or '*.h'}")


def check_functions(path, lines, problems):
    """A function is a block that opens at the start of a line's level 0 or in a class and is not a namespace, class or table."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"^(\S.*)\)\s*(const|noexcept|override|CAIRN_\w+(\([^)]*\))?|\s)*\{$", line) and not line.startswith("#"):
            start = number
        elif start is not None and line.startswith("}"):
            if number - start + 1 > FUNCTION_LINES_MAX:
                problems.append(f"{path}:{start}: function of {number - start + 1} lines, at most {FUNCTION_LINES_MAX}")
            start = None


def main():
    problems = []
    files = sources()
    if len(files) < 20:
        problems.append(f"only {len(files)} sources found: this test looks in the wrong place")
    for path in files:
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            lines = f.read().split("\n")
        limit = HEADER_LINES_MAX if path.endswith(".h") else SOURCE_LINES_MAX
        if len(lines) - 1 > limit:
            problems.append(f"{path}: {len(lines) - 1} lines, at most {limit}")
        if path.endswith(".h") and not any(line.startswith("#pragma once") for line in lines):
            problems.append(f"{path}: no #pragma once")
        if path.endswith(".h") and not lines[0].startswith("//"):
            problems.append(f"{path}: a header begins with what it is for")
        for number, line in enumerate(lines, 1):
            include = INCLUDE.match(line)
            if include:
                check_include(path, number, include.group(1), problems)
            if MARK.search(line):
                problems.append(f"{path}:{number}: left-over mark {MARK.search(line).group(0)}")
            if len(line) > COMMENT_COLUMNS_MAX and line.lstrip().startswith("//"):
                problems.append(f"{path}:{number}: {len(line)} columns, at most {COMMENT_COLUMNS_MAX}")
            if PLACES.search(line):
                problems.append(f"{path}:{number}: a path of one machine: {PLACES.search(line).group(0)}")
        check_functions(path, lines, problems)
    for problem in problems:
        print(problem)
    print(f"{len(files)} sources, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
