"""Where and when: instants, altitudes, areas and volumes, exact on a stated model.

`altitude` how high, in which datum · `area` circles, corridors and polygons · `volume` an area with
its band and interval · `earth` degrees to whole earth-centred coordinates · `edge` what an edge
between two vertices is · `plane` exact orientation and overlap · `reach` is it nearer than a
length. The model is written down in docs/spec/airspace-model.md.
"""
