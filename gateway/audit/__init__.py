"""Remember it before it happens: journal, ledger, proof."""
