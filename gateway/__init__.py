"""A zero-trust gateway in front of government APIs.

The map of the house, in the order a request asks its questions:

    edge        What came in, and may it be read?
    identity    Who is asking?
    device      From what machine?
    behaviour   How are they behaving?
    catalog     What is asked for, and how sensitive is it?
    policy      May they?
    audit       Remember it before it happens.
    upstream    Carry it.
    masking     Reveal only what was allowed.
    telemetry   Tell the operators.
    control     The operators' door.
    stores      What one worker knows, all know.
    crypto      Digests, signatures, keys.

`journey.py` is the path of one request; `facts.py` holds the values that travel along it;
`app.py` puts the rooms together; `serve.py` runs the processes.
"""

__version__ = "0.1.0"
