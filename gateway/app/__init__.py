"""How are the rooms put together?

The composition root: settings become rooms, rooms become two applications (data port and operators'
door), run by workers and a control process. The only place that knows all rooms, and the one place
that catches what nobody expected.
"""
