"""Where the migrations of the ASR service's database are."""

from pathlib import Path

MIGRATIONS = Path(__file__).parents[1] / "migrations"
