"""Every migration leaves the release before it at work; see docs/operations/migrations.md."""

from pathlib import Path

import pytest

from shared.db.check import DEPLOYABLES, ROOT
from tests.support.migration_rules import breaking_steps, unmarked

MIGRATIONS = sorted(
    path for name in DEPLOYABLES for path in (ROOT / name / "migrations/versions").glob("*.py")
)
HEAD = "import sqlalchemy as sa\nfrom alembic import op\n\n\ndef upgrade() -> None:\n"
ADDED = '    op.add_column("calls", sa.Column("mood", sa.Integer()))\n'


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_are_migrations() -> None:
    assert len(MIGRATIONS) > 10


@pytest.mark.parametrize("path", MIGRATIONS, ids=name_of)
def test_a_migration_breaks_no_process_of_the_release_before_it(path: Path) -> None:
    assert unmarked(path) == []


@pytest.mark.parametrize(
    "step",
    [
        'op.drop_column("calls", "roles")',
        'op.drop_table("calls")',
        'op.rename_table("calls", "talks")',
        'op.drop_constraint("uq_plans_name", "plans")',
        'op.alter_column("calls", "roles", new_column_name="parts")',
        'op.alter_column("calls", "roles", nullable=False)',
        'op.alter_column("calls", "roles", type_=sa.Text())',
        'op.add_column("calls", sa.Column("mood", sa.Integer(), nullable=False))',
        'op.create_unique_constraint("uq_calls_asr_id", "calls", ["asr_id"])',
        'op.create_check_constraint("ck_calls_x", "calls", "duration_s > 0")',
        'op.create_foreign_key("fk_calls_x", "calls", "plans", ["plan"], ["id"])',
        'op.create_index("ix_calls_x", "calls", ["asr_id"], unique=True)',
        'op.execute("ALTER TABLE calls DROP COLUMN roles")',
        'op.execute("alter table calls rename column roles to parts")',
        'op.execute("ALTER TABLE calls ALTER COLUMN roles SET NOT NULL")',
        'op.execute("ALTER TABLE calls ALTER COLUMN roles TYPE text")',
        'op.execute("ALTER TABLE calls ADD COLUMN mood INTEGER NOT NULL")',
        'op.execute("CREATE UNIQUE INDEX ix_calls_x ON calls (asr_id)")',
        'op.execute("DELETE FROM calls")',
        'with op.batch_alter_table("calls") as batch:\n        batch.drop_column("roles")',
    ],
)
def test_what_breaks_an_old_process_is_found(step: str) -> None:
    assert [one.reason for one in breaking_steps(f"{HEAD}    {step}\n")] == [""]


@pytest.mark.parametrize(
    "step",
    [
        'op.create_table("moods", sa.Column("id", sa.Integer(), nullable=False))',
        'op.add_column("calls", sa.Column("mood", sa.Integer(), nullable=True))',
        'op.add_column("calls", sa.Column("mood", sa.Integer()))',
        'op.add_column("calls", sa.Column("m", sa.Integer(), nullable=False, server_default="0"))',
        'op.alter_column("calls", "roles", nullable=True)',
        'op.create_index("ix_calls_x", "calls", ["asr_id"])',
        'op.drop_index("ix_calls_x", "calls")',
        'op.execute("ALTER TABLE calls ADD COLUMN mood INTEGER NOT NULL DEFAULT 0")',
        'op.execute("ALTER TABLE calls ADD COLUMN mood INTEGER REFERENCES plans (id)")',
    ],
)
def test_what_an_old_process_does_not_notice_is_let_through(step: str) -> None:
    assert breaking_steps(f"{HEAD}    {step}\n") == []


def test_a_table_of_the_same_migration_has_no_old_process() -> None:
    source = (
        f'{HEAD}    op.create_table("moods", sa.Column("id", sa.Integer()))\n'
        '    op.create_unique_constraint("uq_moods_id", "moods", ["id"])\n'
        '    op.create_index("ix_moods_id", "moods", ["id"], unique=True)\n'
    )
    assert breaking_steps(source) == []


def test_the_way_back_may_take_away() -> None:
    source = f'{HEAD}{ADDED}\n\ndef downgrade() -> None:\n    op.drop_column("calls", "mood")\n'
    assert breaking_steps(source) == []


def test_a_step_in_a_helper_is_found() -> None:
    source = f'{HEAD}    _more()\n\n\ndef _more() -> None:\n    op.drop_table("calls")\n'
    assert [step.problem for step in breaking_steps(source)] == ["drops a table"]


@pytest.mark.parametrize(
    ("mark", "wrong"),
    [
        ("# contract: nothing reads it since release 0.2", 0),
        ("# contract: unused", 1),
        ("# contract:", 1),
        ("# nothing reads it since release 0.2", 1),
    ],
)
def test_a_contract_step_says_why_it_may(tmp_path: Path, mark: str, wrong: int) -> None:
    path = tmp_path / "0009_contract.py"
    drop = 'op.drop_column("calls", "roles")'
    for body in (f"    {mark}\n    {drop}\n", f"    {drop}  {mark}\n"):
        path.write_text(HEAD + body)
        assert len(unmarked(path)) == wrong


def test_expanding_and_contracting_are_two_migrations(tmp_path: Path) -> None:
    path = tmp_path / "0009_both.py"
    reason = "# contract: nothing reads it since release 0.2"
    path.write_text(f'{HEAD}{ADDED}    op.drop_column("calls", "roles")  {reason}\n')
    assert unmarked(path) == [
        f"{path.name} expands and contracts: these belong to different releases"
    ]
