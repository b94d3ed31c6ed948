"""Digests, signed objects and key files, for every room that needs them.

`digest` names bytes, `strict` reads JSON that has one meaning, `jwk` admits public keys,
`jws` reads, verifies and signs compact tokens (and is the one door to PyJWT), `keys`
keeps private keys in files, `memory` keeps what is in use off the disk.
"""
