"""`python -m benchmarks [NAME]`: run the benchmarks and print name, value, unit.

NAME is the whole name of one, or what stands before a dot (`sealing`). Exit status 1
when a value does not keep the bound that its benchmark states, however often it is asked:
what else runs on a machine makes some runs worse, and none better.
"""

import asyncio
import sys

from benchmarks import (
    front,
    front_pages,
    importing,
    list_growth,
    log_rates,
    log_verify,
    nik_growth,
    page100,
    policy,
    policy_scope,
    releases,
    rotation,
    sealing,
    sealing_peers,
)
from benchmarks.values import Benchmark, Value

BENCHMARKS = (
    Benchmark("page100", page100.run),
    Benchmark("policy.warm_ms", policy.warm_ms),
    Benchmark("policy.cold_ms", policy.cold_ms),
    Benchmark("policy.vs_cedarpy", policy.vs_cedarpy),
    Benchmark("policy.vs_pycasbin", policy.vs_pycasbin),
    Benchmark("policy.vs_naive_oso", policy.vs_naive_oso),
    Benchmark("policy.scope_cost", policy_scope.scope_cost),
    Benchmark("casework.list_growth", list_growth.run),
    Benchmark("sealing.seal_field", sealing.seal_field),
    Benchmark("sealing.open_field", sealing.open_field),
    Benchmark("sealing.page", sealing.page),
    Benchmark("sealing.vs_sqlalchemy_utils", sealing_peers.vs_sqlalchemy_utils),
    Benchmark("sealing.vs_aws_esdk", sealing_peers.vs_aws_esdk),
    Benchmark("sealing.vs_tink_envelope", sealing_peers.vs_tink_envelope),
    Benchmark("sealing.nik_growth", nik_growth.run),
    Benchmark("log.sqlite.rate32", log_rates.sqlite_rate32),
    Benchmark("log.sqlite.latency1", log_rates.sqlite_latency1),
    Benchmark("log.postgresql.rate32", log_rates.postgresql_rate32),
    Benchmark("log.postgresql.latency1", log_rates.postgresql_latency1),
    Benchmark("log.postgresql.rate4proc", log_rates.rate4proc),
    Benchmark("sealing.rotation_rate", rotation.rotation_rate),
    Benchmark("sealing.read_during_rotation", rotation.read_during_rotation),
    Benchmark("front.page100", front_pages.page),
    Benchmark("front.single", front_pages.single),
    Benchmark("front.requests_per_second", front_pages.requests_per_second),
    Benchmark("front.p99_under_attack", front.p99_under_attack),
    Benchmark("import", importing.run),
    Benchmark("releases.look_alikes", releases.look_alikes),
    Benchmark("releases.redact_ms", releases.redact_ms),
    Benchmark("log.verify_rate", log_verify.verify_rate),
    Benchmark("log.proof_ms", log_verify.proof_ms),
)


#: So often a benchmark is run whose value does not keep its bound.
RUNS = 3


def main(only: str | None) -> int:
    """Run all, or those that *only* means."""
    chosen = [b for b in BENCHMARKS if b.answers_to(only)]
    if not chosen:
        print("There is no such benchmark; there are: " + ", ".join(b.name for b in BENCHMARKS))
        return 2
    failed = False
    for benchmark in chosen:
        for value in asyncio.run(kept(benchmark)):
            failed |= value.fault is not None
            print(said(value), flush=True)
    return int(failed)


async def kept(benchmark: Benchmark) -> list[Value]:
    """Run *benchmark*, again while a bound is not kept; of each value give the first that is."""
    values = {value.name: value for value in await benchmark.run()}
    for _ in range(RUNS - 1):
        missed = [value for value in values.values() if value.fault is not None]
        if not missed:
            break
        for value in missed:
            print(f"# {said(value)}: once more", flush=True)
        for value in await benchmark.run():
            if values[value.name].fault is not None:
                values[value.name] = value
    return list(values.values())


def said(value: Value) -> str:
    """Say *value* in a line."""
    note = "" if value.fault is None else f"  {value.fault}"
    return f"{value.name} {value.value:.2f} {value.unit}{note}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
