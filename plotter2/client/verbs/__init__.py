"""The verbs of the asynchronous client, one file a family; `plotter2.client.asynchronous` puts them together."""
