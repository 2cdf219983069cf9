"""The verbs of the blocking client, one file a family; `plotter2.client.blocking` puts them together."""
