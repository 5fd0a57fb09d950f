from __future__ import annotations

from pathlib import Path

import pytest

from guardrails import assets


def test_a_checkout_has_its_folders_beside_the_package():
    assert assets.folder("rules") == Path(assets.__file__).resolve().parent.parent / "rules"


def test_a_wheel_has_its_folders_inside_the_package(tmp_path):
    (tmp_path / "guardrails" / "_assets" / "rules").mkdir(parents=True)
    (tmp_path / "rules").mkdir()
    assert assets.folder("rules", tmp_path / "guardrails") == tmp_path / "guardrails" / "_assets" / "rules"


def test_a_missing_folder_is_told_with_a_remedy(tmp_path):
    with pytest.raises(assets.AssetError, match=r"rules: the folder is missing; install again: pip install"):
        assets.folder("rules", tmp_path / "guardrails")
