"""`python -m bench plan`: which cells of a suite are cached, and which a run would compute."""

from bench.options import RUNS, Budget, DataSeed, Device, Learners, Out, Seeds, SuiteName, Systems, Where


def plan(
    suite: SuiteName = "",
    system: Systems = None,
    learner: Learners = None,
    seeds: Seeds = None,
    data_seed: DataSeed = None,
    budget: Budget = "standard",
    device: Where = Device.AUTO,
    out: Out = RUNS,
) -> None:
    """Show which cells of a suite are cached, and which a run would compute."""
    from rich.console import Console

    from bench import display
    from bench.plan import Request, prepare

    planned = prepare(Request(suite, system or (), learner or (), seeds, data_seed, budget, device, None, out))
    finished = {key: planned.store.finished(key) for key in planned.keys}
    console = Console(highlight=False)
    console.print(display.plan(planned.manifest, finished, console.width))
    ready, seeds_each = sum(finished.values()), len(planned.cells[0].seeds)
    console.print(f"{ready} cached, {len(finished) - ready} missing; {seeds_each} seeds in each cell; kept in {out}")
