"""The issuer is down, the service lies, clients crawl: a good caller notices nothing."""

from pathlib import Path

from tests.soak import issuer, service, slow
from tests.soak.trial import Trial


def test_a_sick_issuer_harms_nobody_whose_key_is_known(tmp_path: Path) -> None:
    trial = Trial("issuer")
    issuer.run(trial, tmp_path, patience=0.0)
    assert trial.broken == []


def test_a_broken_service_gives_502_or_504_or_a_visible_cut_and_never_anothers_answer(tmp_path: Path) -> None:
    trial = Trial("service")
    service.run(trial, tmp_path, times=1)
    assert trial.broken == []


def test_slow_clients_are_cut_off_and_a_good_one_is_served(tmp_path: Path) -> None:
    trial = Trial("slow")
    slow.run(trial, tmp_path, each=5, idle=50)
    assert trial.broken == []
