"""How fast is it, beside nginx, in one run on this machine? `make bench`, or `python -m tests.bench --help`.

machine     which cores, how much CPU and memory did a process take
material    bodies and rules to measure with
peers       the service behind (nginx, static) and the yardstick (nginx, proxying)
load        closed loop (wrk or our own) and open loop
partial     the journey with rooms left out
stage       the whole gateway, in processes of its own
journey     CPU per request, room by room, in interleaved rounds
steps       each step of the journey by itself
overload    latency at half load, and what happens above capacity
rooms       decision, replay, masking and journal by themselves
data        five masked fields and the gate, beside JSONPath libraries and presidio
algorithms  one hidden value, by algorithm and profile
engines     the same decisions in casbin's own Enforcer and in Cedar
footprint   start, memory
table       figures beside their targets
"""
