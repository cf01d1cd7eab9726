"""What `make dist` refuses; CI runs it on what is committed."""

import io
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.test_documents import module_of

ROOT = Path(__file__).resolve().parent.parent
COMMITTED = ["README.md", "tests/test_a.py", ".ci/run"]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return module_of(ROOT / "scripts" / "build_dist.py")


def sdist(folder: Path, *names: str) -> Path:
    path = folder / "a-1.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(f"a-1/{name}"), io.BytesIO())
    return path


def test_an_sdist_holds_what_the_tests_need(build, tmp_path):
    build.require_complete(sdist(tmp_path, "README.md", "tests/test_a.py", "PKG-INFO"), COMMITTED)


def test_an_sdist_that_lacks_a_committed_file_is_refused(build, tmp_path):
    with pytest.raises(build.DistributionError, match=r"the sdist lacks tests/test_a\.py"):
        build.require_complete(sdist(tmp_path, "README.md"), COMMITTED)
