"""PostgreSQL through asyncpg: a pool that survives restarts of the database, named queries, migrations, notifications.

The only importer of asyncpg. Owns connections and the translation of their failures into `plotter2.errors`. Refuses to
know a table: SQL and rows belong to the store that uses this.
"""

from __future__ import annotations

from plotter2.pg.database import Connection, Database, Line, Row
from plotter2.pg.doorbell import Doorbell
from plotter2.pg.migrations import migrate
from plotter2.pg.queries import Queries

__all__ = ["Connection", "Database", "Doorbell", "Line", "Queries", "Row", "migrate"]
