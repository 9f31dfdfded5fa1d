"""Bytes to values and back, without sockets: GeoJSON, track files."""
