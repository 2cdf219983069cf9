"""MQTT between the manager and the workers: topic grammar, payloads, and the bus that carries them.

`topics` and `payloads` are pure and know Propeller's contract; `protocol` says what a bus is; `bus` alone knows
aiomqtt. Nothing is re-exported here, so that reading a payload never loads the client library.
"""
