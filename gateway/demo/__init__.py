"""How does the main job look, live, on one machine?

A sample department service with synthetic records, a development issuer that signs real tokens,
and the story that is told on them through a real gateway. Nothing here is used in production.
"""
