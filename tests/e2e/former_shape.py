"""A data folder as an earlier version would have left it.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import pathlib
import sqlite3

MIGRATIONS = pathlib.Path(__file__).resolve().parents[2] / "src/store/migrations"


def put_back(path, first):
    """The same rows in a database of the shape before the migration `first`, "0010"."""
    former = path.with_name("former.db")
    scripts = sorted(one for one in MIGRATIONS.glob("*.sql") if one.name < first)
    with contextlib.closing(sqlite3.connect(former)) as store:
        store.execute("PRAGMA journal_mode = WAL")
        for script in scripts:
            store.executescript(script.read_text())
        store.execute("ATTACH ? AS newest", [str(path)])
        tables = [name for name, sql in store.execute(
            "SELECT name, sql FROM main.sqlite_master WHERE type = 'table'")
            if not name.startswith(("sqlite_", "passage_words"))]
        for table in tables:
            columns = ", ".join(row[1] for row in store.execute(f"PRAGMA table_info({table})"))
            store.execute(f"DELETE FROM main.{table}")
            store.execute(f"INSERT INTO main.{table} ({columns}) "
                          f"SELECT {columns} FROM newest.{table}")
        store.execute(f"PRAGMA main.user_version = {len(scripts)}")
        store.commit()
    for one in path.parent.glob(path.name + "*"):
        one.unlink()
    former.rename(path)
