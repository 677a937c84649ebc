from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

from taps.engine.start import quick_imports

START = """
import json, pickle, sys
from importlib.util import _LazyModule
from taps.engine.start import quick_imports

with quick_imports():
    import taps.helpdesk.tap

def late():
    return sorted(name for name, module in list(sys.modules.items()) if type(module) is _LazyModule)

import logging
before = late()
used = [logging.config.dictConfig, sys.modules["pydoc"].TextDoc, sys.modules["singer_sdk.about"].AboutInfo]
assert pickle.loads(pickle.dumps(used)) == used
print(json.dumps([before, late()]))
"""


def test_the_collector_and_the_finders_are_as_before_even_if_an_import_fails() -> None:
    finders = list(sys.meta_path)
    with pytest.raises(ModuleNotFoundError), quick_imports():
        __import__("no_such_module" if not gc.isenabled() else "json")
    assert gc.isenabled()
    assert sys.meta_path == finders


def test_what_is_seldom_used_is_there_when_it_is_used() -> None:
    output = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True).stdout
    before, after = json.loads(output)
    # A name that is missing is not imported any more, or is used at once: it should go from the list.
    assert before == ["configparser", "logging.config", "pydoc", "singer_sdk.about"]
    assert after == ["configparser"]
