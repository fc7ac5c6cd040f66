"""A run over all of PubMed on many nodes, simulated: what stragglers and failures cost.

    python benchmarks/scale_cluster.py [--rate 20] [--documents 36000000] [--nodes 1,10,100]

Every worker (one per core) takes a block, spends documents / (rate × speed of its node) on it, and
takes the next. Nodes differ in speed (log-normal, 10 %), one in twenty is a straggler (half speed),
nodes fail at random (exponential, on average every --mtbf hours) and come back after --restart
minutes; a failed node's unfinished blocks are done again from their beginning.

Two ways of sharing out are compared: "dynamic" (--engine ray: whoever is free takes the next block)
and "static" (--shard i/n: every node keeps its own share; a failed one is started again with
--resume). Writes benchmarks/results/scale-cluster.json. The same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import statistics
from collections import deque
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "scale-cluster.json"
SEEDS = 20


def node_speeds(nodes, draw, settings):
    return [
        draw.lognormvariate(0, settings.spread)
        * (settings.slow if draw.random() < settings.stragglers else 1.0)
        for _ in range(nodes)
    ]


def simulate(settings, nodes, way, seed):
    """Hours until the last block is done, and core-hours spent and lost."""
    draw = random.Random(seed)
    speeds = node_speeds(nodes, draw, settings)
    blocks = -(-settings.documents // settings.block)
    cost = settings.block / settings.rate / 3600  # hours of a block on a core of speed 1
    if way == "dynamic":
        shared = deque([blocks])
        queues = [shared] * nodes
    else:
        queues = [deque([blocks // nodes + (node < blocks % nodes)]) for node in range(nodes)]
    fails = [draw.expovariate(1 / settings.mtbf) for _ in range(nodes)]
    # (time, kind, node, worker): 0 a worker is free, 1 a node fails
    events = [(0.0, 0, node, core) for node in range(nodes) for core in range(settings.cores)]
    events += [(fails[node], 1, node, 0) for node in range(nodes)]
    heapq.heapify(events)
    busy = [{} for _ in range(nodes)]  # worker → (begin, end) of its block
    epoch = [0] * nodes
    done, end, lost, spent, failures = 0, 0.0, 0.0, 0.0, 0
    running = {}
    while done < blocks:
        now, kind, node, core, *mark = heapq.heappop(events)
        if kind == 1:
            failures += 1
            epoch[node] += 1
            for begin, _ in busy[node].values():
                lost += now - begin
                queues[node][0] += 1
            busy[node].clear()
            back = now + settings.restart / 60
            for worker in range(settings.cores):
                heapq.heappush(events, (back, 0, node, worker, epoch[node]))
            heapq.heappush(events, (back + draw.expovariate(1 / settings.mtbf), 1, node, 0))
            if way == "dynamic":
                # Idle workers elsewhere take what was put back.
                for other, worker in [key for key, idle in running.items() if idle]:
                    running[other, worker] = False
                    heapq.heappush(events, (now, 0, other, worker, epoch[other]))
            continue
        if mark and mark[0] != epoch[node]:
            continue
        if core in busy[node]:
            begin, finish = busy[node].pop(core)
            done += 1
            spent += finish - begin
            end = max(end, now)
        if queues[node][0] > 0:
            queues[node][0] -= 1
            running[node, core] = False
            # Blocks differ too: abstracts with many entities stand together.
            time = cost / speeds[node] * draw.lognormvariate(0, 0.1)
            busy[node][core] = (now, now + time)
            heapq.heappush(events, (now + time, 0, node, core, epoch[node]))
        else:
            running[node, core] = True
    return {"hours": end, "lost": lost, "spent": spent, "failures": failures}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=20.0, help="documents per second per core")
    parser.add_argument("--documents", type=int, default=36_000_000)
    parser.add_argument("--nodes", default="1,10,100")
    parser.add_argument("--cores", type=int, default=16, help="per node")
    parser.add_argument("--block", type=int, default=1_000)
    parser.add_argument("--mtbf", type=float, default=24.0, help="hours between failures of a node")
    parser.add_argument("--restart", type=float, default=10.0, help="minutes until it is back")
    parser.add_argument("--spread", type=float, default=0.1, help="of the nodes' speeds")
    parser.add_argument("--stragglers", type=float, default=0.05, help="share of slow nodes")
    parser.add_argument("--slow", type=float, default=0.5, help="their speed")
    settings = parser.parse_args()
    rows = []
    for nodes in map(int, settings.nodes.split(",")):
        ideal = settings.documents / settings.rate / 3600 / nodes / settings.cores
        for way in ("dynamic", "static"):
            runs = [simulate(settings, nodes, way, seed) for seed in range(SEEDS)]
            hours = statistics.mean(run["hours"] for run in runs)
            rows.append(
                {
                    "nodes": nodes,
                    "cores": nodes * settings.cores,
                    "sharing": way,
                    "ideal_hours": round(ideal, 2),
                    "hours": round(hours, 2),
                    "efficiency": round(ideal / hours, 3),
                    "core_hours": round(hours * nodes * settings.cores),
                    "core_hours_done_again": round(statistics.mean(run["lost"] for run in runs), 1),
                    "failures": round(statistics.mean(run["failures"] for run in runs), 1),
                }
            )
            print(json.dumps(rows[-1]))
    report = {"settings": vars(settings), "seeds": SEEDS, "rows": rows}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
