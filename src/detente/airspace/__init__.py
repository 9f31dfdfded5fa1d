"""Where and when: instants, altitudes, areas and volumes, exact on a stated model."""
