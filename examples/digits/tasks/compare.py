"""All runs of the experiment together: their curves, the best value, a table. Drawn again after each redo."""


def task():
    runs = [run for run in datter.runs() if "metrics" in run.keys]
    if not runs:
        giveup()
    varied = [name for name in runs[0].parameters if len({str(run.parameters.get(name)) for run in runs}) > 1]
    names = [", ".join(f"{name} = {run.parameters.get(name)}" for name in varied or ["lr"]) for run in runs]
    tables = [run.access("metrics") for run in runs]

    rows = []
    for name, metrics in zip(names, tables, strict=True):
        accuracy = metrics["test_accuracy"]
        best = int(accuracy.argmax())
        rows.append(
            {
                "run": name,
                "best test accuracy": round(float(accuracy[best]), 4),
                "at epoch": int(metrics["epoch"][best]),
                "last test loss": round(float(metrics["test_loss"][-1]), 4),
                "last train loss": round(float(metrics["train_loss"][-1]), 4),
            }
        )
    rows.sort(key=lambda row: -row["best test accuracy"])
    winner = rows[0]

    page = report(title=f"Digits: {len(runs)} runs compared")
    accuracy = f"{winner['best test accuracy']:.2%}"
    page.text(f"Best: {winner['run']} with a test accuracy of {accuracy} at epoch {winner['at epoch']}.")
    page.add(datter.group(tables, names, "runs"), title="All runs together")
    page.table(rows, title="Runs, the best first")
    return {"best": winner["run"], "test_accuracy": winner["best test accuracy"], "runs": len(runs)}
