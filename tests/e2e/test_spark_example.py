"""The example for Spark, run by `spark-submit`: its Parquet files have what the accounts have, each its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
import pytest
import spark_session
from compared import schema_of
from loaders import Row, differences
from spark_frame import Frame

from support import ROOT, command
from taps.sandbox.accounts import SandboxAccounts
from taps_under_test import TAPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from taps.sandbox.server import Sandbox

ACCOUNTS = 50
EXAMPLE = ROOT / "examples" / "spark" / "load_accounts.py"
STREAMS = ("tickets", "conversations")


class Parquet(Frame):
    """The files of an account, by a reader that is not Spark's."""

    def __init__(self, account: str, output: Path) -> None:
        self.account, self.output = account, output

    def rows(self, stream: str) -> list[Row]:
        table = ds.dataset(self.output / stream, partitioning="hive").to_table(
            filter=ds.field("account") == self.account
        )
        rows: list[Row] = table.drop_columns(["account"]).to_pylist()
        return rows


class Submitted:
    """The accounts, and what `spark-submit` made of them in a folder."""

    def __init__(self, accounts: SandboxAccounts, folder: Path) -> None:
        self.accounts, self.folder = accounts, folder
        self.output = folder / "output"

    def run(
        self, listed: Sequence[Mapping[str, Any]], *, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        given = self.folder / "accounts.json"
        given.write_text(json.dumps(listed))
        told = ("--conf", "spark.ui.enabled=false", "--conf", "spark.driver.host=127.0.0.1")
        job = (EXAMPLE, given, self.output, "--option", "backoff_factor=0")
        done = subprocess.run(
            [command("spark-submit"), "--master", "local[2]", *told, *job],
            env={**os.environ, "PYSPARK_PYTHON": sys.executable, **(env or {})},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert "sandbox-key" not in done.stdout + done.stderr
        return done

    def files(self) -> set[Path]:
        """Those that readers see: a task that still ran when its job was given up may leave a folder of Spark's own."""
        found = self.output.rglob("*.parquet")
        return {path for path in found if not any(part.startswith(".spark-staging") for part in path.parts)}

    def differences(self, name: str) -> list[str]:
        lines: list[str] = []
        for stream in TAPS[0].streams:
            if stream.name in STREAMS:
                fields = schema_of(TAPS[0], stream)["properties"]
                held = records_of(self.accounts[name], stream.name)
                lines += differences(Parquet(name, self.output), stream, fields, held, syncs=1)
        return lines


def records_of(account: Sandbox, stream: str) -> list[Row]:
    held: list[Row] = json.loads(json.dumps(account.helpdesk.records(stream)), parse_float=Decimal)
    return held


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitted]:
    if not spark_session.java_is_there():
        pytest.skip(spark_session.NEEDED)
    with SandboxAccounts("helpdesk", ACCOUNTS, size=40, page_cap=20) as accounts:
        made = Submitted(accounts, tmp_path_factory.mktemp("spark-example"))
        done = made.run(accounts.listed)
        assert done.returncode == 0, done.stderr
        yield made


def test_each_account_has_its_rows_once(submitted: Submitted) -> None:
    for stream in STREAMS:
        folders = {f"account={name}" for name in submitted.accounts}
        assert {path.name for path in (submitted.output / stream).iterdir() if path.is_dir()} == folders
    for name in submitted.accounts:
        assert submitted.differences(name) == []


def test_an_account_that_cannot_be_read_leaves_all_files_as_they_were(submitted: Submitted) -> None:
    before = submitted.files()
    submitted.accounts["account-07"].helpdesk.change(tickets=3, new=2)
    good, bad = submitted.accounts.listed[6:8]
    done = submitted.run([good, {**bad, "api_key": "not-the-key"}])
    assert done.returncode != 0
    told = done.stderr.strip().splitlines()
    assert "Account 'account-08'" in " ".join(told)
    assert "401" in " ".join(told)
    assert "not-the-key" not in done.stdout + done.stderr
    assert submitted.files() == before
    assert submitted.differences("account-07") != []  # its rows are those of before it changed

    # The same again, with what was wrong put right, and a key out of the environment.
    done = submitted.run([good, {**bad, "api_key": {"env": "KEY_OF_08"}}], env={"KEY_OF_08": bad["api_key"]})
    assert done.returncode == 0, done.stderr
    replaced = {path.parent.name for path in before - submitted.files()}
    assert replaced == {"account=account-07", "account=account-08"}
    for name in ("account-06", "account-07", "account-08"):
        assert submitted.differences(name) == []
