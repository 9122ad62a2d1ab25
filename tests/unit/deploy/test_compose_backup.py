"""The services of the compose file that take backups and restore them."""

import re
from pathlib import Path

from deploy.docker.inside.bootstrap import BACKUP_ROLE, READERS
from tests.support.compose_file import ROOT, SERVICES, mounts


def test_backups_are_read_where_they_are_written() -> None:
    backup, restore = SERVICES["backup"], SERVICES["restore"]
    scripts = ROOT / "deploy/backup"
    for name, service in (("backup", backup), ("restore", restore)):
        assert service["profiles"] == [name]
        assert service["image"] == SERVICES["postgres"]["image"]
        assert mounts(name)[str(Path(service["entrypoint"][1]).parent)] == "./deploy/backup"
        assert (scripts / Path(service["entrypoint"][1]).name).is_file()
        folder = service["environment"]["BACKUP_FOLDER"]
        assert mounts(name)[folder] == "backups"
    data = restore["environment"]["PGDATA"]
    assert mounts("restore")[data] == mounts("postgres")[data] == "postgres-data"
    assert restore["network_mode"] == "none"
    rules = (scripts / "pg_hba.conf").read_text()
    assert f"host    replication  {BACKUP_ROLE}  all      scram-sha-256" in rules
    for setting in ("hba_file=/etc/speechgate/backup/pg_hba.conf", "max_slot_wal_keep_size=4GB"):
        assert setting in SERVICES["postgres"]["command"]


def test_new_volumes_of_secrets_take_the_owner_of_a_folder_of_the_image() -> None:
    made = re.search(
        r"for reader in ([\w ]+); do", (ROOT / "deploy/docker/gateway.Dockerfile").read_text()
    )
    assert made is not None
    assert tuple(made[1].split()) == READERS
