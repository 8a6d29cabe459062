"""One database URL to Django's settings, with what each engine needs to keep the apps' promises."""

from typing import Any

import environ

WAIT_FOR_LOCK = 20  # seconds; shorter and three SQLite writers meet "database is locked"
CONNECT_TIMEOUT = 5  # seconds


def database(url: str) -> dict[str, Any]:
    """Return one entry of `DATABASES` for a URL such as `postgres://user@host/name`.

    SQLite writes ahead and takes its write lock at the start of a transaction; MariaDB compares text byte by byte
    and refuses what does not fit a column.
    """
    config: dict[str, Any] = environ.Env.db_url_config(url)
    engine = config["ENGINE"].rpartition(".")[2]
    if engine == "sqlite3":
        config["OPTIONS"] = {
            "timeout": WAIT_FOR_LOCK,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    elif engine == "postgresql":
        config["OPTIONS"] = {"connect_timeout": CONNECT_TIMEOUT, **config.get("OPTIONS", {})}
    elif engine == "mysql":
        config["OPTIONS"] = {
            "connect_timeout": CONNECT_TIMEOUT,
            "charset": "utf8mb4",
            "collation": "utf8mb4_bin",
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES'",
            "isolation_level": "read committed",
        }
        config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
    return config
