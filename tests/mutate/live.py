"""A mutant in the place of code that is loaded already. In: a file and its mutated text; this process then runs it.

Functions get the mutated code; text constants of modules (SQL) are replaced wherever a module holds them.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import CodeType, FunctionType

Functions = dict[tuple[str, str], list[FunctionType]]


def functions(files: set[str]) -> Functions:
    """Every living function of these files by file and qualified name."""
    gc.unfreeze()
    living: Functions = {}
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename in files:  # asking a lazy object wakes it
            living.setdefault((each.__code__.co_filename, each.__code__.co_qualname), []).append(each)
    return living


def put(file: Path, before: str, text: str, living: Functions) -> bool:
    """Whether anything that lives runs the mutated text now; `before` is what was loaded."""
    if file.suffix == ".sql":
        return _read_instead(file, text)
    plain, mutated = (compile(words, str(file), "exec", dont_inherit=True) for words in (before, text))
    placed = _constants(plain, mutated)
    mutants = _codes(mutated)
    for name, codes in _codes(plain).items():
        for old, new in zip(codes, mutants.get(name, []), strict=False):
            for function in living.get((str(file), name), []) if _differ(old, new) else []:
                if function.__code__.co_firstlineno == old.co_firstlineno:
                    function.__code__, placed = new, True
    return placed


def _codes(module: CodeType) -> dict[str, list[CodeType]]:
    """All code in a module by qualified name."""
    codes: dict[str, list[CodeType]] = {}
    waiting = [module]
    while waiting:
        for each in (each for each in waiting.pop(0).co_consts if isinstance(each, CodeType)):
            codes.setdefault(each.co_qualname, []).append(each)
            waiting.append(each)
    return codes


def _differ(old: CodeType, new: CodeType) -> bool:
    same_free = len(old.co_freevars) == len(new.co_freevars)  # otherwise the function around it brings the new one
    return same_free and (old.co_code, old.co_consts, old.co_names) != (new.co_code, new.co_consts, new.co_names)


def _constants(plain: CodeType, mutated: CodeType) -> bool:
    pairs = zip(plain.co_consts, mutated.co_consts, strict=False)
    changed = {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str) and old != new}
    holders = [
        (vars(module), name)
        for module in list(sys.modules.values())
        for name, held in list(vars(module).items())
        if type(held) is str and held in changed
    ]
    for names, name in holders:
        names[name] = changed[names[name]]
    return bool(holders)


def _read_instead(file: Path, text: str) -> bool:
    read = Path.read_text
    Path.read_text = lambda path, *args, **kw: text if path == file else read(path, *args, **kw)  # type: ignore[method-assign]
    return True
