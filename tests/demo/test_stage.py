"""The stage is set for real, and cleared afterwards."""

from pathlib import Path

import httpx
import pytest

from gateway.demo.stage import NotUp, stage, workspace
from tests.running import free_port
from tests.test_layout import ROOT


def test_everything_is_up_and_gone_afterwards(tmp_path: Path) -> None:
    with stage(tmp_path, ROOT / "policies", "en", free_port(), 1, lambda line: None) as (place, crew):
        for one in crew:
            one.check()
        assert httpx.get(f"{place.gateway}/.gateway/health").text == "ok\n"
        assert httpx.get(f"{place.issuer}/jwks").json()["keys"]
        assert (place.state / "keys").stat().st_mode & 0o777 == 0o700
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{place.gateway}/.gateway/health")


def test_a_gateway_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    policies = tmp_path / "broken"
    policies.mkdir()
    with (
        pytest.raises(NotUp, match="gateway did not start"),
        stage(tmp_path, policies, "en", free_port(), 1, lambda line: None),
    ):
        pass


def test_a_process_that_ends_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    with stage(tmp_path, ROOT / "policies", "en", free_port(), 1, lambda line: None) as (_, crew):
        service = crew[0]
        with service.log.open("a") as log:
            log.write("my last words\n")
        service.process.kill()
        service.process.wait()
        with pytest.raises(NotUp, match=r"service ended \(exit code -9\); it said:\n(.*\n)*  my last words") as caught:
            service.check()
    assert caught.value.zh.startswith("service 已退出（退出码 -9），最后的输出：\n")


def test_a_folder_of_our_own_is_ours_to_remove(tmp_path: Path) -> None:
    folder, ours = workspace("")
    folder.rmdir()
    assert ours
    assert workspace(str(tmp_path / "kept")) == (tmp_path / "kept", False)
