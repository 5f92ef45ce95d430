"""Where files are kept: a bucket where the settings name one, else a folder."""

from dataclasses import dataclass, field
from pathlib import Path

from muster.kit.sources import SettingError, Source


@dataclass(frozen=True)
class Bucket:
    """A bucket of S3, or of what speaks like it. endpoint: None is Amazon's own for the region."""

    name: str
    region: str
    endpoint: str | None
    key_id: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Files:
    """Where files are kept. folder: where there is no bucket; every process of a deployment has to see the same one."""

    folder: Path
    bucket: Bucket | None


def read_files(source: Source, data_dir: Path) -> Files:
    """The settings. Raises SettingError for a bucket without its keys."""
    name = source.text("S3_BUCKET", "", "the bucket that files are kept in; without it, a folder of MUSTER_DATA_DIR")
    region = source.text("S3_REGION", "us-east-1", "where the bucket is")
    endpoint = source.address_or_none("S3_ENDPOINT", "who keeps the bucket; without it, Amazon")
    key_id = source.secret("S3_ACCESS_KEY_ID", None, "the key to the bucket") or ""
    secret = source.secret("S3_SECRET_ACCESS_KEY", None, "the secret of that key") or ""
    if name and not (key_id and secret):
        raise SettingError("S3_BUCKET is set: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, too.")
    bucket = Bucket(name, region, endpoint, key_id, secret) if name else None
    return Files(data_dir / "files", bucket)
