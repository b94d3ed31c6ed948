"""A state directory with a stored revision and a few decisions on record, sealed and signed."""

import os
import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from gateway.app import revisions
from gateway.audit import Index, Ledger, Sealer, Settings, Signer
from gateway.config import load
from gateway.facts import Facts, Grade, Outcome, Permit, Refused, Revealed, Warrant
from gateway.policy import Policy
from tests.audit.world import OUTCOME, live, seal_all
from tests.literals import NOW, a_subject, an_ask, some_facts

SIGNER = Signer("gateway/audit", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))

WITHHELD = Outcome(
    502, 0, 0, True, "residual_identifier", Revealed(residual=("phone",)), 0.001, 0.0043833589952555485, "phone"
)


class Kept(Struct, frozen=True):
    """Where the state is, and the ids of the decisions in it by what they are."""

    state: Path
    config: Path
    ids: dict[str, str]


def keep(folder: Path, project: Path) -> Kept:
    """A clerk reads a household; the same with one factor; a stranger; one forged; an answer that was withheld."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("state"))
    config_file, state = folder / "gateway.yaml", folder / "kept"
    config_file.write_text(config_file.read_text("utf-8").replace("mode: observe", "mode: enforce"), "utf-8")
    config = load(config_file, os.environ)
    compiled = revisions.store(state, config.policies, config.apis, NOW)
    policy = Policy(compiled.bundle)
    ids: dict[str, str] = {}

    def facts(**changes: object) -> Facts:
        ask = an_ask(api=config.apis[0].name, path="/civil/households/42", host="127.0.0.1", source="10.0.0.1")
        subject = replace(a_subject(org="prov/civil", clearance=Grade.CORE), **changes)
        return some_facts(ask=ask, subject=subject, asset=compiled.catalog.locate(ask))

    async def story(ledger: Ledger) -> None:
        for name, asked in (
            ("allowed", facts()),
            ("step_up", facts(assurance=1)),
            ("stranger", facts(id="mallory", roles=("clrek",))),
        ):
            decision = policy.decide(asked)
            said = await ledger.commit(asked, decision)
            assert isinstance(said, Warrant | Refused)
            ids[name] = said.id
            if isinstance(said, Warrant):
                ledger.conclude(said.id, OUTCOME)
        permit = policy.decide(facts())
        assert isinstance(permit, Permit)
        forged = await ledger.commit(facts(roles=("doctor",)), permit)  # the facts do not carry this permit
        assert isinstance(forged, Warrant)
        ids["forged"] = forged.id
        withheld = await ledger.commit(facts(), permit)
        assert isinstance(withheld, Warrant)
        ids["withheld"] = withheld.id
        ledger.conclude(withheld.id, WITHHELD)

    settings = Settings(state)
    live(settings, story).close()
    sealer = Sealer(settings, SIGNER)
    entries = seal_all(sealer)
    sealer.close()
    index = Index(state / "index.db")
    index.add(0, entries)
    index.close()
    return Kept(state, config_file, ids)
