"""Kinds of flights: k-means on how late, how long and how far they were."""


def task():
    flights = access("flights", columns=["dep_delay", "arr_delay", "air_time", "distance"])
    clusters = kmean(flights, k=me.parameters.get("k", 4))
    window = frame(title="Kinds of flights out of New York City in 2013")
    plotme(window, clusters)
    return {"sizes": [int(size) for size in clusters.sizes]}
