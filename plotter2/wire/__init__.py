"""Domain values to and from protobuf, and nothing else: pure functions `<thing>_to_proto` and `<thing>_from_proto`.

The rule: `from_proto(to_proto(x)) == x` for everything that the message carries; what a message does not carry comes
back as the field's default and is named in the function's docstring. An enumerator that this version does not know is
refused. Refuses to import grpc: only message modules are used here, so that reading them stays cheap.
"""
