from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest

from support import config_for
from taps.engine.start import quick_imports

if TYPE_CHECKING:
    from pathlib import Path

    from taps.sandbox.server import Sandbox

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
used = [logging.config.dictConfig, sys.modules["asyncio"].Lock, sys.modules["singer_sdk.about"].AboutInfo]
assert pickle.loads(pickle.dumps(used)) == used
print(json.dumps([before, late()]))
"""


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_collector_and_the_finders_are_as_before_even_if_an_import_fails() -> None:
    finders = list(sys.meta_path)
    with pytest.raises(ModuleNotFoundError), quick_imports():
        __import__("no_such_module" if not gc.isenabled() else "json")
    assert gc.isenabled()
    assert sys.meta_path == finders


def test_what_is_seldom_used_is_there_when_it_is_used() -> None:
    before, after = json.loads(run(START))
    # A name that is missing is not imported any more, or is used at once: it should go from the list.
    assert before == ["asyncio", "logging.config", "singer_sdk.about"]
    assert after == []


def test_packages_for_batches_and_targets_are_imported_by_their_first_call_alone() -> None:
    # Where the SDK imports them in another way, or not at all, this shows it.
    output = run("""
import sys
from taps.engine.start import quick_imports

with quick_imports():
    import taps.helpdesk.tap

from singer_sdk import target_base
from singer_sdk.helpers import _batch

packages = ["fsspec", "upath", "joblib", "multiprocessing"]
print([name for name in packages if name in sys.modules])
print(type(_batch.UPath("/a") / "b").__module__.split(".")[0])
print([name for name in packages if name in sys.modules])
with target_base.parallel_config(backend="threading", n_jobs=2):
    print(target_base.Parallel()(target_base.delayed(len)(item) for item in ("a", "bc")))
import joblib, upath
print(joblib.Parallel.__module__, isinstance(_batch.UPath("/a"), upath.UPath))
""")
    assert output.splitlines() == ["[]", "upath", "['fsspec', 'upath']", "[1, 2]", "joblib.parallel True"]


def test_whoever_wants_something_else_of_such_a_package_gets_it() -> None:
    output = run("""
from taps.engine.start import quick_imports

with quick_imports():
    from upath import UPath, UnsupportedOperation

import upath
print(UnsupportedOperation is upath.UnsupportedOperation, isinstance(UPath("/a"), upath.UPath))
""")
    assert output == "True True\n"


def test_a_package_that_has_been_imported_before_stays_as_it_is() -> None:
    output = run("""
import joblib
from taps.engine.start import quick_imports

with quick_imports():
    from joblib import Parallel

import sys
print(sys.modules["joblib"] is joblib, Parallel is joblib.Parallel)
""")
    assert output == "True True\n"


def test_a_command_writes_batches(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    batches = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": f"file://{tmp_path}/out"}}
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_for(shared_sandbox, batch_config=batches)), encoding="utf-8")
    command = [str(PurePath(sys.executable).with_name("tap-helpdesk")), "--config", str(config)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    manifest = [
        file for line in lines if (message := json.loads(line))["type"] == "BATCH" for file in message["manifest"]
    ]
    assert manifest
    assert {file.rpartition("/")[0] for file in manifest} == {f"file://{tmp_path}/out"}
