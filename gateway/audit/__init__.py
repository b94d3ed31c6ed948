"""Remember it before it happens: a journal per process, one sealed ledger, proofs and answers.

entry       what exactly is remembered
chain       is a journal what its writer wrote
journal     is it on record (the ledger's near end, in every process)
disk        the few calls that the journal makes
reader      what does this entry say, when the last thousand said almost the same
merkle      one number for all entries, and proofs
checkpoint  who vouches for it
shelf       the ledger's files
sealer      one order that nobody can change afterwards (in the control process)
verify      is the ledger what was signed, and whole
tail        what was just recorded
index       one entry among millions
fields      what can be asked for
query       what does the auditor ask
seen        who was shown records about this citizen
"""

from gateway.audit.checkpoint import Checkpoint, Signer, Sm2Signer, Verifier, load_signer, read_checkpoint
from gateway.audit.entry import FORMAT, Digests, Malformed, decode, encode
from gateway.audit.fields import ALIASES, FIELDS
from gateway.audit.index import Index, is_damaged
from gateway.audit.journal import Ledger, Settings
from gateway.audit.query import Unanswerable, lookup, query
from gateway.audit.sealer import Batch, Locked, Sealer
from gateway.audit.seen import Look, Looks, TooSlow, seen
from gateway.audit.shelf import read_entries
from gateway.audit.tail import Tail
from gateway.audit.verify import Verdict, Vouched, check_proof, prove, verify

__all__ = [
    "ALIASES",
    "FIELDS",
    "FORMAT",
    "Batch",
    "Checkpoint",
    "Digests",
    "Index",
    "Ledger",
    "Locked",
    "Look",
    "Looks",
    "Malformed",
    "Sealer",
    "Settings",
    "Signer",
    "Sm2Signer",
    "Tail",
    "TooSlow",
    "Unanswerable",
    "Verdict",
    "Verifier",
    "Vouched",
    "check_proof",
    "decode",
    "encode",
    "is_damaged",
    "load_signer",
    "lookup",
    "prove",
    "query",
    "read_checkpoint",
    "read_entries",
    "seen",
    "verify",
]
