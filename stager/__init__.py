"""The stager: data is safe before it is understood (requirement 075).

It takes bulk data in over gRPC and from a watched directory, works while the manager is away, acknowledges only what is
on disk, forwards at least once, and forgets only what the manager has confirmed. It refuses to look into content.
"""
